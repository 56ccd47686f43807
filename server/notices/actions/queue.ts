// How a mail gets into the queue: once for each cause and recipient, in the reader's language, and only when the reader
// wants such mails. Which mail, and to whom, is for those who call.
import type { Collective } from '../../collectives/schema.js';
import type { Language } from '../../context.js';
import type { MessageParams } from '../../errors.js';
import type { House } from '../../house.js';
import { newId } from '../../ids.js';
import { listPeopleById } from '../../people/queries.js';
import type { MailKind, Person } from '../../people/schema.js';
import { textIn } from '../../shapes.js';
import { DuplicateKeyError } from '../../store/store.js';
import { countOptionalMails, mailsIn } from '../queries.js';
import { holdMail, isOptional, wantsAtOnce } from '../rules.js';
import type { LetterKind, LetterLine, LetterLink } from '../schema.js';
import { writeLetter } from './letters.js';

export type Desk = Pick<House, 'store' | 'site' | 'views' | 'i18n' | 'log' | 'now'>;

export interface Draft {
  to: string;
  personId: string | null;
  language: Language;
  kind: LetterKind;
  params: MessageParams;
  link: LetterLink | null;
  /** What the letter lists, each with its address. */
  lines?: readonly LetterLine[];
  /** Of a summary about what presses: ids of what it tells. */
  needs?: string[];
  /** Tells apart two mails to one person about one event: the collective that is meant. */
  about?: string;
  /** Not before. */
  sendAt?: Date;
}

/**
 * Puts a mail into the queue under its key, `cause` with the recipient; false: it was there already, or is a reminder
 * too many. One that somebody may do without waits for another day when they got many (holdMail); given up, it stands among the
 * failed ones for the administrators.
 */
export async function queueMail(house: Desk, cause: string, draft: Draft): Promise<boolean> {
  const { to, personId, language, kind, params, link, lines, needs, about, sendAt } = draft;
  const now = house.now();
  const dedupeKey = [cause, personId ?? to, ...(about === undefined ? [] : [about])].join(':');
  if (await isQueued(house, dedupeKey)) return false;
  const held = personId === null || !isOptional(kind) ? null : await hold(house, personId, kind);
  if (held === 'leftOut') return false;
  const letter = await writeLetter(house, kind, language, params, { hasLink: link !== null, lines: lines ?? [] });
  try {
    await mailsIn(house.store).insertOne({
      _id: newId(),
      to,
      personId,
      language,
      kind,
      ...letter,
      link,
      ...(needs === undefined ? {} : { needs }),
      ...(about === undefined ? {} : { about }),
      dedupeKey,
      createdAt: now,
      attempts: 0,
      nextAt: sendAt ?? now,
      sentAt: null,
      keptAt: null,
      failedAt: null,
      lastError: null,
      ...(held instanceof Date ? { heldUntil: held, nextAt: held } : {}),
      ...(held === 'givenUp' ? { nextAt: null, failedAt: now, lastError: tooMany } : {}),
    });
    return true;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    return false;
  }
}

const tooMany = 'more mails to one person in a few days than may leave';

async function hold(house: Desk, personId: string, kind: LetterKind): Promise<ReturnType<typeof holdMail>> {
  const now = house.now();
  const since = new Date(now.getTime() - 24 * 60 * 60 * 1000);
  return holdMail(kind, await countOptionalMails(house.store, personId, since), now);
}

/** Whether the mail of that key is written already. */
export async function isQueued(house: Pick<House, 'store'>, dedupeKey: string): Promise<boolean> {
  return (await mailsIn(house.store).findOne({ dedupeKey }, { projection: { _id: 1 } })) !== null;
}

/** Everyone of the collective who wants mails of this kind at once. */
export async function toMembers(
  house: Desk,
  collective: Collective,
  kind: MailKind,
  params: MessageParams,
  link: LetterLink,
): Promise<Draft[]> {
  const people = await listPeopleById(
    house.store,
    collective.members.map((member) => member.personId),
  );
  return people
    .filter((person) => wantsAtOnce(person, kind))
    .map((person) => {
      const name = textIn(collective.profile.name, person.language ?? house.site.defaultLanguage);
      return toPerson(house, person, kind, { ...params, collective: name }, link);
    });
}

export function toPerson(
  house: Pick<House, 'site'>,
  person: Person,
  kind: LetterKind,
  params: MessageParams,
  link: LetterLink | null,
): Draft {
  return {
    to: person.email,
    personId: person._id,
    language: person.language ?? house.site.defaultLanguage,
    kind,
    params: { ...params, name: person.displayName },
    link,
  };
}
