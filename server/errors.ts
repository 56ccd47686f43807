// The one error class of the house and its closed list of codes. Thrown in rules, actions and the store's callers;
// caught only at doors: http/errors.ts, federation/inbox.ts, jobs/run.ts, cli.ts.

export const errorCodes = [
  'invalid',
  'not-allowed',
  'not-found',
  'gone',
  'closed',
  'conflict',
  'too-many',
  'unavailable',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export type MessageParams = Record<string, string | number | Date>;

/** A text to show to anyone: a key of views/locales and its parameters. */
export interface Message {
  key: string;
  params?: MessageParams;
}

export interface DomainErrorOptions {
  /** The form field (its name attribute) that the message is about. */
  field?: string;
  /** Seconds after which trying again makes sense (too-many, unavailable). */
  retryAfter?: number;
  /** Logged, never shown. */
  cause?: unknown;
}

/** A refusal with a reason that may be shown to anyone. The message says what to do; the cause is only logged. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly safeMessage: Message;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string | Message,
    options: DomainErrorOptions = {},
  ) {
    const safeMessage = typeof message === 'string' ? { key: message } : message;
    super(`${code}: ${safeMessage.key}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.safeMessage = safeMessage;
    this.field = options.field;
    this.retryAfter = options.retryAfter;
  }
}

/** Several fields of one form are wrong: the form names each. */
export class InvalidFields extends DomainError {
  constructor(readonly errors: readonly { field: string; message: Message }[]) {
    super('invalid', errors[0]?.message ?? 'shape.invalid', { field: errors[0]?.field ?? '' });
  }
}

/** The HTTP status of each code, for pages and for answers to other servers (security.md 0.1). */
export const httpStatus: Record<ErrorCode, number> = {
  invalid: 422,
  'not-allowed': 403,
  'not-found': 404,
  gone: 410,
  closed: 409,
  conflict: 409,
  'too-many': 429,
  unavailable: 503,
};
