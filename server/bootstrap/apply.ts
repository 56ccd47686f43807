// Makes what a bootstrap file declares, through the same deeds as the forms. Idempotent: each thing is made once, known by
// user name, handle or key, and noted; what people change or delete afterwards stays as they left it.
import { createHash } from 'node:crypto';
import { createService, setMetrics } from '../catalogue/actions/services.js';
import { findServiceBySlug } from '../catalogue/queries.js';
import { addMember, createCollective } from '../collectives/actions.js';
import { findCollectiveByHandle } from '../collectives/queries.js';
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import type { Translate } from '../i18n.js';
import { writeSettings } from '../instances/settings.js';
import { createPerson } from '../people/actions/accounts.js';
import { findPersonByUsername } from '../people/queries.js';
import { publishPost } from '../posts/actions.js';
import { listPublicPosts } from '../posts/queries.js';
import type { LocalText } from '../shapes.js';
import { StartError } from '../startup.js';
import { type Coll, type CollectionIndexes, type Doc, DuplicateKeyError } from '../store/store.js';
import { pathOf } from './read.js';
import type { Bootstrap, BootstrapCollective, BootstrapPerson } from './schema.js';

/** What was made from a bootstrap file, by kind and name: made once, whatever became of it. */
interface Made extends Doc {
  at: Date;
}

export const bootstrapIndexes: CollectionIndexes = { bootstrapped: [] };

export interface BootstrapReport {
  people: number;
  collectives: number;
  members: number;
  services: number;
  posts: number;
}

interface Work {
  ctx: Context;
  t: Translate;
  report: BootstrapReport;
}

/** Refuses (StartError): what an action refuses, with the path inside the file. What was made before stays. */
export async function applyBootstrap(ctx: Context, bootstrap: Bootstrap, t: Translate): Promise<BootstrapReport> {
  const work: Work = { ctx, t, report: { people: 0, collectives: 0, members: 0, services: 0, posts: 0 } };
  const { settings, administrator, people, collectives } = bootstrap;
  if (settings) await once(work, 'settings', ['settings'], () => writeSettings(ctx.store, settings));
  if (administrator) await makePerson(work, ['administrator'], { ...administrator, instanceRole: 'administrator' });
  for (const [index, person] of people.entries()) await makePerson(work, ['people', index], person);
  for (const [index, one] of collectives.entries()) await makeCollective(work, ['collectives', index], one);
  return work.report;
}

async function makePerson(work: Work, path: PropertyKey[], person: BootstrapPerson): Promise<void> {
  await once(work, `person:${person.username}`, path, async () => {
    if (await findPersonByUsername(work.ctx.store, person.username)) return;
    await createPerson(work.ctx, {
      username: person.username,
      email: person.email,
      displayName: person.displayName ?? person.username,
      password: person.password ?? null,
      instanceRole: person.instanceRole ?? null,
      language: person.language ?? null,
      timeZone: person.timeZone ?? null,
    });
    work.report.people += 1;
  });
}

async function makeCollective(work: Work, path: PropertyKey[], declared: BootstrapCollective): Promise<void> {
  const { ctx, report } = work;
  const { handle, profile, published, acceptsFollowers } = declared;
  await once(work, `collective:${handle}`, path, async () => {
    if (await findCollectiveByHandle(ctx.store, handle)) return;
    const { name, legalForm } = profile;
    await createCollective(ctx, { handle, name, legalForm, profile, published, acceptsFollowers, members: [] });
    report.collectives += 1;
  });
  const collective = await findCollectiveByHandle(ctx.store, handle);
  if (!collective || collective.deletedAt !== null) return;
  for (const [index, { username, role }] of declared.members.entries()) {
    const at = [...path, 'members', index];
    await once(work, `member:${handle}:${username}`, at, async () => {
      const person = await findPersonByUsername(ctx.store, username);
      if (!person) throw new StartError(`The bootstrap file is refused. ${pathOf(at)}: nobody is called ${username}.`);
      if (collective.members.some(({ personId }) => personId === person._id)) return;
      await addMember(ctx, collective._id, { personId: person._id, role });
      report.members += 1;
    });
  }
  await makeServices(work, path, declared, collective._id);
  await makePosts(work, path, declared, collective._id);
}

async function makeServices(
  work: Work,
  path: PropertyKey[],
  declared: BootstrapCollective,
  collectiveId: string,
): Promise<void> {
  const { ctx, report } = work;
  for (const [index, { slug, profile, published, metrics }] of declared.services.entries()) {
    await once(work, `service:${declared.handle}:${slug}`, [...path, 'services', index], async () => {
      if (await findServiceBySlug(ctx.store, collectiveId, slug)) return;
      // They existed before this file was read: no news for those who follow.
      const service = await createService(ctx, collectiveId, { slug, profile, published, quiet: true });
      for (const series of metrics) await setMetrics(ctx, service._id, series);
      report.services += 1;
    });
  }
}

async function makePosts(
  work: Work,
  path: PropertyKey[],
  declared: BootstrapCollective,
  collectiveId: string,
): Promise<void> {
  const { ctx, report } = work;
  for (const [index, { text }] of declared.posts.entries()) {
    await once(work, `post:${declared.handle}:${digest(text)}`, [...path, 'posts', index], async () => {
      const posts = await listPublicPosts(ctx.store, collectiveId, { limit: 100 });
      if (posts.some((post) => post.text.fr === text.fr && post.text.en === text.en)) return;
      await publishPost(ctx, collectiveId, text);
      report.posts += 1;
    });
  }
}

function digest(text: LocalText): string {
  return createHash('sha256').update(`${text.fr}\n${text.en}`).digest('hex').slice(0, 24);
}

/** Runs a deed unless it was done before; then notes it. A crash in between repeats the deed, which looks first. */
async function once({ ctx, t }: Work, name: string, path: PropertyKey[], deed: () => Promise<unknown>): Promise<void> {
  const made: Coll<Made> = ctx.store.collection('bootstrapped');
  if (await made.findOne({ _id: name })) return;
  try {
    await deed();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const field = error.field ? `.${error.field}` : '';
    const words = t(error.safeMessage.key, error.safeMessage.params).replace(/\.$/, '');
    throw new StartError(`The bootstrap file is refused. ${pathOf(path)}${field}: ${words}.`, { cause: error });
  }
  try {
    await made.insertOne({ _id: name, at: ctx.now });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}
