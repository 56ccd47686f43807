// What administrators do with the addresses of hosters: add, read again now, remove.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { checkMayAdminister } from '../../instances/rules.js';
import { findSource, sourcesIn } from '../queries.js';
import { sourceKey } from '../rules.js';
import type { RemoteSource } from '../schema.js';
import { addSource, removeSource } from './sources.js';

/**
 * The file of a hoster or of a network, to be read within a minute. Refuses: not-found, invalid (one of ours), conflict
 * (known already), not-allowed (our rules refuse its domain).
 */
export async function addKnownHoster(ctx: Context, url: string): Promise<void> {
  checkMayAdminister(ctx.actor);
  if (url.startsWith(`${ctx.site.baseUrl}/`)) throw invalid('elsewhere.error.own');
  for (const kind of ['organization', 'network'] as const) {
    const known = await findSource(ctx.store, sourceKey(kind, url));
    if (known?.reason === 'administrator') throw invalid('elsewhere.error.known');
    if (known === null) continue;
    // A network names it already; from now on it stays whatever the network says.
    await sourcesIn(ctx.store).updateOne({ _id: known._id }, { $set: { reason: 'administrator', nextAt: ctx.now } });
    return;
  }
  if (!(await addSource(ctx, { kind: 'organization', address: url, reason: 'administrator' }))) {
    throw invalid('elsewhere.error.refusedDomain');
  }
}

function invalid(key: string): DomainError {
  return new DomainError('invalid', key, { field: 'url' });
}

/** Read again as soon as possible. Refuses: not-found. */
export async function refreshSource(ctx: Context, id: string): Promise<void> {
  const source = await getSource(ctx, id);
  await sourcesIn(ctx.store).updateOne({ _id: source._id }, { $set: { nextAt: ctx.now } });
}

/** Its entries go at once, and what it names with it. Refuses: not-found (also what nobody typed here). */
export async function removeKnownHoster(ctx: Context, id: string): Promise<void> {
  const source = await getSource(ctx, id);
  if (source.reason !== 'administrator') throw new DomainError('not-found', 'error.notFound');
  await removeSource(ctx, source._id);
}

async function getSource(ctx: Context, id: string): Promise<RemoteSource> {
  checkMayAdminister(ctx.actor);
  const source = await findSource(ctx.store, id);
  if (source === null) throw new DomainError('not-found', 'error.notFound');
  return source;
}
