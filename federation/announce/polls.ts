// What is said of a poll: the question once, its counts as they grow, its end. Called by federation/outbox.ts only.
import { findCollective } from '../../server/collectives/queries.js';
import { isPublic } from '../../server/collectives/rules.js';
import { findPoll, listVoterInboxes } from '../../server/surveys/pollQueries.js';
import type { FediPoll } from '../../server/surveys/pollSchema.js';
import { pollPath } from '../../server/surveys/presentPolls.js';
import { pickText } from '../../server/surveys/rules.js';
import { findLastOfSubject } from '../activities.js';
import type { Federation } from '../federation.js';
import type { Announced, Draft } from '../outbox.js';
import { objectContext, publicAudienceOf } from '../wire/namespace.js';
import { toTombstone } from '../wire/note.js';
import { toQuestion } from '../wire/question.js';

export async function announcePoll(federation: Federation, event: Announced<'poll.offered'>): Promise<Draft[]> {
  const before = await findLastOfSubject(federation, subjectOf(event.pollId), event.eventId);
  return before === null ? say(federation, event.pollId, 'Create', []) : [];
}

/** To the followers and to the servers of those who voted: their poll shows how it stands. */
export async function announcePollCounts(
  federation: Federation,
  event: Announced<'poll.counted' | 'poll.closed'>,
): Promise<Draft[]> {
  const before = await findLastOfSubject(federation, subjectOf(event.pollId), event.eventId);
  if (before === null || before.type === 'Delete') return [];
  const inboxes = await listVoterInboxes(federation.house.store, event.pollId);
  return say(federation, event.pollId, 'Update', [...new Set([...before.inboxes, ...inboxes])]);
}

export async function announcePollGone(federation: Federation, event: Announced<'poll.withdrawn'>): Promise<Draft[]> {
  const before = await findLastOfSubject(federation, subjectOf(event.pollId), event.eventId);
  if (before === null || before.type === 'Delete') return [];
  const object = toTombstone(federation.apex.objectIri(event.pollId), 'Question', event.at);
  const { followers } = federation.apex.streamsOf(before.actor);
  const said = { type: 'Delete' as const, object, ...publicAudienceOf(followers), inboxes: before.inboxes };
  return [{ ...frameOf(federation, before.actor, event.pollId), ...said, listed: true }];
}

async function say(
  federation: Federation,
  pollId: string,
  type: 'Create' | 'Update',
  inboxes: string[],
): Promise<Draft[]> {
  const { store, site } = federation.house;
  const poll = await findPoll(store, pollId);
  const collective = poll && (await findCollective(store, poll.collectiveId));
  if (!poll || poll.state === 'withdrawn' || !collective || !isPublic(collective)) return [];
  const { followers } = federation.apex.streamsOf(collective.handle);
  const object = toQuestion({
    iri: federation.apex.objectIri(poll._id),
    actor: federation.apex.actorIri(collective.handle),
    followers,
    url: `${site.baseUrl}${pollPath(poll._id)}`,
    texts: textsOf(federation, poll),
    options: poll.options.map(({ name }, index) => ({ name, count: poll.counts[index] ?? 0 })),
    multiple: poll.multiple,
    voters: poll.voters,
    published: poll.offeredAt,
    endsAt: poll.endsAt,
    closedAt: poll.closedAt,
  });
  const said = { type, object, ...publicAudienceOf(followers), inboxes, listed: type === 'Create' };
  // Written as it is: one option stays a list of one, a count a number.
  return [{ ...frameOf(federation, collective.handle, poll._id), ...said, context: objectContext(site.baseUrl) }];
}

/** The question, the survey to which it belongs, and what a vote discloses to whom: in each language of the survey. */
function textsOf(federation: Federation, poll: FediPoll): [string, string][] {
  const { i18n, site } = federation.house;
  const written = poll.languages.filter((language) => poll.label[language]);
  return written.map((language) => {
    const t = i18n.translator(language === 'fr' ? 'fr' : 'en');
    const survey = pickText(poll.title, language, poll.languages).text;
    return [language, [poll.label[language], t('polls.wire.note', { survey, host: site.host })].join('\n\n')];
  });
}

function subjectOf(pollId: string): string {
  return `poll:${pollId}`;
}

function frameOf(federation: Federation, handle: string, pollId: string) {
  const objectIri = federation.apex.objectIri(pollId);
  return { actor: handle, subject: subjectOf(pollId), objectIri, toFollowers: true };
}
