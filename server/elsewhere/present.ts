// Entries from elsewhere and their sources as plain data for templates. Names and addresses are others': shown as text, linked
// only where a browser may safely go.
import { presentStatus, safeHref } from '../collectives/present.js';
import type { Translate } from '../i18n.js';
import type { RemoteCollective, RemoteSource, Where } from './schema.js';

/** Where an entry is from, when it was last confirmed, since when its home has been silent. */
export function presentHome(entry: { home: string; seenAt: Date }, hoster: RemoteCollective | undefined) {
  const confirmed = hoster && hoster.seenAt > entry.seenAt ? hoster.seenAt : entry.seenAt;
  return { host: entry.home, seenAt: confirmed, silentSince: hoster?.silentSince ?? null };
}

/** The choice between here and everywhere, with what each would show. */
export function presentPlaces(places: Record<Where, number>, t: Translate) {
  return (['everywhere', 'here'] as const).map((value) => ({
    value,
    label: t('catalogue.finder.option', { name: t(`elsewhere.where.${value}`), count: places[value] }),
  }));
}

/** A hoster elsewhere as an entry of the list of hosters. */
export function presentRemoteCard(hoster: RemoteCollective) {
  return {
    href: safeHref(hoster.url),
    name: hoster.name,
    tagline: hoster.tagline,
    logo: null,
    legalForm: hoster.legalForm === null ? null : `collectives.legalForm.${hoster.legalForm}`,
    address: hoster.place,
    countryCode: hoster.country,
    status: presentStatus(hoster.status),
    isActive: hoster.status === 'ACTIVE',
    home: presentHome(hoster, hoster),
  };
}

/** One line of the administrator's list. `names`: of the hosters that were read, by id. */
export function presentSource(source: RemoteSource, names: ReadonlyMap<string, RemoteCollective>, now: Date) {
  const { _id: id, kind, address, error, reason } = source;
  const wasRead = source.lastSuccessAt.getTime() > 0;
  const state =
    error !== null ? 'broken' : !wasRead || source.nextAt <= now ? 'waiting' : source.count === 0 ? 'none' : 'well';
  return {
    name: names.get(id)?.name ?? null,
    host: source.home,
    kind: `elsewhere.kind.${kind}`,
    reason: `elsewhere.reason.${reason}`,
    address,
    href: safeHref(address),
    state,
    stateLabel:
      error !== null
        ? 'elsewhere.state.failed'
        : state === 'waiting'
          ? 'elsewhere.state.waiting'
          : 'elsewhere.state.read',
    error,
    count: source.count,
    countKey: kind === 'network' || kind === 'instance' ? 'elsewhere.known.hosters' : 'elsewhere.known.services',
    lastSuccessAt: wasRead ? source.lastSuccessAt : null,
    silentSince: source.silentSince,
    leavesAt: source.leavesAt,
    refreshAction: `/admin/known-hosters/${id}/refresh`,
    removeAction: reason === 'administrator' ? `/admin/known-hosters/${id}/remove` : null,
  };
}
