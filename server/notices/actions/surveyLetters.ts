// Letters about a survey: to whom, and with what. Those who have answered are never asked again.
import { findCollectiveByHandle, listCollectivesById } from '../../collectives/queries.js';
import type { Collective } from '../../collectives/schema.js';
import type { Language } from '../../context.js';
import type { RemoteNews } from '../../events.js';
import { dateFormat } from '../../formatters.js';
import { readSettings } from '../../instances/settings.js';
import { actorIri } from '../../partners/rules.js';
import { listPeopleById } from '../../people/queries.js';
import { mayEnter } from '../../people/rules.js';
import type { MailKind, Person } from '../../people/schema.js';
import { type LocalText, textIn } from '../../shapes.js';
import type { Store } from '../../store/store.js';
import { slotText } from '../../surveys/presentForm.js';
import { findSurvey, getVersion, hasAnswered, listAnswererKeys } from '../../surveys/queries.js';
import { findRemoteSurvey, findSentAnswer, type RemoteSurvey, sentAnswersIn } from '../../surveys/remoteSurveys.js';
import { asksThisPerson, findSlot, isOpen, pickText } from '../../surveys/rules.js';
import type { Invited, Slot, Survey } from '../../surveys/schema.js';
import { wantsAtOnce } from '../rules.js';
import { type Desk, type Draft, toPerson } from './queue.js';

/** A collective that is asked, and its people: with 'person' those who have not answered, else all. */
export interface Asked {
  invited: Invited;
  /** Null: it is on another instance, which writes to its own people. */
  collective: Collective | null;
  people: Person[];
}

/** Those asked who have not answered, each person once with 'person'; `everybody`: those who have, too. */
export async function listMissing(store: Store, survey: Survey, everybody = false): Promise<Asked[]> {
  const keys = everybody ? new Set<string>() : new Set(await listAnswererKeys(store, survey));
  const byPerson = survey.answerBy === 'person';
  const asked = survey.invited.filter(({ iri }) => byPerson || !keys.has(iri));
  const ids = asked.flatMap(({ collectiveId }) => (collectiveId === null ? [] : [collectiveId]));
  const collectives = new Map((await listCollectivesById(store, ids)).map((one) => [one._id, one]));
  const standing = [...collectives.values()].filter(({ deletedAt }) => deletedAt === null);
  const members = standing.flatMap((one) => one.members.map(({ personId }) => personId));
  const people = new Map((await listPeopleById(store, members)).map((person) => [person._id, person]));
  const seen = new Set<string>();
  return asked.flatMap((invited): Asked[] => {
    if (invited.collectiveId === null) return byPerson ? [] : [{ invited, collective: null, people: [] }];
    const collective = collectives.get(invited.collectiveId);
    if (!collective || collective.deletedAt !== null) return [];
    const found = collective.members
      .flatMap(({ personId }) => people.get(personId) ?? [])
      .filter(mayEnter)
      // Who came after the opening is not asked.
      .filter(({ _id }) => !byPerson || asksThisPerson(survey, _id, [collective._id]))
      .filter((person) => !byPerson || (!keys.has(`person:${person._id}`) && !seen.has(person._id)));
    if (byPerson) for (const person of found) seen.add(person._id);
    return byPerson && found.length === 0 ? [] : [{ invited, collective, people: found }];
  });
}

/**
 * Whether a letter to those who have not answered still concerns this person: the survey takes answers, and theirs is not there.
 * `about`: as lettersAbout() wrote it.
 */
export async function isStillAsked(
  house: Pick<Desk, 'store' | 'site' | 'now'>,
  about: string,
  personId: string,
): Promise<boolean> {
  const { store, site } = house;
  const [key = '', collectiveId = ''] = about.split(':');
  const [collective] = await listCollectivesById(store, [collectiveId]);
  if (collective === undefined) return false;
  const iri = actorIri(site, collective.handle);
  const survey = await findSurvey(store, key);
  if (survey !== null) {
    const answerer = survey.answerBy === 'person' ? `person:${personId}` : iri;
    return isOpen(survey, house.now()) && !(await hasAnswered(store, survey, answerer));
  }
  const remote = await findRemoteSurvey(store, key);
  if (remote === null || !isOpen(remote, house.now())) return false;
  return (await missingRemotely(house, remote, iri, false)).length > 0;
}

