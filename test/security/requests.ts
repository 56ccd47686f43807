// How the suite asks: every route of the app by name, its parameters filled in, the deed done as somebody.
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import type { Express } from 'express';
import { slices } from '../../server/app.js';
import { sourceKey } from '../../server/elsewhere/rules.js';
import type { RouteRecord } from '../../server/http/routes.js';
import { mediaKey } from '../../server/partners/rules.js';
import { png } from '../server/uploads/pictures.js';
import { type Answer, Client } from '../support/appSupport.js';
import type { WholeApp } from '../support/wholeApp.js';
import { missingId, partnerPicture, type Tenant, type TwinHouse } from './tenants.js';

/** Every route that the slices declare: the same list from which the app is built. */
export function routesOf(app: WholeApp): RouteRecord[] {
  return slices(app.house, app.engine).flatMap((slice) => slice.list);
}

export function nameOf(route: Pick<RouteRecord, 'method' | 'path'>): string {
  return `${route.method.toUpperCase()} ${route.path}`;
}

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
}

/** "GET /path" of everything that Express itself would answer, however it was declared. */
export function mountedIn(express: Express): string[] {
  const walk = (stack: Layer[]): string[] =>
    stack.flatMap(({ route, handle }) => {
      if (!route) return walk(handle.stack ?? []);
      const methods = Object.keys(route.methods).map((method) => (method === '_all' ? 'ALL' : method.toUpperCase()));
      return [route.path].flat().flatMap((path) => methods.map((method) => `${method} ${path}`));
    });
  return [...new Set(walk((express.router as unknown as { stack: Layer[] }).stack))];
}

/** What the address is about: a hoster with its things, or things of another one under its address, or nothing. */
export interface Target {
  name: string;
  collective: string;
  handle: string;
  things: Record<string, string>;
}

const nowhere: Record<string, string> = {
  service: missingId,
  post: missingId,
  import: missingId,
  invitation: missingId,
  person: missingId,
  follow: '0'.repeat(64),
  following: '0'.repeat(64),
  partnerPost: '0'.repeat(64),
  survey: missingId,
  poll: missingId,
  block: '0'.repeat(64),
  mention: '0'.repeat(64),
  slug: 'nothing',
  file: 'nothing.properties',
  media: missingId,
  import_file: 'nothing.properties',
};

function thingsOf(tenant: Tenant): Record<string, string> {
  return {
    service: tenant.service._id,
    post: tenant.post._id,
    import: tenant.importId,
    invitation: tenant.invitationId,
    person: tenant.representative._id,
    follow: tenant.requestedFollow,
    following: tenant.following,
    partnerPost: tenant.partnerPost,
    survey: tenant.survey,
    poll: tenant.poll,
    block: tenant.block,
    mention: tenant.mention,
    slug: tenant.service.slug,
    file: `${tenant.collective.handle}.properties`,
    media: tenant.logoId,
    import_file: tenant.importFile,
  };
}

export function targetsOf(app: TwinHouse): Record<'alpha' | 'beta' | 'missing' | 'foreign' | 'nothing', Target> {
  const { alpha, beta } = app;
  const of = (name: string, tenant: Tenant, things: Record<string, string>): Target => ({
    name,
    collective: tenant.collective._id,
    handle: tenant.collective.handle,
    things,
  });
  return {
    alpha: of('alpha', alpha, thingsOf(alpha)),
    beta: of('beta', beta, thingsOf(beta)),
    missing: { name: 'missing', collective: missingId, handle: 'nobodyhere', things: nowhere },
    /** Alpha's address, beta's things. */
    foreign: of('foreign', alpha, thingsOf(beta)),
    /** Alpha's address, no such things. */
    nothing: of('nothing', alpha, nowhere),
  };
}

/** The address of a route about a target; other ids are of things of the instance. */
/** The file of a hoster that an administrator added: test/security/tenants.ts. */
const knownFile = 'https://known.example/organization.properties';

/** A delivery to known.example that was given up: test/security/tenants.ts. */
const knownDelivery = `01890000-0000-7000-8000-000000000001 ${'0'.repeat(32)}`;

