// A person goes. What made them recognisable is erased here and now; what others need stays without a name.
import { leaveAllCollectives } from '../../collectives/actions.js';
import { listCollectivesOf } from '../../collectives/queries.js';
import { isLastRepresentative } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { forgetModerator } from '../../groups/actions/receive.js';
import { retireHandle } from '../../handles/handles.js';
import { endSessions } from '../../http/session.js';
import { forgetFailedEvents } from '../../instances/actions.js';
import { forgetReporter } from '../../moderation/actions.js';
import { forgetMails } from '../../notices/queries.js';
import { forgetPartnersOf } from '../../partners/actions/following.js';
import { erasePostsOf } from '../../posts/actions.js';
import type { Filter } from '../../store/store.js';
import { emailChangesIn, getPerson, invitationsIn, peopleIn, resetsIn } from '../queries.js';
import { personErasure } from '../rules.js';
import type { Invitation, Person } from '../schema.js';
import { keepAnAdministrator } from './access.js';
import { updatePerson } from './accounts.js';
import { checkProof } from './signIn.js';

/**
 * Deletes one's own account: sessions end, the name on the Fediverse is retired, the person becomes nobody. Emits
 * person.deleted. Refuses: invalid (password), closed (last administrator; last representative of a collective in which
 * others remain).
 */
export async function deletePerson(ctx: Context, personId: string, proof: { current: string }): Promise<void> {
  if (ctx.actor?.kind !== 'person' || ctx.actor.personId !== personId) {
    throw new DomainError('not-allowed', 'people.error.onlyOneself');
  }
  const person = await getPerson(ctx.store, personId);
  await checkProof(person, proof.current);
  checkNobodyIsLeftAlone(await listCollectivesOf(ctx.store, personId), personId);
  if (person.instanceRole === 'administrator') {
    await updatePerson(ctx, { _id: personId }, { instanceRole: null }, null);
    await keepAnAdministrator(ctx, person, { instanceRole: 'administrator' });
  }
  await leaveAllCollectives(ctx, personId);
  await forgetLinks(ctx, person);
  await forgetReporter(ctx, person);
  await erasePostsOf(ctx, personId);
  if (person.handle) await forgetPartnersOf(ctx, person.handle);
  if (person.handle) await forgetModerator(ctx, person.handle);
  if (person.handle) await retireHandle(ctx, person.handle);
  await erase(ctx, person);
  await endSessions(ctx.store, personId);
}

/** Collectives that would have members and nobody to speak for them. Refuses: closed. */
function checkNobodyIsLeftAlone(collectives: readonly Collective[], personId: string): void {
  const stuck = collectives.find(
    (one) => one.deletedAt === null && one.members.length > 1 && isLastRepresentative(one.members, personId),
  );
  if (!stuck) return;
  const name = stuck.profile.name.fr || stuck.profile.name.en;
  throw new DomainError('closed', { key: 'people.delete.lastRepresentative', params: { collective: name } });
}

/** Links, also those to earlier addresses, and what was put aside about them: an error may name an address. */
async function forgetLinks(ctx: Context, person: Person): Promise<void> {
  const { store } = ctx;
  const own = { personId: person._id };
  const links = [
    resetsIn(store).find(own),
    emailChangesIn(store).find(own),
    invitationsIn(store).find(invited(person)),
  ];
  const found = (await Promise.all(links.map((link) => link.toArray()))).flat();
  await forgetFailedEvents(ctx, [person._id, ...found.map(({ _id }) => _id)]);
  await resetsIn(store).deleteMany(own);
  await emailChangesIn(store).deleteMany(own);
  await invitationsIn(store).deleteMany(invited(person));
  await forgetMails(store, person._id, person.email);
}

function invited({ _id, emailKey, invitationId }: Person): Filter<Invitation> {
  const ways: Filter<Invitation>[] = [{ usedBy: _id }];
  if (emailKey) ways.push({ emailKey });
  if (invitationId) ways.push({ _id: invitationId });
  return { $or: ways };
}

/** Last of all, in one write with its event: until here the person can try again. */
async function erase(ctx: Context, person: Person): Promise<void> {
  const set: Record<string, unknown> = {};
  const unset: Record<string, ''> = {};
  for (const [field, rule] of Object.entries(personErasure)) {
    if (rule === 'kept') continue;
    const value = rule(person, ctx.now);
    if (value === undefined) unset[field] = '';
    else set[field] = value;
  }
  const event = pending({ type: 'person.deleted', personId: person._id, handle: person.handle }, ctx.now);
  // An event that waits may hold an address: nobody is left to be told.
  const waiting = (await getPerson(ctx.store, person._id)).events ?? [];
  const events = [...waiting.filter((one) => one.type !== 'person.securityChanged'), event];
  await peopleIn(ctx.store).updateOne({ _id: person._id }, { $set: { ...set, events }, $unset: unset });
}
