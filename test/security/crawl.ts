// Reads everything that a reader can reach: every GET route about every target, what the wire answers, and every link.
import type { Client } from '../support/appSupport.js';
import type { WholeApp } from '../support/wholeApp.js';
import { wire } from './access.js';
import { addressOf, copyOf, routesOf, targetsOf } from './requests.js';
import type { Tenant, TwinHouse } from './tenants.js';

export interface Seen {
  path: string;
  accept: string;
  status: number;
  headers: Headers;
  text: string;
}

const page = 'text/html';
const activity = 'application/activity+json';
/** What programs of the Fediverse ask for too; other addresses are pages only, and a few of them prove it. */
const ofTheWire = /^\/(@|actors|objects|activities|inbox|nodeinfo|\.well-known|media|services|me$|$)/;

/** Addresses known from outside: all GET routes about both tenants and nobody, and those of the wire. */
export function addressesOf(app: TwinHouse): string[] {
  const { alpha, beta, missing } = targetsOf(app);
  const targets = [alpha, beta, missing];
  const pages = routesOf(app)
    .filter((route) => route.method === 'get')
    .flatMap((route) => targets.map((target) => addressOf(app, route.path, target)));
  return [...new Set([...pages, ...wireAddresses(app), ...searches, ...hiddenAddresses(app)])];
}

const searches = [
  '/services?q=service',
  '/services?need=write',
  '/services?q=zqx',
  '/collectives?q=zqx',
  '/collectives?q=twin',
  '/changes?page=2',
  '/no-such-page',
  '/assets/chatiere.css',
  '/assets/no-such-file.css',
];

function wireAddresses(app: TwinHouse): string[] {
  const gets = wire.filter((one) => one.startsWith('GET ')).map((one) => one.slice(4));
  const names = ['alpha', 'beta', 'alphadraft', 'betadraft', 'nobodyhere', 'rep_beta', 'mem_beta', app.house.site.host];
  const host = app.house.site.host;
  return [
    ...gets.flatMap((path) => (path.includes(':name') ? names.map((name) => path.replace(':name', name)) : [path])),
    ...names.map((name) => `/.well-known/webfinger?resource=acct:${name}@${host}`),
    ...names.flatMap((name) => ['outbox', 'followers'].map((what) => `/actors/${name}/${what}?page=true`)),
  ].filter((path) => !path.includes(':id'));
}

/** What somebody could know of a tenant's private things, from a time when they belonged to it, say. */
function hiddenAddresses(app: TwinHouse): string[] {
  const of = (one: Tenant) => [
    `/@${one.draft.handle}`,
    `/@${one.draft.handle}/posts.atom`,
    `/@${one.draft.handle}/librehost.json`,
    `/.well-known/chatonsinfos/${one.draft.handle}.properties`,
    `/.well-known/chatonsinfos/${one.collective.handle}-${one.draftService.slug}.properties`,
    `/.well-known/chatonsinfos/${one.collective.handle}-${one.service.slug}-metrics.properties`,
    `/@${one.collective.handle}/services/${one.draftService.slug}`,
    `/@${one.collective.handle}/services/${one.withdrawnService.slug}`,
    `/@${one.collective.handle}/posts/${one.deletedPost._id}`,
    `/my/collectives/${one.draft._id}`,
    `/my/collectives/${one.collective._id}/history?of=${one.draftService._id}`,
    `/my/collectives/${one.collective._id}/services/${one.draftService._id}`,
    `/services/${one.draftService._id}`,
    `/media/${one.draftLogoId}`,
    ...[one.draftService._id, one.withdrawnService._id, one.post._id, one.deletedPost._id].map(
      (id) => `/objects/${id}`,
    ),
    ...one.mailIds.map((id) => `/admin/mails/${id}`),
    `/admin/people/${one.member._id}`,
  ];
  return [app.alpha, app.beta].flatMap(of);
}

/**
 * Fetches all of them as a page and, where that may be something else, as an activity; then every address of this server
 * that an answer names.
 */
export async function crawl(
  app: WholeApp,
  client: Client,
  from: readonly string[],
  options: { pagesOnly?: boolean; staysThere?: boolean } = {},
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const known = new Set(from);
  const waiting = [...from];
  const origin = app.house.site.baseUrl;
  while (waiting.length > 0 && known.size < 3000) {
    const batch = waiting.splice(0, 8);
    const answers = await Promise.all(
      batch.flatMap((path) =>
        (options.pagesOnly || !ofTheWire.test(path) ? [page] : [page, activity]).map(async (accept) => {
          const { status, headers, text } = await copyOf(app, client).get(path, { accept });
          return { path, accept, status, headers, text };
        }),
      ),
    );
    for (const answer of answers) {
      seen.push(answer);
      if (options.staysThere) continue;
      for (const path of linksIn(answer, origin)) {
        if (known.has(path)) continue;
        known.add(path);
        waiting.push(path);
      }
    }
  }
  return seen;
}

function linksIn(answer: Seen, origin: string): string[] {
  const named = [
    ...[...answer.text.matchAll(/\b(?:href|src|action)="([^"]+)"/g)].map(([, address = '']) => address),
    ...[...answer.text.matchAll(/https?:\/\/[^\s"'<>\\)]+/g)].map(([address]) => address),
    answer.headers.get('location') ?? '',
  ].map((address) => address.replaceAll('&amp;', '&').replaceAll('&#x3D;', '='));
  return named.flatMap((address) => {
    const base = origin + answer.path;
    const url = URL.canParse(address, base) ? new URL(address, base) : null;
    if (!url || url.origin !== origin || /^\/(language|assets)\b/.test(url.pathname)) return [];
    return [url.pathname + url.search];
  });
}
