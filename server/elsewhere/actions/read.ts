// Reads the files of hosters that an administrator told us of, by the crawler of the catalogue: the same limits, the same
// courtesy, and what could not be read stays as it was.
import { dropFiles, keepFiles } from '../../catalogue/actions/files.js';
import { crawlOrganization, type ReceivedFile } from '../../catalogue/crawl.js';
import { readOrganizationModel, readServiceModel } from '../../catalogue/infos.js';
import { listInfoFiles } from '../../catalogue/queries.js';
import { eachPublicCollective } from '../../collectives/queries.js';
import { type CollectiveProfile, emptyProfile } from '../../collectives/schema.js';
import type { Context } from '../../context.js';
import type { FetchText } from '../../fetching.js';
import { readChatonsInfos } from '../../formats/chatonsinfos/read.js';
import { PROPERTIES_MAX_BYTES } from '../../formats/properties.js';
import { readPolicy } from '../../instances/queries.js';
import { isRefusedPeer } from '../../instances/rules.js';
import { sourcesIn } from '../queries.js';
import { siteOf } from '../rules.js';
import type { HosterReading, RemoteSource, ServiceReading } from '../schema.js';
import { keepHoster, withdrawHoster } from './entries.js';
import { keepChildren, noteFailure, noteRead, refusedKey } from './sources.js';

/** Reads the file of a hoster, or of a network of hosters, and takes over what it says. Never rejects for what it says. */
export async function readFileSource(ctx: Context, fetchText: FetchText, source: RemoteSource): Promise<void> {
  if (isRefusedPeer(await readPolicy(ctx.store), source.home)) {
    return noteFailure(ctx, source, { key: refusedKey, params: {} });
  }
  if (source.kind === 'network') return readNetwork(ctx, fetchText, source);
  const kept = source.filesId === null ? [] : await listInfoFiles(ctx.store, source.filesId);
  const known = kept.map(({ _id, ownerId, position, ...file }): ReceivedFile => file);
  const result = await crawlOrganization(fetchText, source.address, { known });
  if (!result.ok) {
    const { address, key, params } = result.failure;
    // Only now do we know what kind of file it is.
    if (key === 'catalogue.fetch.is-federation' && source.parent === null) return readNetwork(ctx, fetchText, source);
    return noteFailure(ctx, source, { key, params: { ...params, address } });
  }
  const { hoster, services } = readFiles(ctx, source, result.files);
  const [failed] = result.failures;
  const error = failed ? { key: failed.key, params: { ...failed.params, address: failed.address } } : null;
  if (hoster === null) return noteFailure(ctx, source, { key: 'elsewhere.error.noName', params: {} });
  if (await isOurs(ctx, hoster)) {
    await withdrawHoster(ctx, source._id);
    return noteRead(ctx, source, { count: 0, error: { key: 'elsewhere.error.local', params: {} } });
  }
  const count = await keepHoster(ctx, source, hoster, services, result.failures.length === 0);
  const filesId = await keepFiles(ctx, result.files);
  await noteRead(ctx, source, { count, error, filesId });
  const isStill = await sourcesIn(ctx.store).countDocuments({ _id: source._id });
  if (isStill === 0) await dropFiles(ctx, filesId);
  if (source.filesId !== null) await dropFiles(ctx, source.filesId);
}

/** The hosters that the network names, each to be read by itself. */
async function readNetwork(ctx: Context, fetchText: FetchText, source: RemoteSource): Promise<void> {
  const { address } = source;
  const answer = await fetchText(address, { maxBytes: PROPERTIES_MAX_BYTES, timeoutMs: 10_000, accept: 'text/plain' });
  if (answer.outcome !== 'read') {
    const reason = answer.outcome === 'failed' ? answer.reason : 'bad-status';
    return noteFailure(ctx, source, { key: `catalogue.fetch.${reason}`, params: { address, status: 0 } });
  }
  const read = readChatonsInfos(answer.body);
  if (!read.ok || read.model.kind !== 'federation') {
    return noteFailure(ctx, source, { key: 'elsewhere.error.noNetwork', params: {} });
  }
  const isOurFile = (url: string) => url.startsWith(`${ctx.site.baseUrl}/`);
  const named = read.model.subs.map(({ url }) => url).filter((url) => !isOurFile(url) && URL.canParse(url));
  const count = await keepChildren(ctx, source, 'organization', named);
  await noteRead(ctx, source, { kind: 'network', count });
}

/** A hoster who has a page here needs no second entry. */
async function isOurs(ctx: Context, hoster: HosterReading): Promise<boolean> {
  const site = siteOf(hoster.website);
  if (site === null) return false;
  for await (const { profile } of eachPublicCollective(ctx.store)) if (siteOf(profile.website) === site) return true;
  return false;
}

function readFiles(
  ctx: Context,
  source: RemoteSource,
  files: readonly ReceivedFile[],
): { hoster: HosterReading | null; services: ServiceReading[] } {
  const language = ctx.site.defaultLanguage;
  const read = files.flatMap((file) => {
    const result = readChatonsInfos(file.body);
    return result.ok ? [{ file, model: result.model }] : [];
  });
  const first = read.find(({ model }) => model.kind === 'organization')?.model;
  if (first?.kind !== 'organization') return { hoster: null, services: [] };
  const hoster = hosterOf(source, readOrganizationModel(first, emptyProfile(), language, ctx.site).patch);
  const services = read.flatMap(({ file, model }) => {
    if (model.kind !== 'service') return [];
    const { profile } = readServiceModel(model, [], null, language);
    if (!profile.name.fr && !profile.name.en) return [];
    const url = profile.website ?? hoster.url;
    const publishedAt = profile.startDate === null ? null : new Date(`${profile.startDate}T00:00:00Z`);
    return [{ key: file.address, url, profile, publishedAt, saidAt: new Date(0) }];
  });
  return { hoster: hoster.name.fr || hoster.name.en ? hoster : null, services };
}

function hosterOf(source: RemoteSource, profile: CollectiveProfile): HosterReading {
  const { name, tagline, website, legalForm, status, place, memberOf } = profile;
  return {
    ...{ handle: '', name, tagline, website, legalForm, status },
    url: website ?? source.address,
    place: place.address,
    country: place.countryCode,
    networks: memberOf.filter(({ endDate }) => endDate === null).map(({ key }) => key),
  };
}
