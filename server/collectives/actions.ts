// Deeds on collectives. Each change is one write: the new state, its event and its line of history together. A write
// is bound to the version that the rules looked at, so a role taken away in between refuses it.
import { actorName, type CollectiveRole, type Context } from '../context.js';
import { DomainError } from '../errors.js';
import { type Change, type DomainEvent, pending } from '../events.js';
import { claimHandle, retireHandle } from '../handles/handles.js';
import { forgetChanges } from '../history/actions.js';
import { diff } from '../history/diff.js';
import { newId } from '../ids.js';
import { purgePostsOf } from '../posts/actions.js';
import type { LocalText } from '../shapes.js';
import { forgetUploadsOf, keepImage, sweepUploads } from '../uploads/actions.js';
import { collectivesOf, getCollective, listCollectivesOf, listDeletedBefore, sortNameOf, termsOf } from './queries.js';
import {
  binDays,
  changedMeanwhile,
  checkMayCreateCollective,
  checkMayEditCollective,
  checkMayManageCollective,
  checkNotInBin,
  checkNotLastRepresentative,
  checkVersion,
  purgeDate,
} from './rules.js';
import {
  type Collective,
  type CollectiveProfile,
  type CollectiveStatus,
  emptyProfile,
  type LegalForm,
  type Member,
} from './schema.js';

export interface NewCollective {
  handle: string;
  name: LocalText;
  legalForm: LegalForm;
  /** What is known beyond name and form (bootstrap, import). */
  profile?: Partial<CollectiveProfile>;
  published?: boolean;
  acceptsFollowers?: Collective['acceptsFollowers'];
  /** Instead of the creator. */
  members?: { personId: string; role: CollectiveRole }[];
}

/**
 * A new hoster, as a draft unless told otherwise; a person who creates it becomes its representative. Emits
 * collective.created. Refuses: not-allowed, invalid (handle), conflict (handle taken).
 */
export async function createCollective(ctx: Context, input: NewCollective): Promise<Collective> {
  checkMayCreateCollective(ctx.actor);
  const _id = newId();
  await claimHandle(ctx, input.handle, 'collective', _id);
  const profile = { ...emptyProfile(), ...input.profile, name: input.name, legalForm: input.legalForm };
  const collective: Collective = {
    _id,
    handle: input.handle,
    profile,
    published: input.published ?? false,
    logoId: null,
    members: firstMembers(ctx, input),
    acceptsFollowers: input.acceptsFollowers ?? 'at-once',
    terms: termsOf(profile, input.handle),
    sortName: sortNameOf(profile),
    unknownProperties: [],
    createdAt: ctx.now,
    updatedAt: ctx.now,
    deletedAt: null,
    version: 1,
  };
  const fields = diff(emptyProfile(), profile);
  const change = changeOf(ctx, _id, 'created', [{ path: 'handle', before: null, after: input.handle }, ...fields]);
  const event = pending({ type: 'collective.created', collectiveId: _id }, ctx.now, change);
  await collectivesOf(ctx.store).insertOne({ ...collective, events: [event] });
  return collective;
}

function firstMembers(ctx: Context, input: NewCollective): Member[] {
  if (input.members) return input.members.map((member) => ({ ...member, since: ctx.now }));
  return ctx.actor?.kind === 'person' ? [{ personId: ctx.actor.personId, role: 'representative', since: ctx.now }] : [];
}

/**
 * Replaces the profile. Emits collective.updated, or nothing when nothing differs. Refuses: not-found, closed (in the
 * bin), conflict (somebody saved after `version`).
 */
export async function updateProfile(
  ctx: Context,
  collectiveId: string,
  input: { version: number; profile: CollectiveProfile },
): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayEditCollective(ctx.actor, collective);
    checkNotInBin(collective);
    checkVersion(collective, input.version);
    return profileStep(collective, input.profile, 'updated');
  });
}

/** Says that the hoster is active, pauses, or has left, and why. Emits and refuses as updateProfile. */
export async function setStatus(
  ctx: Context,
  collectiveId: string,
  input: { version: number; status: CollectiveStatus; statusDescription: LocalText; endDate: string | null },
): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayEditCollective(ctx.actor, collective);
    checkNotInBin(collective);
    checkVersion(collective, input.version);
    const { status, statusDescription, endDate } = input;
    return profileStep(collective, { ...collective.profile, status, statusDescription, endDate }, 'updated');
  });
}

/**
 * Takes over what the hoster's ChatonsInfos file says; fields that the patch does not name stay. Emits and refuses as
 * updateProfile, except that it needs no version: the file is newer than what stands here.
 */
export async function upsertCollectiveFromImport(
  ctx: Context,
  collectiveId: string,
  profilePatch: Partial<CollectiveProfile>,
  unknownProperties: Collective['unknownProperties'],
): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayEditCollective(ctx.actor, collective);
    checkNotInBin(collective);
    const step = profileStep(collective, { ...collective.profile, ...profilePatch }, 'imported');
    const unknown = diff({ unknownProperties: collective.unknownProperties }, { unknownProperties });
    if (unknown.length === 0) return step;
    return {
      set: { ...step?.set, unknownProperties },
      what: 'imported',
      fields: [...(step?.fields ?? []), ...unknown],
    };
  });
}