export function addressOf(app: TwinHouse, path: string, target: Target): string {
  const { collective, handle, things } = target;
  const own: Record<string, string> = { ...things, name: handle };
  if (path.startsWith('/my/collectives/')) own.id = collective;
  else if (path.startsWith('/services/')) own.id = things.service ?? missingId;
  else if (path.startsWith('/media/')) own.id = things.media ?? missingId;
  else if (path.startsWith('/admin/')) own.id = idOfInstance(app, path);
  if (path.includes('/partners/posts/:post/media/')) own.media = mediaKey(partnerPicture);
  if (path.startsWith('/@:name/threads')) {
    const { handle: groupName, thread } = app.group;
    Object.assign(own, { thread, post: thread }, target.name === 'missing' ? {} : { name: groupName });
  }
  if (path.includes('/partners/')) own.post = things.partnerPost ?? '0'.repeat(64);
  if (path.startsWith('/admin/jobs/:name')) own.name = 'prune';
  if (path.includes('/surveys/')) Object.assign(own, { question: 'q', section: 's' });
  own.domain = 'blocked.example';
  own.list = 'blocks';
  own.host = 'known.example';
  own.delivery = encodeURIComponent(knownDelivery);
  own.token = `${missingId}.${'x'.repeat(27)}`;
  own.key ??= '0'.repeat(64);
  const query: Record<string, string> = {
    '/language': '?to=en&back=/about',
    '/my/collectives/:id/surveys/:survey/questions/new': '?kind=date&section=s',
    '/report': '?about=/@alpha',
    '/my/collectives/:id/partners/list': '?name=network',
    '/interact': `?actor=${handle}`,
    '/interact/go': `?actor=${handle}&wish=follow`,
  };
  // Which question: without it the address means nothing.
  if (path.endsWith('/results/texts')) query[path] = '?of=q';
  return path.replace(/:(\w+)/g, (_match, name: string) => own[name] ?? missingId) + (query[path] ?? '');
}

function idOfInstance(app: TwinHouse, path: string): string {
  if (path.startsWith('/admin/people')) return app.people.plain._id;
  if (path.startsWith('/admin/invitations')) return app.adminInvitationId;
  if (path.startsWith('/admin/reports')) return app.reportId;
  if (path.startsWith('/admin/mails')) return app.alpha.mailIds[0] ?? missingId;
  if (path.startsWith('/admin/jobs/events')) return app.failedEventId;
  if (path.startsWith('/admin/known-hosters')) return sourceKey('organization', knownFile);
  return missingId;
}

/** The same browser, to spend: what a request changes in its cookies is not kept. */
export function copyOf(app: WholeApp, client: Client): Client {
  const copy = new Client(app.url, app.house.site.baseUrl, { language: 'en' });
  for (const [name, value] of client.cookies) copy.cookies.set(name, value);
  return copy;
}

/** Posts the fields, with a file when the form has one. */
export async function postAs(
  app: WholeApp,
  client: Client,
  path: string,
  fields: Record<string, string>,
  file?: string,
): Promise<Answer> {
  if (file === undefined) return copyOf(app, client).postRaw(path, fields);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set(file, new Blob([new Uint8Array(png)], { type: 'image/png' }), 'picture.png');
  const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(app.url + path, {
    method: 'POST',
    body: form,
    redirect: 'manual',
    headers: {
      accept: 'text/html',
      'accept-language': 'en',
      origin: app.house.site.baseUrl,
      'sec-fetch-site': 'same-origin',
      ...(cookie ? { cookie } : {}),
    },
  });
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    location: response.headers.get('location'),
  };
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** One request with exactly this path and these headers, as no browser would send it. */
export function raw(
  app: WholeApp,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const sent = { host, ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) };
    // A connection each: the server may close a kept one while the next request is on its way.
    const req = request({ hostname, port, path, method, headers: sent, agent: false }, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(parts).toString('utf8') }),
      );
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Two pages that differ in nothing but what was asked for become one. */
export function withoutIds(text: string): string {
  return (
    text
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
      .replace(/[0-9a-f]{32,}/g, '<hex>')
      .replace(/name="_csrf" value="[^"]*"/g, '<csrf>')
      // What whoever asks has typed comes back to them, whatever they asked about.
      .replace(/<p class="kept-text">[^<]*<\/p>/g, '<typed>')
  );
}
