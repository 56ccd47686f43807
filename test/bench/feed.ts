// The feed of a hoster who has read for years: a hundred thousand posts. The query alone, and the page as a member gets it
// from a server of its own, newest first, far back, and of one list.
import { readFileSync } from 'node:fs';
import { createCollective } from '../../server/collectives/actions.js';
import { collectivesOf } from '../../server/collectives/queries.js';
import type { Context } from '../../server/context.js';
import { feedEntriesIn, pageFeed, remoteActorsIn, remotePostsIn } from '../../server/partners/queries.js';
import { actorIri, feedPosition, postKey } from '../../server/partners/rules.js';
import type { FeedEntry, RemotePost } from '../../server/partners/schema.js';
import { createPerson } from '../../server/people/actions/accounts.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';
import { freePort, startServer } from '../support/serverProcess.js';
import { Visitor } from '../support/visitor.js';

const posts = 100_000;
const authors = 200;
const lists = ['', 'network', 'software', 'local'];
const times = 200;
const password = 'a long password for the bench';

export async function benchFeed(dataDir: string): Promise<Record<string, unknown>> {
  const port = await freePort();
  const site = { baseUrl: `http://localhost:${port}`, host: `localhost:${port}`, defaultLanguage: 'fr' as const };
  const store = await openStore({ dataDir, onScan: 'error' });
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const ctx: Context = { store, site, log: quiet, now: new Date(), actor: { kind: 'system', name: 'bench' } };
  await store.ensureIndexes(allIndexes);
  const name = { fr: 'Banc', en: 'Bench' };
  const hoster = await createCollective(ctx, { handle: 'bench', name, legalForm: 'ASSOCIATION', published: true });
  const member = { username: 'reader', email: 'reader@example.org', displayName: 'Reader', password };
  const { _id: personId } = await createPerson(ctx, member);
  const joined = { personId, role: 'member' as const, since: ctx.now };
  await collectivesOf(store).updateOne({ _id: hoster._id }, { $set: { members: [joined] } });
  const reader = actorIri(site, 'bench');
  await seed(store, reader, ctx.now);
  const middle = feedPosition(new Date(ctx.now.getTime() - (posts / 2) * 60_000), ctx.now, '0'.repeat(64));
  const query = {
    first: await measure(() => pageFeed(store, reader, {})),
    farBack: await measure(() => pageFeed(store, reader, { before: middle })),
    oneList: await measure(() => pageFeed(store, reader, { list: 'network' })),
  };
  await store.close();
  const server = await startServer({ dataDir, port, env: { LOG_LEVEL: 'error' }, timeoutMs: 60_000 });
  try {
    const visitor = new Visitor(server.baseUrl);
    await visitor.visit('/sign-in');
    await visitor.submit('/sign-in', { login: 'reader', password });
    const path = `/my/collectives/${hoster._id}/partners`;
    const look = (address: string) => async (): Promise<void> => {
      const { status } = await visitor.visit(address);
      if (status !== 200) throw new Error(`${address} answered ${status}`);
    };
    const page = {
      first: await measure(look(path)),
      farBack: await measure(look(`${path}?before=${middle}`)),
      oneList: await measure(look(`${path}?list=network`)),
    };
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
    return { posts, query, page, rssMb: Math.round(Number(rss ?? 0) / 1024) };
  } finally {
    await server.stop();
  }
}

async function seed(store: Store, reader: string, now: Date): Promise<void> {
  const iris = Array.from({ length: authors }, (_, n) => `https://host${n % 50}.example/users/u${n}`);
  await remoteActorsIn(store).insertMany(
    iris.map((iri, n) => ({
      ...{
        _id: iri,
        type: 'Person',
        host: `host${n % 50}.example`,
        handle: `u${n}@host${n % 50}.example`,
        name: `U ${n}`,
      },
      ...{ url: iri, inbox: `${iri}/inbox`, sharedInbox: null, keys: [], fetchedAt: now, goneAt: null },
    })),
  );
  for (let from = 0; from < posts; from += 1000) {
    const made = Array.from({ length: 1000 }, (_, n) => build(from + n, iris, reader, now));
    await remotePostsIn(store).insertMany(made.map(({ post }) => post));
    await feedEntriesIn(store).insertMany(made.map(({ entry }) => entry));
  }
}

function build(n: number, iris: readonly string[], reader: string, now: Date): { post: RemotePost; entry: FeedEntry } {
  const author = iris[n % iris.length] ?? '';
  const iri = `${author}/statuses/${n}`;
  const at = new Date(now.getTime() - n * 60_000);
  const _id = postKey(iri);
  return {
    post: {
      ...{ _id, iri, type: 'Note', authors: [author], publishedAt: at, updatedAt: null, title: '', isHtml: true },
      content: `<p>${'A hoster writes about a service, plainly. '.repeat(8)}<a href="https://pads.example/">${n}</a></p>`,
      ...{ warning: '', language: 'fr', url: iri, inReplyTo: null, attachments: [], poll: null, startsAt: null },
      audience: ['https://www.w3.org/ns/activitystreams#Public'],
      ...{ endsAt: null, place: '', receivedAt: at, deletedAt: null },
    },
    entry: {
      ...{
        _id: `${postKey(`${reader} ${iri}`)}`,
        reader,
        position: feedPosition(at, now, _id),
        post: _id,
        from: author,
      },
      ...{ lists: [lists[n % lists.length] ?? 'network'], muted: false, at },
    },
  };
}

async function measure(work: () => Promise<unknown>): Promise<{ p50Ms: number; p95Ms: number }> {
  for (let warm = 0; warm < 20; warm++) await work();
  const took: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  took.sort((one, other) => one - other);
  const at = (part: number): number => Math.round((took[Math.floor(part * took.length)] ?? 0) * 10) / 10;
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}
