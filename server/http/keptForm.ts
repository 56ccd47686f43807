// When a session has ended, or its token is old, while somebody filled in a form: what was typed comes back in a page from which
// it can be sent again. Nothing is stored, and nothing is done: it only passes once a session of its own vouches for it. When
// what it was about is gone: the words come back, to be copied.
import type { Request, Response } from 'express';
import { DomainError, httpStatus } from '../errors.js';
import type { House } from '../house.js';
import { frameFor, sendPage } from './page.js';

const reasons = new Set(['error.formExpired', 'error.signInFirst']);
/** Forms with such fields never come back: what was typed there belongs in no page. */
const secret = /pass|proof|current|secret|token|code/i;

interface Spec {
  access: string;
  retry?: unknown;
  file?: unknown;
}

/**
 * Answers 403 with the form kept. False: this refusal, route or form is not of that sort, and nothing was answered. Only
 * requests from our own pages come here (refuseCrossSite stands before), so no other site can put words into such a page.
 */
export async function showKeptForm(
  house: House,
  req: Request,
  res: Response,
  spec: Spec,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof DomainError && reasons.has(error.safeMessage.key)) || !spec.retry) return false;
  if (req.accepts(['html', 'json']) !== 'html') return false;
  const fields = openFieldsOf(req.body);
  if (fields.length === 0) return false;
  const actor = res.locals.actor ?? null;
  const needsSignIn = spec.access !== 'public' && actor === null;
  const frame = await frameFor(house, req, res);
  const model = {
    action: req.originalUrl,
    fields,
    texts: fields.filter(({ value }) => isWriting(value)).map(({ value }) => value),
    needsSignIn,
    name: actor?.displayName ?? null,
    hasFile: spec.file !== undefined,
  };
  res.status(403).set('Cache-Control', 'no-store');
  const title = frame.t('error.kept.title');
  await sendPage(house, req, res, frame, 'errors/kept', model, { title, noIndex: true, withForm: !needsSignIn });
  return true;
}

/** Answers with the words that were typed, to be copied, and why they cannot be taken. False: there are none, or secrets. */
export async function showTyped(house: House, req: Request, res: Response, error: DomainError): Promise<boolean> {
  const texts = openFieldsOf(req.body).flatMap(({ value }) => (isOurs(value) ? [] : [value]));
  if (texts.length === 0) return false;
  const frame = await frameFor(house, req, res);
  res.status(httpStatus[error.code]).set('Cache-Control', 'no-store');
  const model = { texts, refusal: error.safeMessage };
  await sendPage(house, req, res, frame, 'errors/kept', model, { title: frame.t('error.kept.title'), noIndex: true });
  return true;
}

/** None of a form with a secret in it. */
function openFieldsOf(body: unknown): { name: string; value: string }[] {
  const fields = fieldsOf(body);
  return fields.some(({ name }) => secret.test(name)) ? [] : fields;
}

function fieldsOf(body: unknown): { name: string; value: string }[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body)
    .filter(([name]) => name !== '_csrf')
    .flatMap(([name, given]) =>
      [given].flat().flatMap((value) => (typeof value === 'string' ? [{ name, value }] : [])),
    );
}

/** What somebody wrote, not what a form says by itself. */
function isWriting(value: string): boolean {
  return value.trim().length > 20 && /\s/.test(value.trim());
}

/** A number, a mark, or the id of a choice. */
function isOurs(value: string): boolean {
  return /^(|\d+|on|yes|maybe|no|send|save|next|back|[a-z][0-9a-f]{8}|[0-9a-f-]{36})$/.test(value.trim());
}