/** About an opening, to all who have not answered: after a reopening some have. */
export async function askLetters(house: Desk, surveyId: string): Promise<Draft[]> {
  return lettersTo(house, surveyId, 'surveyOpened');
}

export async function extendedLetters(house: Desk, surveyId: string): Promise<Draft[]> {
  return lettersTo(house, surveyId, 'surveyExtended');
}

async function lettersTo(house: Desk, surveyId: string, kind: MailKind): Promise<Draft[]> {
  const survey = await findSurvey(house.store, surveyId);
  if (survey === null || !isOpen(survey, house.now())) return [];
  return letters(house, survey, kind, await listMissing(house.store, survey));
}

/** To all who were asked, when the results are for them. */
export async function publishedLetters(house: Desk, surveyId: string): Promise<Draft[]> {
  const survey = await findSurvey(house.store, surveyId);
  if (survey === null || survey.deletedAt !== null || survey.results.publishedAt === null) return [];
  const all = await listMissing(house.store, survey, true);
  return letters(house, survey, 'surveyPublished', all);
}

/** To all who were asked: which date it will be. */
export async function slotLetters(house: Desk, surveyId: string): Promise<Draft[]> {
  const survey = await findSurvey(house.store, surveyId);
  if (survey === null || survey.deletedAt !== null || survey.chosenSlot === null) return [];
  const { sections } = await getVersion(house.store, surveyId, survey.version);
  const slot = findSlot(sections, survey.chosenSlot);
  return slot === null ? [] : letters(house, survey, 'surveyDate', await listMissing(house.store, survey, true), slot);
}

/** What a survey of another instance has to tell: to those of ours whom it asks, and not to whom has answered, but of results. */
export async function remoteLetters(house: Desk, surveyKey: string, what: RemoteNews): Promise<Draft[]> {
  const survey = await findRemoteSurvey(house.store, surveyKey);
  if (what === 'changed' || survey === null || survey.deletedAt !== null) return [];
  if (what === 'published') {
    const all = await listMissingRemotely(house, survey, true);
    return survey.results === null ? [] : lettersAbout(house, ofRemote(survey), 'surveyPublished', all);
  }
  if (what === 'slotChosen') {
    const slot = findSlot(survey.sections, survey.chosenSlot);
    const all = await listMissingRemotely(house, survey, true);
    return slot === null ? [] : lettersAbout(house, { ...ofRemote(survey), slot }, 'surveyDate', all);
  }
  const isOver = survey.state === 'closed' || (survey.closesAt !== null && survey.closesAt <= house.now());
  if (isOver) return [];
  const kind = what === 'opened' ? 'surveyOpened' : 'surveyExtended';
  return lettersAbout(house, ofRemote(survey), kind, await listMissingRemotely(house, survey));
}

/** As long as an answer waits for its receipt it stands; one that its owner refused does not. */
async function listMissingRemotely(house: Desk, survey: RemoteSurvey, everybody = false): Promise<Asked[]> {
  const found = await Promise.all(survey.asked.map((iri) => missingRemotely(house, survey, iri, everybody)));
  return found.flat();
}

async function missingRemotely(
  house: Pick<Desk, 'store' | 'site'>,
  survey: RemoteSurvey,
  iri: string,
  everybody: boolean,
): Promise<Asked[]> {
  const { store, site } = house;
  const sent = everybody ? null : await findSentAnswer(store, survey.iri, iri);
  if (!everybody && survey.marked?.includes(iri)) return [];
  const isHeld = sent?.state === 'withdrawn' && sent.refusal !== null;
  if (sent !== null && (sent.state === 'sent' || sent.state === 'accepted' || isHeld)) return [];
  const handle = iri.slice(actorIri(site, '').length);
  const collective = await findCollectiveByHandle(store, handle);
  if (collective === null || collective.deletedAt !== null) return [];
  const members = await listPeopleById(
    store,
    collective.members.map(({ personId }) => personId),
  );
  const invited = { iri, collectiveId: collective._id, name: collective.profile.name.fr, handle };
  return [{ invited, collective, people: members.filter(mayEnter) }];
}

function ofRemote({ _id, title, languages, closesAt, names, organiser, timeZone }: RemoteSurvey): Subject {
  const { name } = organiser;
  const head = { title, languages, closesAt, names, timeZone };
  const said = { organiser: { fr: name, en: name }, slot: null, isByLink: names === 'anonymous' };
  return { key: _id, ...head, answerBy: 'collective', ...said };
}

