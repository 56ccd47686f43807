// What programs read: ChatonsInfos files, librehost.json, the whole catalogue as JSON and CSV. Open to every site.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Response } from 'express';
import { z } from 'zod';
import { eachPublicCollective, findCollectiveByHandle } from '../../collectives/queries.js';
import { isPublic } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import type { Context } from '../../context.js';
import { eachRemoteService } from '../../elsewhere/queries.js';
import type { RemoteService, Where } from '../../elsewhere/schema.js';
import { DomainError } from '../../errors.js';
import { writeChatonsInfos } from '../../formats/chatonsinfos/write.js';
import { type CsvColumn, toCsv } from '../../formats/csv.js';
import { writeLibrehost, writeLibrehostDirectory } from '../../formats/librehost.js';
import type { Routes } from '../../http/routes.js';
import { readSettings } from '../../instances/settings.js';
import { textIn } from '../../shapes.js';
import { listShownElsewhere } from '../finder.js';
import { toFederation, toMetrics, toOrganization, toService } from '../infos.js';
import { servicePath } from '../present.js';
import { eachListedService, findServiceBySlug, listServicesOf } from '../queries.js';
import { fileParams, nameParams, type Service } from '../schema.js';

const notFound = () => new DomainError('not-found', 'error.notFound');

export function filePages(routes: Routes): void {
  const { house } = routes;
  const { site, store } = house;

  routes.get('/.well-known/chatonsinfos/:file', { access: 'public', params: fileParams }, async ({ res, params }) => {
    const [, handle = '', rest] = /^([a-z0-9_]+)(?:-(.+))?\.properties$/i.exec(params.file) ?? [];
    const file = handle === 'federation' && rest === undefined ? await federationFile() : await ownFile(handle, rest);
    sendText(res, file.text, 'text/plain', file.at);
  });

  async function federationFile(): Promise<{ text: string; at: Date }> {
    const collectives: Collective[] = [];
    for await (const collective of eachPublicCollective(store)) collectives.push(collective);
    const at = new Date(Math.max(0, ...collectives.map(({ updatedAt }) => updatedAt.getTime())));
    const sorted = collectives.toSorted((a, b) => (a.handle < b.handle ? -1 : 1));
    return { text: writeChatonsInfos(toFederation(site, await readSettings(store), sorted, at)), at };
  }

  /** "handle", "handle-slug" or "handle-slug-metrics"; handles have no hyphen. */
  async function ownFile(handle: string, rest: string | undefined): Promise<{ text: string; at: Date }> {
    const collective = await findCollectiveByHandle(store, handle);
    if (!collective || !isPublic(collective)) throw notFound();
    if (rest === undefined) {
      const services = await listServicesOf(store, collective._id);
      const logo = collective.logoId === null ? null : `${site.baseUrl}/media/${collective.logoId}`;
      const at = latest([collective.updatedAt, ...services.map(({ updatedAt }) => updatedAt)]);
      const model = toOrganization(site, { ...collective, updatedAt: at }, services, logo);
      return { text: writeChatonsInfos(model), at };
    }
    const metricsOf = /^(.+)-metrics$/.exec(rest)?.[1];
    const service = await findServiceBySlug(store, collective._id, metricsOf ?? rest);
    if (!service?.listed) throw notFound();
    const model = metricsOf === undefined ? toService(site, service) : toMetrics(service);
    return { text: writeChatonsInfos(model), at: service.updatedAt };
  }

  routes.get('/@:name/librehost.json', { access: 'public', params: nameParams }, async (visit) => {
    const collective = await findCollectiveByHandle(store, visit.params.name);
    if (!collective) return visit.pass();
    if (!isPublic(collective)) throw notFound();
    const { t } = visit;
    const text = JSON.stringify(
      librehostOf(collective, t(`collectives.legalForm.${collective.profile.legalForm}`)),
      null,
      2,
    );
    sendText(visit.res, text, 'application/json', collective.updatedAt);
  });

  function librehostOf(collective: Collective, organizationType: string) {
    const { profile, logoId } = collective;
    const language = site.defaultLanguage;
    return writeLibrehost({
      name: textIn(profile.name, language),
      organizationType,
      tagLine: textIn(profile.tagline, language),
      description: textIn(profile.description, language),
      homeUrl: profile.website ?? `${site.baseUrl}/@${collective.handle}`,
      logo: logoId === null ? (profile.logoUrl ?? '') : `${site.baseUrl}/media/${logoId}`,
      communicationLanguages: profile.languages,
      contactUrl: profile.contactUrl ?? '',
      privacyPolicyUrl: profile.privacyUrl ?? '',
      termsOfServiceUrl: profile.legalUrl ?? '',
      isServiceProvider: profile.status === 'ACTIVE',
      foundingDate: profile.startDate ?? '',
      createdAt: collective.createdAt,
      modifiedAt: collective.updatedAt,
    });
  }

  routes.get('/directory.json', { access: 'public' }, async ({ res }) => {
    const members: { slug: string; url: string }[] = [];
    const times: Date[] = [];
    for await (const { handle, updatedAt } of eachPublicCollective(store)) {
      members.push({ slug: handle, url: `${site.baseUrl}/@${handle}/librehost.json` });
      times.push(updatedAt);
    }
    sendText(res, JSON.stringify(writeLibrehostDirectory(members), null, 2), 'application/json', latest(times));
  });

  routes.get('/catalogue.json', { access: 'public', query: exportQuery }, async ({ ctx, res, query }) => {
    openToAll(res);
    res.type('application/json');
    let first = true;
    await sendInParts(res, everyService(ctx, query.where), '{"services":[', ']}\n', (services) => {
      const lines = services.map((service) => JSON.stringify(openService(service, query.where))).join(',\n');
      const text = first ? `\n${lines}` : `,\n${lines}`;
      first = false;
      return text;
    });
  });

  routes.get('/catalogue.csv', { access: 'public', query: exportQuery }, async ({ ctx, res, query }) => {
    openToAll(res);
    res.type('text/csv').set('Content-Disposition', 'attachment; filename="catalogue.csv"');
    const columns = query.where === 'here' ? csvColumns : [...csvColumns, ...homeColumns];
    const header = toCsv([], columns, { bom: true });
    const rows = (services: Exported[]) => toCsv(services, columns).slice(toCsv([], columns).length);
    await sendInParts(res, everyService(ctx, query.where), header, '', rows);
  });

  /** Ours, then what the finder shows of others'. */
  async function* everyService(ctx: Context, where: Where): AsyncGenerator<Exported> {
    for await (const service of eachListedService(store)) yield exportedOf(service);
    if (where === 'here') return;
    const shown = await listShownElsewhere(store, ctx.now);
    for await (const service of eachRemoteService(store)) if (shown.has(service._id)) yield exportedOf(service);
  }

  /** Sends what may be thousands of services without holding them all, and without outrunning a slow reader. */
  async function sendInParts(
    res: Response,
    every: AsyncIterable<Exported>,
    head: string,
    tail: string,
    part: (services: Exported[]) => string,
  ): Promise<void> {
    const write = async (text: string): Promise<void> => {
      if (!res.write(text) && !res.destroyed) await Promise.race([once(res, 'drain'), once(res, 'close')]);
    };
    await write(head);
    let waiting: Exported[] = [];
    for await (const service of every) {
      if (res.destroyed) return;
      waiting.push(service);
      if (waiting.length < 200) continue;
      await write(part(waiting));
      waiting = [];
    }
    if (waiting.length > 0) await write(part(waiting));
    res.end(tail);
  }

  function exportedOf(service: Service | RemoteService): Exported {
    const { _id: id, country, profile, publishedAt } = service;
    const common = { id, country, profile, publishedAt };
    if ('home' in service) {
      const { handle, name, url } = service.hoster;
      const { home, saidAt, seenAt } = service;
      return {
        ...common,
        url: service.url,
        hoster: { handle, name, url },
        home,
        updatedAt: saidAt,
        seenAt,
        metrics: [],
      };
    }
    const { hoster, metrics, updatedAt } = service;
    return {
      ...common,
      url: site.baseUrl + servicePath(service),
      hoster: { ...hoster, url: `${site.baseUrl}/@${hoster.handle}` },
      home: site.host,
      updatedAt,
      seenAt: null,
      metrics,
    };
  }

  /** What a service says of itself, with its addresses. Nothing that is not on its page. */
  function openService(
    { id, url, hoster, profile, metrics, publishedAt, updatedAt, home, seenAt }: Exported,
    where: Where,
  ) {
    const from = where === 'here' ? {} : { home, seenAt };
    return { id, url, hoster, ...profile, metrics, publishedAt, updatedAt, ...from };
  }

  const csvColumns: CsvColumn<Exported>[] = [
    { header: 'url', value: ({ url }) => url },
    { header: 'hoster', value: ({ hoster }) => hoster.name.fr || hoster.name.en },
    {
      header: 'hoster_handle',
      value: ({ hoster, seenAt }) => (seenAt === null ? `${hoster.handle}@${site.host}` : hoster.handle),
    },
    { header: 'name_fr', value: ({ profile }) => profile.name.fr },
    { header: 'name_en', value: ({ profile }) => profile.name.en },
    { header: 'description_fr', value: ({ profile }) => profile.description.fr },
    { header: 'description_en', value: ({ profile }) => profile.description.en },
    { header: 'needs', value: ({ profile }) => profile.needs.join(' ') },
    { header: 'website', value: ({ profile }) => profile.website },
    { header: 'registration', value: ({ profile }) => profile.registration },
    { header: 'load', value: ({ profile }) => profile.load },
    { header: 'status', value: ({ profile }) => profile.status },
    { header: 'price_fr', value: ({ profile }) => profile.priceNote.fr },
    { header: 'price_en', value: ({ profile }) => profile.priceNote.en },
    { header: 'languages', value: ({ profile }) => profile.languages.join(' ') },
    { header: 'software', value: ({ profile }) => profile.software.name },
    { header: 'license', value: ({ profile }) => profile.software.licenseName },
    { header: 'host', value: ({ profile }) => profile.host.name },
    { header: 'provider_type', value: ({ profile }) => profile.host.providerType },
    { header: 'server_type', value: ({ profile }) => profile.host.serverType },
    { header: 'country', value: ({ country }) => country },
    { header: 'start_date', value: ({ profile }) => profile.startDate },
    { header: 'end_date', value: ({ profile }) => profile.endDate },
    { header: 'updated_at', value: ({ updatedAt }) => updatedAt },
  ];
}

