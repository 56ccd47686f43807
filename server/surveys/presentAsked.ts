// Surveys as those who are asked see them, as plain data for templates.
import { editPath } from '../collectives/present.js';
import type { Collective } from '../collectives/schema.js';
import type { Language } from '../context.js';
import type { AskedLine, AskedSurvey, OwnAnswer, Sent } from './askedSurveys.js';
import { pickText } from './rules.js';

export function askedPath(collective: Pick<Collective, '_id'>, key: string): string {
  return `${editPath(collective)}/asked/${key}`;
}

export function presentAskedList(collective: Collective, lines: readonly AskedLine[], language: Language) {
  const items = lines.map(({ asked, isAnswered, hasDraft, isRefused }) => ({
    href: askedPath(collective, asked.key),
    title: pickText(asked.title, language, asked.languages),
    organiser: asked.organiser,
    end: asked.closedAt ?? asked.closesAt,
    isOpen: asked.state === 'open',
    state: isRefused
      ? { kind: 'broken', label: 'surveys.sent.refused.title' }
      : stateOf(asked.state === 'open', isAnswered, hasDraft),
  }));
  return { open: items.filter(({ isOpen }) => isOpen), closed: items.filter(({ isOpen }) => !isOpen) };
}

function stateOf(isOpen: boolean, isAnswered: boolean, hasDraft: boolean): { kind: string; label: string } {
  if (hasDraft && isOpen) return { kind: 'waiting', label: 'surveys.asked.draft' };
  if (isAnswered) return { kind: 'well', label: 'surveys.asked.answered' };
  return isOpen ? { kind: 'waiting', label: 'surveys.asked.open' } : { kind: 'none', label: 'surveys.asked.missed' };
}

export function presentAsked(asked: AskedSurvey, own: OwnAnswer, collective: Collective, language: Language) {
  const path = askedPath(collective, asked.key);
  return {
    action: path,
    listHref: `${editPath(collective)}/asked`,
    doneHref: `${path}/done`,
    resultsHref: `${path}/results`,
    withdrawAction: own.values === null || asked.state !== 'open' ? null : `${path}/withdraw`,
    title: pickText(asked.title, language, asked.languages),
    intro: pickText(asked.intro, language, asked.languages),
    organiser: asked.organiser,
    version: asked.version,
    isOpen: asked.state === 'open',
    end: asked.closedAt ?? asked.closesAt,
    timeZone: asked.timeZone,
    // Who sees what, and when, in one sentence.
    promise: `surveys.promise.${asked.names}`,
    isAnonymous: asked.names === 'anonymous',
    elsewhere: asked.elsewhere && { host: asked.elsewhere.host, link: asked.elsewhere.link },
    sent: own.sent && presentSent(own.sent),
    own: {
      isAnswered: own.isAnswered,
      said: asked.names === 'anonymous' ? 'surveys.answered.anonymous' : 'surveys.answered.text',
      at: own.at,
      byName: own.byName,
      edits: own.edits.toReversed(),
      draft: own.draft,
      isOfOtherVersion: own.draft !== null && own.draft.version !== asked.version,
    },
  };
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
