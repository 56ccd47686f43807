// What can go wrong on the way out (fetch.ts), in the few words that callers decide by.
import type { FetchFailure } from '../server/fetching.js';

/** Why an exchange failed. `temporary`: trying later makes sense. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  constructor(
    readonly reason: FetchFailure,
    readonly detail: string,
    readonly options: { status?: number; retryAfter?: number } = {},
  ) {
    super(`${reason}: ${detail}`);
  }

  get status(): number | undefined {
    return this.options.status;
  }

  get temporary(): boolean {
    if (this.reason === 'bad-status') return this.status === 429 || this.status === 408 || (this.status ?? 0) >= 500;
    return this.reason === 'unreachable' || this.reason === 'timeout';
  }
}

/** We have no place now, or (`isFinal`) one activity asks for too much: nothing that the other side did. */
export class OwnLimitError extends FetchError {
  constructor(
    detail: string,
    readonly isFinal = false,
  ) {
    super('timeout', detail);
  }
}

/** Whatever an exchange threw, in those words. */
export function asFetchError(error: unknown): FetchError {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof FetchError) return cause;
    if (cause.name === 'TimeoutError' || cause.name === 'AbortError' || /Timeout/.test(cause.name)) {
      return new FetchError('timeout', 'no answer in time');
    }
    const code = 'code' in cause ? String(cause.code) : '';
    if (code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR')) {
      return new FetchError('bad-content', 'cannot be unpacked');
    }
  }
  return new FetchError('unreachable', error instanceof Error ? error.message : String(error));
}
