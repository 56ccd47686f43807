// Surveys as those who are asked see them, as plain data for templates.

import { editPath, paged, type presentEditFrame } from '../collectives/present.js';
import type { Collective } from '../collectives/schema.js';
import type { Language } from '../context.js';
import { sliceOf } from '../paging.js';
import type { AskedLine, AskedSurvey, OwnAnswer, Sent } from './askedSurveys.js';
import { slotText } from './presentForm.js';
import { maySeeResults, pickText } from './rules.js';
import type { AnswererKind, NameRule } from './schema.js';

export function askedPath(collective: Pick<Collective, '_id'>, key: string): string {
  return `${editPath(collective)}/asked/${key}`;
}

/** `pathOf`: where the page of each stands. */
export function presentAskedList(lines: readonly AskedLine[], pathOf: (key: string) => string, language: Language) {
  const items = lines.map(({ asked, isAnswered, hasDraft, isRefused, isLost }) => ({
    href: pathOf(asked.key),
    title: pickText(asked.title, language, asked.languages),
    organiser: asked.organiser,
    end: asked.closedAt ?? asked.closesAt,
    isOpen: asked.state === 'open',
    state: isRefused
      ? { kind: 'broken', label: 'surveys.sent.refused.title' }
      : isLost
        ? { kind: 'broken', label: 'surveys.sent.lost.title' }
        : stateOf(asked.state === 'open', isAnswered, hasDraft),
  }));
  return { open: items.filter(({ isOpen }) => isOpen), closed: items.filter(({ isOpen }) => !isOpen) };
}

const closedOnPage = 20;

/** What asks now, whole; and a page of what is over, with the way to the others. */
export function pageAskedList(
  lines: readonly AskedLine[],
  { pathOf, base, page }: { pathOf: (key: string) => string; base: string; page: number },
  language: Language,
) {
  const { open, closed } = presentAskedList(lines, pathOf, language);
  const { shown, ...at } = sliceOf(closed, page, closedOnPage);
  return { open, closed: shown, paging: paged(base, {}, at) };
}

function stateOf(isOpen: boolean, isAnswered: boolean, hasDraft: boolean): { kind: string; label: string } {
  if (hasDraft && isOpen) return { kind: 'waiting', label: 'surveys.asked.draft' };
  if (isAnswered) return { kind: 'well', label: 'surveys.asked.answered' };
  return isOpen ? { kind: 'waiting', label: 'surveys.asked.open' } : { kind: 'none', label: 'surveys.asked.missed' };
}

/** Where the form of somebody stands, and who that is. */
export interface Place {
  kind: AnswererKind;
  path: string;
  /** Null: there is no list of theirs. */
  listHref: string | null;
}

/** The way back from what everybody may see. */
export const publicCrumbs = [{ href: '/surveys', key: 'surveys.public.title' }];

/** The way back to what asks a person. */
export const personCrumbs = [{ href: '/me/surveys', key: 'surveys.person.title' }];

/** The way back to what asks a collective. */
export function askedCrumbs({ crumbs, base, name }: ReturnType<typeof presentEditFrame>, listHref: string | null) {
  const list = { href: listHref ?? base, key: 'collectives.tab.asked' };
  return [...crumbs, { href: base, label: name }, list];
}

/** Sentences that differ by who answers end in it. */
const variants: Record<AnswererKind, string> = { collective: 'collective', person: 'person', anyone: 'guest' };

/**
 * Who sees what, and when: one sentence, and behind it what else there is to know. An anonymous survey says there what nobody
 * can promise.
 */
export function presentPromise(names: NameRule, kind: AnswererKind, isElsewhere: boolean) {
  const who = variants[kind];
  const isCollective = kind === 'collective';
  const more = (isThere: boolean, key: string) => (isThere ? [`surveys.promise.${key}`] : []);
  const limits =
    names === 'anonymous'
      ? [
          'surveys.promise.limits.results',
          'surveys.promise.limits.server',
          ...more(isElsewhere, 'limits.link'),
          'surveys.promise.limits.small',
          ...more(kind === 'anyone', 'limits.mail'),
        ]
      : [
          ...more(isCollective, 'more.colleagues'),
          ...more(kind === 'anyone', 'more.link'),
          'surveys.promise.more.published',
          ...more(names === 'named' && isCollective, 'more.turnout'),
          ...more(names === 'named' && kind === 'person', 'more.turnoutOfPeople'),
          'surveys.promise.more.administrators',
          ...more(isElsewhere, 'more.ownInstance'),
        ];
  return {
    promise: isCollective ? `surveys.promise.${names}` : `surveys.promiseTo.${who}.${names}`,
    limitsTitle: names === 'anonymous' ? 'surveys.promise.limits' : 'surveys.promise.more',
    limits,
  };
}

