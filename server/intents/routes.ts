// The two doors between here and a visitor's own server: from our public pages to theirs, and from theirs to ours. Nothing is done
// here but leading on: what is confirmed is confirmed on the server where one is signed in.
import type { Request } from 'express';
import { findCollectiveByHandle, listCollectivesOf } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import { DomainError, type Message } from '../errors.js';
import type { House } from '../house.js';
import { addressKey, type Limit, withinLimit } from '../http/limits.js';
import { personOf, Routes, type Visit } from '../http/routes.js';
import { partnersPath } from '../partners/present.js';
import { actorIri } from '../partners/rules.js';
import { findPerson, findPersonByHandle } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import { ownerName, postPath } from '../posts/present.js';
import { findOwner, findPost, isShown } from '../posts/queries.js';
import { textIn } from '../shapes.js';
import { intentAddress, readAccount, readJrd } from './rules.js';
import { authorizeQuery, targetQuery, type Wish, wishQuery } from './schema.js';

/** Each asks a server elsewhere. */
const lookUps: Limit = { name: 'intents', limit: 30, windowMs: 60 * 60 * 1000 };

interface Target {
  kind: 'actor' | 'post';
  name: string;
  /** The id that the other server will fetch. */
  iri: string;
  /** What people type into a search: a name, or the address of the page. */
  copy: string;
  href: string;
  query: Record<string, string>;
}

type AnyVisit = Visit<unknown, { actor?: string | undefined; post?: string | undefined; account: string }, unknown>;

export function intentRoutes(house: House): Routes {
  const routes = new Routes(house);

  routes.get('/interact', { access: 'public', query: targetQuery, cache: 'none' }, (visit) => showForm(visit));

  routes.get('/interact/go', { access: 'public', query: wishQuery, cache: 'none' }, async (visit) => {
    const target = await getTarget(visit);
    // A link on some other page must not lead through us to wherever its author likes: then one is asked first.
    if (!isFromOurPage(visit.req, house.site.baseUrl)) return showForm(visit);
    const found = await leadOn(visit, target, visit.query.wish);
    if ('message' in found) {
      visit.res.status(422);
      return showForm(visit, found.message);
    }
    visit.res.redirect(303, found.address);
  });

  routes.get('/authorize_interaction', { access: 'signedIn', query: authorizeQuery }, async (visit) => {
    const { personId } = personOf(visit.ctx);
    const uri = visit.query.uri.replace(/^acct:@?/i, '@');
    if (uri === '') throw new DomainError('invalid', 'intents.error.nothing');
    const person = await findPerson(house.store, personId);
    const collectives = (await listCollectivesOf(house.store, personId)).filter(isPublic);
    const parties = [
      ...collectives.map((one) => ({
        name: textIn(one.profile.name, visit.language),
        path: partnersPath({ kind: 'collective', id: one._id }),
      })),
      ...(person && isPublicPerson(person)
        ? [{ name: person.displayName, path: partnersPath({ kind: 'person', id: personId }) }]
        : []),
    ].map(({ name, path }) => ({ name, href: `${path}/find?${new URLSearchParams({ q: uri })}` }));
    const [only] = parties;
    if (only && parties.length === 1) return visit.redirect(only.href);
    await visit.page('intents/choose', { uri, parties }, { title: visit.t('intents.choose.title'), nav: 'mine' });
  });
  return routes;
}

async function showForm(visit: AnyVisit, message?: Message): Promise<void> {
  const target = await getTarget(visit);
  const { privateHosts } = visit.house;
  // A form that is led on elsewhere is held by this: for this page alone it may lead to any server.
  const policy = String(visit.res.getHeader('Content-Security-Policy') ?? '');
  const open = `form-action 'self' https:${privateHosts.length > 0 ? ' http:' : ''}`;
  visit.res.set('Content-Security-Policy', policy.replace(/form-action [^;]*/, open));
  const wishes: Wish[] = target.kind === 'actor' ? ['follow'] : ['reply', 'like', 'announce', 'open'];
  await visit.page(
    'intents/form',
    {
      target,
      account: visit.query.account,
      errors: message ? [{ field: 'account', message }] : null,
      wishes: wishes.map((wish, index) => ({ wish, label: `intents.wish.${wish}`, isFirst: index === 0 })),
    },
    { title: visit.t(`intents.${target.kind}.title`), noIndex: true },
  );
}

/** Refuses: not-found. Only what everybody may see. */
async function getTarget(visit: AnyVisit): Promise<Target> {
  const { house, language } = visit;
  const { actor, post } = visit.query;
  if (actor !== undefined) {
    const collective = await findCollectiveByHandle(house.store, actor);
    const person = collective ? null : await findPersonByHandle(house.store, actor);
    const name =
      collective && isPublic(collective)
        ? textIn(collective.profile.name, language)
        : person && isPublicPerson(person)
          ? person.displayName
          : null;
    if (name !== null) {
      const copy = `@${actor}@${house.site.host}`;
      return { kind: 'actor', name, iri: actorIri(house.site, actor), copy, href: `/@${actor}`, query: { actor } };
    }
  } else if (post !== undefined) {
    const found = await findPost(house.store, post);
    const owner = found && (await findOwner(house.store, found));
    if (found && found.deletedAt === null && !found.isPrivate && owner && isShown(owner)) {
      const href = postPath(owner, found);
      const { baseUrl } = house.site;
      const name = ownerName(owner, language);
      return { kind: 'post', name, iri: `${baseUrl}/objects/${post}`, copy: baseUrl + href, href, query: { post } };
    }
  }
  throw new DomainError('not-found', 'error.notFound');
}

/** Fetch Metadata, or for browsers without it the referrer, which our pages send to ourselves. */
function isFromOurPage(req: Request, baseUrl: string): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { referer } = req.headers;
  return referer !== undefined && URL.canParse(referer) && new URL(referer).origin === baseUrl;
}

/** Asks the visitor's server where this is done there. Refuses: too-many. */
async function leadOn(
  visit: AnyVisit,
  target: Target,
  wish: Wish,
): Promise<{ address: string } | { message: Message }> {
  const { house } = visit;
  const account = readAccount(visit.query.account);
  if (!account) return { message: { key: 'intents.error.account' } };
  if (account.host === house.site.host) {
    return { address: `/authorize_interaction?${new URLSearchParams({ uri: target.iri })}` };
  }
  if (!(await withinLimit(house, lookUps, addressKey(visit.req)))) {
    throw new DomainError('too-many', 'intents.error.tooMany', { retryAfter: 3600 });
  }
  const insecure = house.privateHosts;
  const scheme = insecure.includes(account.host) ? 'http' : 'https';
  const resource = encodeURIComponent(`acct:${account.user}@${account.host}`);
  const answer = await house.fetchText(`${scheme}://${account.host}/.well-known/webfinger?resource=${resource}`, {
    maxBytes: 100_000,
    timeoutMs: 5000,
    accept: 'application/jrd+json, application/json;q=0.9',
  });
  if (answer.outcome !== 'read') return { message: { key: 'intents.error.silent', params: { host: account.host } } };
  const jrd = readJrd(parse(answer.body));
  const self = jrd?.links.find(({ rel }) => rel === 'self')?.href ?? '';
  const hosts = [account.host, new URL(answer.finalUrl).host, ...(URL.canParse(self) ? [new URL(self).host] : [])];
  const address = jrd && intentAddress(jrd, wish, target.iri, { hosts, insecure });
  return address ? { address } : { message: { key: 'intents.error.noWay', params: { host: account.host } } };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}