const exportQuery = z.object({ where: z.enum(['here', 'everywhere']).catch('here').prefault('here') });

/** A service as exports need it, ours or another's. */
interface Exported extends Pick<Service, 'profile' | 'country' | 'metrics' | 'publishedAt' | 'updatedAt'> {
  id: string;
  url: string;
  hoster: Service['hoster'] & { url: string };
  home: string;
  /** When its home last told of it; null: it is ours. */
  seenAt: Date | null;
}

const homeColumns: CsvColumn<Exported>[] = [
  { header: 'home', value: ({ home }) => home },
  { header: 'seen_at', value: ({ seenAt }) => seenAt },
];

function latest(times: readonly Date[]): Date {
  return new Date(Math.max(0, ...times.map((time) => time.getTime())));
}

/** Any site's script may read it, and anybody may keep it for five minutes. */
function openToAll(res: Response): void {
  res.set('Access-Control-Allow-Origin', '*').set('Cross-Origin-Resource-Policy', 'cross-origin');
  res.set('Cache-Control', 'public, max-age=300');
}

/** With what conditional requests need (RFC 9110 §13); Express answers 304 from it. */
function sendText(res: Response, text: string, type: string, at: Date): void {
  openToAll(res);
  const etag = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  res.set('ETag', `"${etag}"`).set('Last-Modified', at.toUTCString()).type(`${type}; charset=utf-8`).send(text);
}