function profileStep(collective: Collective, profile: CollectiveProfile, what: Change['what']): Step | null {
  const fields = diff(collective.profile, profile);
  if (fields.length === 0) return null;
  return {
    set: { profile, terms: termsOf(profile, collective.handle), sortName: sortNameOf(profile) },
    what,
    fields,
  };
}

/** Shows the collective to everybody; its actor answers from now on. Emits collective.updated. Refuses as updateProfile. */
export async function publishCollective(ctx: Context, collectiveId: string): Promise<Collective> {
  return setPublished(ctx, collectiveId, true);
}

/** Back to a draft that only its members see. Emits collective.updated. Refuses as updateProfile. */
export async function unpublishCollective(ctx: Context, collectiveId: string): Promise<Collective> {
  return setPublished(ctx, collectiveId, false);
}

async function setPublished(ctx: Context, collectiveId: string, published: boolean): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    // Coming out is a member's deed; taking a hoster and all its services from everybody's sight is not.
    if (published) checkMayEditCollective(ctx.actor, collective);
    else checkMayManageCollective(ctx.actor, collective);
    checkNotInBin(collective);
    if (collective.published === published) return null;
    return { set: { published }, what: published ? 'published' : 'unpublished', fields: [] };
  });
}

/** Whether followers wait for a member's yes. Emits collective.updated. Refuses: not-found, not-allowed, closed, conflict. */
export async function changeSettings(
  ctx: Context,
  collectiveId: string,
  input: { version: number; acceptsFollowers: Collective['acceptsFollowers'] },
): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayManageCollective(ctx.actor, collective);
    checkNotInBin(collective);
    checkVersion(collective, input.version);
    const set = { acceptsFollowers: input.acceptsFollowers };
    const fields = diff({ acceptsFollowers: collective.acceptsFollowers }, set);
    return fields.length === 0 ? null : { set, what: 'updated', fields };
  });
}

/**
 * Into the bin: nobody but its members sees it; restored until purgeDate(). `typedHandle` shows that this one is meant.
 * Emits collective.deleted. Refuses: not-found, not-allowed, closed (already there), invalid (another handle).
 */
export async function deleteCollective(ctx: Context, collectiveId: string, typedHandle: string): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayManageCollective(ctx.actor, collective);
    checkNotInBin(collective);
    if (typedHandle.toLowerCase().replace(/^@/, '') !== collective.handle) {
      throw new DomainError('invalid', 'collectives.error.otherHandle', { field: 'handle' });
    }
    return { set: { deletedAt: ctx.now }, event: 'collective.deleted', what: 'deleted', fields: [] };
  });
}

/** Out of the bin, as it was. Emits collective.restored. Refuses: not-found, not-allowed, gone (too late). Idempotent. */
export async function restoreCollective(ctx: Context, collectiveId: string): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayManageCollective(ctx.actor, collective);
    if (collective.deletedAt === null) return null;
    // From that day on a purge may be under way.
    if (purgeDate(collective.deletedAt) <= ctx.now) throw new DomainError('gone', 'collectives.error.tooLateToRestore');
    return { set: { deletedAt: null }, event: 'collective.restored', what: 'restored', fields: [] };
  });
}

/**
 * Ends for good what has been in the bin longer than binDays, with its posts, pictures and history; the handle stays
 * taken and answers 410. `others` do the same for what other slices keep of a collective. For a job. Returns how many.
 */
export async function purgeDeleted(
  ctx: Context,
  others: readonly ((ctx: Context, collectiveId: string) => Promise<void>)[] = [],
): Promise<number> {
  const limit = new Date(ctx.now.getTime() - binDays * 24 * 60 * 60 * 1000);
  let purged = 0;
  for (const collective of await listDeletedBefore(ctx.store, limit)) {
    // Unsent news first: the drain needs the document that carries it. It is back at the next run.
    if (collective.events?.length) continue;
    for (const purge of others) await purge(ctx, collective._id);
    await purgePostsOf(ctx, collective._id);
    await forgetUploadsOf(ctx, collective._id);
    await forgetChanges(ctx, collective._id);
    await retireHandle(ctx, collective.handle);
    await collectivesOf(ctx.store).deleteOne({ _id: collective._id });
    purged += 1;
  }
  return purged;
}

/**
 * Takes a person in. Who accepts an invitation is not of the collective yet: that call comes from the machine's own
 * actor. Emits collective.updated. Refuses: not-found, not-allowed, closed, conflict (is a member already).
 */
export async function addMember(
  ctx: Context,
  collectiveId: string,
  input: { personId: string; role: CollectiveRole },
): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayManageCollective(ctx.actor, collective);
    checkNotInBin(collective);
    if (collective.members.some((member) => member.personId === input.personId)) {
      throw new DomainError('conflict', 'collectives.error.memberAlready');
    }
    const members = [...collective.members, { personId: input.personId, role: input.role, since: ctx.now }];
    return membersStep(members, input.personId, null, input.role);
  });
}