/** Whether it takes answers now, by its moments alone: the job that closes may be late. */
export function isOpenNow({ state, closesAt }: Pick<AskedSurvey, 'state' | 'closesAt'>, now: Date): boolean {
  return state === 'open' && (closesAt === null || now < closesAt);
}

/** Whether there are results for those asked. A guest has an address of their own, and reads what is public. */
function hasResults({ survey, published }: AskedSurvey, kind: AnswererKind): boolean {
  if (kind === 'anyone') return false;
  return survey === null ? (published ?? null) !== null : maySeeResults(survey, { organises: false, isMember: true });
}

/** The date that was chosen, for {{> resultSlot}}; null: none was. */
export function presentSlotOf({ slot, timeZone }: AskedSurvey, language: Language, icsHref: string) {
  return slot && { text: slotText(slot, { language, timeZone }), timeZone, icsHref };
}

export function presentAsked(asked: AskedSurvey, own: OwnAnswer, place: Place, language: Language, now: Date) {
  const { kind, path, listHref } = place;
  const isOpen = isOpenNow(asked, now);
  const isAnonymous = asked.names === 'anonymous';
  const isGuest = kind === 'anyone';
  const who = variants[kind];
  return {
    action: path,
    listHref,
    crumbs: kind === 'person' ? personCrumbs : publicCrumbs,
    doneHref: `${path}/done`,
    resultsHref: hasResults(asked, kind) ? `${path}/results` : null,
    withdrawAction: own.values === null || !isOpen ? null : `${path}/withdraw`,
    // A guest has the link.
    copyAction: own.values === null || kind === 'anyone' ? null : `${path}/copy`,
    publicHref: `/surveys/${asked.key}`,
    receiptHref: isAnonymous && asked.survey !== null ? `/surveys/${asked.key}/receipt` : null,
    title: pickText(asked.title, language, asked.languages),
    intro: pickText(asked.intro, language, asked.languages),
    organiser: asked.organiser,
    version: asked.version,
    isOpen,
    slot: presentSlotOf(asked, language, `${kind === 'anyone' ? `/surveys/${asked.key}` : path}/slot.ics`),
    end: asked.closedAt ?? asked.closesAt,
    timeZone: asked.timeZone,
    ...presentPromise(asked.names, kind, asked.elsewhere !== null),
    isAnonymous,
    isGuest,
    words: {
      edit: `surveys.done.edit.${who}`,
      answered: `surveys.answered.title.${who}`,
      draft: `surveys.draft.text.${who}`,
      withdraw: `surveys.withdraw.confirm.${who}`,
    },
    elsewhere: asked.elsewhere && { host: asked.elsewhere.host, link: asked.elsewhere.link },
    markAction: `${path}/answered`,
    sent: own.sent ? presentSent(own.sent) : null,
    own: {
      isAnswered: own.isAnswered,
      said: isAnonymous
        ? `surveys.answered.${asked.elsewhere === null ? 'anonymous' : 'marked'}`
        : `surveys.answered.${isOpen ? 'text' : 'over'}${isGuest ? '.guest' : ''}`,
      at: own.at,
      byName: own.byName,
      draft: own.draft,
    },
    changed: isOpen ? changedSince(asked, own) : null,
  };
}

/** What to say where the questions are not those that were filled in any more. */
function changedSince({ version }: Pick<AskedSurvey, 'version'>, { draft, version: sent }: OwnAnswer): string | null {
  if (draft !== null) return draft.version === version ? null : 'surveys.changed.draft';
  return sent === null || sent === version ? null : 'surveys.changed.sent';
}

/** What is known of an answer that went to another instance: one notice. */
function presentSent({ state, host, sentAt, receiptAt, refusal, isLost, isUnreachable }: Sent) {
  const kinds = { accepted: 'well', refused: 'broken', unwithdrawn: 'broken', lost: 'broken' } as const;
  const known = () => {
    if (state === 'withdrawn') return refusal === null ? null : 'unwithdrawn';
    if (state !== 'sent') return state;
    return isLost ? 'lost' : isUnreachable ? 'unreachable' : 'waiting';
  };
  const what = known();
  if (what === null) return null;
  return {
    kind: what in kinds ? kinds[what as keyof typeof kinds] : 'waiting',
    title: `surveys.sent.${what}.title`,
    text: `surveys.sent.${what}.text`,
    at: receiptAt ?? sentAt,
    host,
    isRefusal: refusal !== null,
    // Several questions may be wrong in the same way.
    reasons: [...new Map(refusal?.errors.map(({ message }) => [message.key, message])).values()],
    said: refusal?.errors.length === 0 ? refusal.text : '',
  };
}
