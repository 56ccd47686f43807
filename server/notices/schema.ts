// A mail on its way: what it says, to whom, and what became of it.
import { z } from 'zod';
import type { Language } from '../context.js';
import type { Doc } from '../store/store.js';

/** One letter each, with its texts under mail.<kind>.* in the catalogues. */
export const letterKinds = [
  'invitation',
  'collectiveInvitation',
  'reset',
  'resetByAdministrator',
  'emailChange',
  'passwordChanged',
  'emailChanged',
  'sourceFailed',
  'followRequested',
  'reportMade',
  'surveyOpened',
  'surveyReminder',
  'surveyExtended',
  'surveyPublished',
  'surveyDate',
  'surveyRefused',
  'digest',
  'surveyCopy',
  'surveyLink',
] as const;
export type LetterKind = (typeof letterKinds)[number];

/** Where the letter's button leads: a page, or a signed link that is made only when the mail is sent or shown. */
export type LetterLink = { path: string } | { path: string; purpose: string; id: string };

/** One thing that a letter lists, with the page on which it is done. */
export interface LetterLine {
  text: string;
  href: string;
}

/** The private address of a person's feeds is signed with this id: what is stored opens nothing. */
export interface NoticeFeed extends Doc {
  personId: string;
  createdAt: Date;
}

export interface Mail extends Doc {
  to: string;
  /** Null: to somebody without an account. */
  personId: string | null;
  language: Language;
  kind: LetterKind;
  subject: string;
  /** With linkMark where the address of the button goes: the store holds no link that opens something. */
  text: string;
  html: string;
  link: LetterLink | null;
  /** Of a summary about what presses: ids of what it tells. */
  needs?: string[];
  /** Of a letter about a survey: the survey and the collective that is meant (see Draft). */
  about?: string;
  /** Event and recipient: an event handed on twice makes one mail. */
  dedupeKey: string;
  createdAt: Date;
  /** The recipient got too many in a day: it leaves then. */
  heldUntil?: Date;
  attempts: number;
  /** When to try (again). Null: nothing more will be tried. */
  nextAt: Date | null;
  sentAt: Date | null;
  /** No mail server is set: kept for the administrator to read and hand over. */
  keptAt: Date | null;
  failedAt: Date | null;
  lastError: string | null;
}

export const linkMark = '%%LINK%%';
/** In its place comes the address at which mails of this kind are stopped. */
export const stopMark = '%%STOP%%';

export type MailState = 'waiting' | 'held' | 'sent' | 'kept' | 'failed';

export const mailParams = z.object({ id: z.uuid() });
export const mailsQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).optional() });
export const noticeTokenParams = z.object({ token: z.string().min(3).max(210) });
/** What a mail program posts (RFC 8058 §3.2), or the button of the page. */
export const stopShape = z.object({ again: z.literal('on').optional() });