/** To those who have not answered a survey elsewhere, or have not said so where it is anonymous and nobody can know. */
export async function remoteReminders(
  house: Desk,
  survey: RemoteSurvey,
  mayWrite: (person: Person) => boolean,
): Promise<Draft[]> {
  const missing = await listMissingRemotely(house, survey);
  const awake = missing.map((one) => ({ ...one, people: one.people.filter(mayWrite) }));
  return lettersAbout(house, ofRemote(survey), 'surveyReminder', awake);
}

/** To the people of a collective whose answer a survey elsewhere did not take. */
export async function refusedLetters(house: Desk, answerId: string): Promise<Draft[]> {
  const sent = await sentAnswersIn(house.store).findOne({ _id: answerId });
  const survey = sent?.state === 'refused' ? await findRemoteSurvey(house.store, sent.surveyKey) : null;
  if (sent === null || survey === null || survey.deletedAt !== null) return [];
  const asked = await missingRemotely(house, survey, sent.answerer, false);
  return lettersAbout(house, ofRemote(survey), 'surveyRefused', asked);
}

/** One for each person and collective that want it at once. */
export async function letters(
  house: Desk,
  survey: Survey,
  kind: MailKind,
  asked: readonly Asked[],
  slot: Slot | null = null,
): Promise<Draft[]> {
  const [owner] = await listCollectivesById(house.store, [survey.collectiveId]);
  // Who is in the bin asks nobody.
  if (owner === undefined || owner.deletedAt !== null) return [];
  const { _id, title, languages, closesAt, answerBy, names } = survey;
  const organiser = owner.profile.name;
  const subject = { key: _id, title, languages, closesAt, answerBy, names, organiser, slot, timeZone: survey.timeZone };
  return lettersAbout(house, subject, kind, asked);
}

/** What a letter needs to know of a survey, wherever it belongs. */
interface Subject extends Pick<Survey, 'title' | 'languages' | 'closesAt' | 'answerBy' | 'names' | 'timeZone'> {
  /** What stands in its address. */
  key: string;
  /** Answered elsewhere, where this instance cannot see it. */
  isByLink?: boolean;
  organiser: LocalText;
  /** Of a date poll: which date it will be; null: the letter is about something else. */
  slot: Slot | null;
}

async function lettersAbout(house: Desk, survey: Subject, kind: MailKind, asked: readonly Asked[]): Promise<Draft[]> {
  const settings = await readSettings(house.store);
  const write = (collective: Collective, person: Person): Draft => {
    const language = person.language ?? house.site.defaultLanguage;
    const params = {
      ...surveyParams(survey, language, person.timeZone ?? settings.timeZone),
      organiser: textIn(survey.organiser, language),
      who: survey.isByLink ? 'link' : survey.answerBy,
      rule: survey.names === 'anonymous' ? 'anonymous' : survey.answerBy,
      collective: textIn(collective.profile.name, language),
      ...(survey.slot === null
        ? {}
        : { slot: `${slotText(survey.slot, { language, timeZone: survey.timeZone })} (${survey.timeZone})` }),
    };
    const link = { path: pathOf(survey, collective, kind) };
    return { ...toPerson(house, person, kind, params, link), about: `${survey.key}:${collective._id}` };
  };
  return asked.flatMap(({ collective, people }) =>
    collective === null
      ? []
      : people.filter((person) => wantsAtOnce(person, kind)).map((person) => write(collective, person)),
  );
}

function surveyParams(survey: Subject, language: Language, timeZone: string): { title: string; end: string } {
  const { closesAt } = survey;
  const locale = language === 'en' ? 'en-GB' : language;
  const style = { dateStyle: 'full', timeStyle: 'short', timeZone } as const;
  return {
    title: pickText(survey.title, language, survey.languages).text,
    end: closesAt === null ? 'none' : `${dateFormat(locale, style).format(closesAt)} (${timeZone})`,
  };
}

function pathOf(survey: Subject, collective: Collective, kind: MailKind): string {
  const isPersonal = survey.answerBy === 'person';
  const asked = isPersonal ? `/me/surveys/${survey.key}` : `/my/collectives/${collective._id}/asked/${survey.key}`;
  if (kind !== 'surveyPublished') return asked;
  return `${asked}/results`;
}
