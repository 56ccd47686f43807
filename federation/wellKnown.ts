// How we are found: WebFinger (RFC 7033), host-meta (RFC 6415), NodeInfo 2.0 and 2.1. Public and readable from anywhere.
import { type Request, type Response, Router } from 'express';
import { countPublicCollectives } from '../server/collectives/queries.js';
import { readSettings } from '../server/instances/settings.js';
import { peopleIn } from '../server/people/queries.js';
import { activitiesIn } from './activities.js';
import { findLocalActor, instanceHandle, type LocalActor } from './actors.js';
import type { Federation } from './federation.js';
import { isLocal, localHandleIn } from './iris.js';
import { escapeHtml, type Json } from './wire/namespace.js';

const schema = 'http://nodeinfo.diaspora.software/ns/schema';
const maxResource = 1000;

export function wellKnownRouter(federation: Federation, version: string): Router {
  const router = Router({ caseSensitive: true });
  const { baseUrl } = federation.house.site;

  router.get('/.well-known/webfinger', async (req, res) => answerWebFinger(federation, req, res));

  router.get('/.well-known/host-meta', (_req, res) => {
    const template = escapeHtml(`${baseUrl}/.well-known/webfinger?resource={uri}`);
    const xrd = `<?xml version="1.0" encoding="UTF-8"?>\n<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="lrdd" template="${template}"/></XRD>\n`;
    open(res).type('application/xrd+xml').send(xrd);
  });

  router.get('/.well-known/nodeinfo', (_req, res) => {
    const links = ['2.1', '2.0'].map((one) => ({ rel: `${schema}/${one}`, href: `${baseUrl}/nodeinfo/${one}` }));
    const instance = {
      rel: 'https://www.w3.org/ns/activitystreams#Application',
      href: federation.apex.actorIri(instanceHandle),
    };
    open(res).json({ links: [...links, instance] });
  });

  for (const one of ['2.0', '2.1'] as const) {
    router.get(`/nodeinfo/${one}`, async (_req, res) => {
      const body = JSON.stringify(await describeNode(federation, one, version));
      open(res).type(`application/json; profile="${schema}/${one}#"; charset=utf-8`).send(body);
    });
  }
  return router;
}

function open(res: Response): Response {
  return res.set('Access-Control-Allow-Origin', '*').set('Cache-Control', 'public, max-age=300');
}

async function answerWebFinger(federation: Federation, req: Request, res: Response): Promise<void> {
  open(res);
  const { resource } = req.query;
  if (typeof resource !== 'string' || resource.length > maxResource) return refuse(res, 400, 'one resource is needed');
  const handle = handleIn(federation, resource);
  if (handle === 'invalid') return refuse(res, 400, 'the resource is not acct: or an address');
  const actor = handle === null ? null : await findLocalActor(federation, handle);
  if (actor === 'gone') return refuse(res, 410, 'gone');
  if (actor === null) return refuse(res, 404, 'nobody of that name');
  res.type('application/jrd+json').send(JSON.stringify(describeResource(federation, actor)));
}

function refuse(res: Response, status: number, error: string): void {
  res.status(status).json({ error });
}

/** The handle that a resource names: acct:name@host, an actor's id, its page, or our front page (the instance). */
function handleIn(federation: Federation, resource: string): string | 'invalid' | null {
  const { site } = federation.house;
  const [, name, host] = /^acct:@?([^@\s]+)@([^@\s/]+)$/i.exec(resource) ?? [];
  if (name !== undefined && host !== undefined) return host.toLowerCase() === site.host ? name.toLowerCase() : null;
  if (!/^https?:/i.test(resource) || !URL.canParse(resource)) return 'invalid';
  if (!isLocal(site, resource)) return null;
  const { pathname } = new URL(resource);
  if (pathname === '/') return instanceHandle;
  const [, page] = /^\/@([a-z0-9_]{1,30})$/.exec(pathname) ?? [];
  return page ?? localHandleIn(site, resource);
}

function describeResource(federation: Federation, actor: LocalActor): Json {
  const { baseUrl, host } = federation.house.site;
  const page = actor.kind === 'instance' ? `${baseUrl}/about` : `${baseUrl}/@${actor.handle}`;
  const links = [
    { rel: 'self', type: 'application/activity+json', href: actor.iri },
    { rel: 'http://webfinger.net/rel/profile-page', type: 'text/html', href: page },
  ];
  const service = {
    rel: 'https://www.w3.org/ns/activitystreams#Service',
    type: 'application/activity+json',
    href: actor.iri,
  };
  return {
    subject: `acct:${actor.handle}@${host}`,
    aliases: [actor.iri, page],
    links: actor.kind === 'instance' ? [...links, service] : [...links, ...intentLinks(baseUrl)],
  };
}

/** Where somebody of ours confirms what they wish to do elsewhere: FEP-3b86, and what Mastodon reads. */
function intentLinks(baseUrl: string): Json[] {
  const page = `${baseUrl}/authorize_interaction?uri=`;
  const intents = ['Follow', 'Like', 'Announce', 'Object'].map((name) => ({ name, part: '{object}' }));
  return [
    { rel: 'http://ostatus.org/schema/1.0/subscribe', template: `${page}{uri}` },
    ...[...intents, { name: 'Create', part: '{inReplyTo}' }].map(({ name, part }) => ({
      rel: `https://w3id.org/fep/3b86/${name}`,
      template: page + part,
    })),
  ];
}

async function describeNode(federation: Federation, version: '2.0' | '2.1', software: string): Promise<Json> {
  const { store } = federation.house;
  const settings = await readSettings(store);
  const people = await peopleIn(store).countDocuments({ deletedAt: null });
  const collectives = await countPublicCollectives(store);
  const localPosts = await activitiesIn(federation).countDocuments({ type: 'Create', listed: true });
  return {
    version,
    software: { name: 'chatiere', version: software },
    protocols: ['activitypub'],
    services: { inbound: [], outbound: ['atom1.0'] },
    openRegistrations: false,
    usage: { users: { total: people + collectives }, localPosts },
    metadata: { nodeName: settings.name, nodeDescription: settings.tagline.fr || settings.tagline.en },
  };
}