/** Refuses: not-found, not-allowed, closed (the last representative stays one). Emits collective.updated. */
export async function changeRole(
  ctx: Context,
  collectiveId: string,
  input: { personId: string; role: CollectiveRole },
): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayManageCollective(ctx.actor, collective);
    checkNotInBin(collective);
    const member = memberOf(collective, input.personId);
    if (member.role === input.role) return null;
    checkNotLastRepresentative(collective.members, input.personId);
    const members = collective.members.map((other) => (other === member ? { ...other, role: input.role } : other));
    return membersStep(members, input.personId, member.role, input.role);
  });
}

/** Members may also leave by themselves. Refuses as changeRole. Emits collective.updated. */
export async function removeMember(ctx: Context, collectiveId: string, personId: string): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    const isSelf = ctx.actor?.kind === 'person' && ctx.actor.personId === personId;
    if (isSelf) checkMayEditCollective(ctx.actor, collective);
    else checkMayManageCollective(ctx.actor, collective);
    const member = memberOf(collective, personId);
    checkNotLastRepresentative(collective.members, personId);
    const members = collective.members.filter((other) => other !== member);
    return membersStep(members, personId, member.role, null);
  });
}

/**
 * Takes a person out of every collective, even as its last representative: an account may always be deleted, and an
 * administrator then names somebody. Emits collective.updated for each.
 */
export async function leaveAllCollectives(ctx: Context, personId: string): Promise<void> {
  for (const { _id } of await listCollectivesOf(ctx.store, personId)) {
    await change(ctx, _id, (collective) => {
      const member = collective.members.find((other) => other.personId === personId);
      if (!member) return null;
      const members = collective.members.filter((other) => other !== member);
      return membersStep(members, personId, member.role, null);
    });
  }
}

function memberOf(collective: Collective, personId: string): Member {
  const member = collective.members.find((other) => other.personId === personId);
  if (!member) throw new DomainError('not-found', 'collectives.error.noSuchMember');
  return member;
}

function membersStep(
  members: Member[],
  personId: string,
  before: CollectiveRole | null,
  after: CollectiveRole | null,
): Step {
  return { set: { members }, what: 'members', fields: [{ path: `members.${personId}`, before, after }] };
}

/** A new logo instead of the one before. Emits collective.updated. Refuses: not-found, closed, invalid (not a picture). */
export async function setLogo(ctx: Context, collectiveId: string, bytes: Buffer): Promise<Collective> {
  const before = await getCollective(ctx.store, collectiveId);
  checkMayEditCollective(ctx.actor, before);
  checkNotInBin(before);
  const upload = await keepImage(ctx, collectiveId, bytes);
  const collective = await changeLogo(ctx, collectiveId, upload._id);
  await sweepUploads(ctx, collectiveId, { keep: upload._id, replaced: before.logoId });
  return collective;
}

/** Emits collective.updated. Refuses: not-found, closed. */
export async function removeLogo(ctx: Context, collectiveId: string): Promise<Collective> {
  const before = await getCollective(ctx.store, collectiveId);
  const collective = await changeLogo(ctx, collectiveId, null);
  await sweepUploads(ctx, collectiveId, { keep: null, replaced: before.logoId });
  return collective;
}

async function changeLogo(ctx: Context, collectiveId: string, logoId: string | null): Promise<Collective> {
  return change(ctx, collectiveId, (collective) => {
    checkMayEditCollective(ctx.actor, collective);
    checkNotInBin(collective);
    if (collective.logoId === logoId) return null;
    const fields = [{ path: 'logo', before: collective.logoId !== null, after: logoId !== null }];
    return { set: { logoId }, what: 'updated', fields };
  });
}

interface Step {
  set: Partial<Omit<Collective, '_id' | 'events' | 'version'>>;
  what: Change['what'];
  fields: Change['fields'];
  /** collective.updated unless told. */
  event?: 'collective.deleted' | 'collective.restored';
}

/** Decides on the state as it is stored and writes only if it still is so; else decides again, a few times. */
async function change(
  ctx: Context,
  collectiveId: string,
  decide: (collective: Collective) => Step | null,
): Promise<Collective> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const collective = await getCollective(ctx.store, collectiveId);
    const step = decide(collective);
    if (!step) return collective;
    const news: DomainEvent = { type: step.event ?? 'collective.updated', collectiveId };
    const event = pending(news, ctx.now, changeOf(ctx, collectiveId, step.what, step.fields));
    const saved = await collectivesOf(ctx.store).findOneAndUpdate(
      { _id: collectiveId, version: collective.version },
      { $set: { ...step.set, updatedAt: ctx.now }, $inc: { version: 1 }, $push: { events: event } },
      { returnDocument: 'after' },
    );
    if (saved) return saved;
  }
  throw changedMeanwhile();
}

function changeOf(ctx: Context, collectiveId: string, what: Change['what'], fields: Change['fields']): Change {
  return { subject: 'collective', subjectId: collectiveId, collectiveId, by: actorName(ctx.actor), what, fields };
}
