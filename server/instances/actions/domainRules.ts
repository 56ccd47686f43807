// Deeds of an administrator on whom the instance deals with: rules about domains, island mode, lists of rules in files.
// What follows elsewhere (follows that end, deliveries that are dropped) is federation/policy.ts, after the event.
import { actorName, type Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type Change, type PendingEvent, pending } from '../../events.js';
import { findRule, forgetPolicy, peerSettingsIn, readPeerSettings, rulesIn } from '../queries.js';
import { checkMayAdminister, readDomain } from '../rules.js';
import type { PeerSettings, RuleKind } from '../schema.js';

export interface RuleInput {
  kind: RuleKind;
  publicReason: string;
  privateReason: string;
}

/** The subject under which the history of all this is found. */
export const peersSubject = 'peers';

/** Makes the rule of a domain, or replaces it. Emits domainRule.changed. Refuses: not-found, invalid (no domain; a block of ours). */
export async function setRule(ctx: Context, text: string, input: RuleInput): Promise<string> {
  checkMayAdminister(ctx.actor);
  const domain = checkDomain(ctx, text, input.kind);
  if (await writeRule(ctx, domain, input)) await tellPolicy(ctx);
  return domain;
}

/** A rule counts no more. What it ended does not come back. Emits domainRule.changed. Refuses: not-found. */
export async function removeRule(ctx: Context, domain: string): Promise<void> {
  checkMayAdminister(ctx.actor);
  const rule = await rulesIn(ctx.store).findOne({ _id: domain, removedAt: null });
  if (rule === null) throw new DomainError('not-found', 'error.notFound');
  const removed = await rulesIn(ctx.store).updateOne(
    { _id: domain, removedAt: null },
    { $set: { removedAt: ctx.now }, $push: { events: ruleEvent(ctx, domain, rule, null) } },
  );
  if (removed.matchedCount > 0) await tellPolicy(ctx);
}

/**
 * Makes or replaces many rules; a domain that is treated so already keeps its rule with its reasons, and a reason is not
 * replaced by none. Returns how many changed. Refuses: not-found.
 */
export async function importRules(ctx: Context, rows: readonly (RuleInput & { domain: string })[]): Promise<number> {
  checkMayAdminister(ctx.actor);
  // All of them first: a list that is refused changes nothing.
  const checked = rows.map(({ domain, ...input }) => ({ domain: checkDomain(ctx, domain, input.kind), input }));
  let changed = 0;
  for (const { domain, input } of checked) {
    const known = await findRule(ctx.store, domain);
    if (known?.kind === input.kind) continue;
    const publicReason = input.publicReason || (known?.publicReason ?? '');
    const privateReason = input.privateReason || (known?.privateReason ?? '');
    if (await writeRule(ctx, domain, { kind: input.kind, publicReason, privateReason })) changed += 1;
  }
  if (changed > 0) await tellPolicy(ctx);
  return changed;
}

/** Island mode on or off. Emits peerPolicy.changed. Refuses: not-found. */
export async function setIsland(ctx: Context, island: boolean): Promise<void> {
  await changePeerSettings(ctx, { island });
}

/** Whether the rules stand on the page About. Refuses: not-found. */
export async function publishRules(ctx: Context, publishesRules: boolean): Promise<void> {
  await changePeerSettings(ctx, { publishesRules });
}

async function changePeerSettings(ctx: Context, change: Partial<PeerSettings>): Promise<void> {
  checkMayAdminister(ctx.actor);
  const before = await readPeerSettings(ctx.store);
  const value = { ...before, ...change };
  const fields = Object.entries(change).flatMap(([path, after]) => {
    const was = before[path as keyof PeerSettings];
    return was === after ? [] : [{ path, before: was, after }];
  });
  if (fields.length > 0) await tellPolicy(ctx, { value }, changeOf(ctx, 'updated', fields));
}

/** A new revision of the policy: readers look again, and what follows from it is done after the event. */
export async function tellPolicy(ctx: Context, set: { value?: PeerSettings } = {}, change?: Change): Promise<void> {
  const event = pending({ type: 'peerPolicy.changed' }, ctx.now, change);
  const update = {
    $inc: { revision: 1 },
    $push: { events: event },
    ...(set.value ? { $set: { value: set.value } } : {}),
  };
  await peerSettingsIn(ctx.store).updateOne({ _id: 'peers' }, update, { upsert: true });
  forgetPolicy(ctx.store);
}

function checkDomain(ctx: Context, text: string, kind: RuleKind): string {
  const domain = readDomain(text);
  if (domain === null) throw new DomainError('invalid', 'instances.rules.notDomain', { field: 'domain' });
  const own = new URL(ctx.site.baseUrl).hostname;
  if (kind === 'block' && (own === domain || own.endsWith(`.${domain}`))) {
    throw new DomainError('invalid', 'instances.rules.ownDomain', { field: 'domain' });
  }
  return domain;
}

/** False: it said the same already. */
async function writeRule(ctx: Context, domain: string, input: RuleInput): Promise<boolean> {
  const { kind, publicReason, privateReason } = input;
  const known = await rulesIn(ctx.store).findOne({ _id: domain });
  const before = known?.removedAt === null ? known : null;
  const isSame =
    before?.kind === kind && before.publicReason === publicReason && before.privateReason === privateReason;
  if (isSame) return false;
  const set = { kind, publicReason, privateReason, by: actorName(ctx.actor), at: ctx.now, removedAt: null };
  const event = ruleEvent(ctx, domain, before, input);
  await rulesIn(ctx.store).updateOne({ _id: domain }, { $set: set, $push: { events: event } }, { upsert: true });
  return true;
}

function ruleEvent(ctx: Context, domain: string, before: RuleInput | null, after: RuleInput | null): PendingEvent {
  const fields = (['kind', 'publicReason', 'privateReason'] as const).flatMap((path) => {
    const [was, is] = [before?.[path] || null, after?.[path] || null];
    return was === is ? [] : [{ path, before: was, after: is }];
  });
  const what = before === null ? 'created' : after === null ? 'deleted' : 'updated';
  const change = changeOf(ctx, what, [{ path: 'domain', before: before && domain, after: after && domain }, ...fields]);
  return pending({ type: 'domainRule.changed', domain }, ctx.now, change);
}

function changeOf(ctx: Context, what: Change['what'], fields: Change['fields']): Change {
  return { subject: 'instance', subjectId: peersSubject, collectiveId: null, by: actorName(ctx.actor), what, fields };
}

/** Takes removed rules away, a day after their news. Returns how many. */
export async function pruneRules(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - 24 * 3_600_000);
  return (await rulesIn(ctx.store).deleteMany({ removedAt: { $gt: new Date(0), $lt: before } })).deletedCount;
}
