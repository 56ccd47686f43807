// A refusal said to another server: a status of security.md 0.1 and a reason without secrets. Caught in routes.ts only.

export type RefusalStatus = 400 | 401 | 403 | 404 | 410 | 413 | 415 | 429 | 503;

export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: RefusalStatus,
    readonly reason: string,
    /** Seconds after which trying again makes sense. */
    readonly retryAfter?: number,
  ) {
    super(`${status} ${reason}`);
  }
}
