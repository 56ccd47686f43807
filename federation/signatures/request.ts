// What a signature is checked against: one request as it arrived, in the form both signature schemes read. The host is
// ours by configuration, never the one that the request claims.
import { type KeyObject, verify } from 'node:crypto';

export interface SignedRequest {
  method: string;
  /** Path and query exactly as sent. */
  target: string;
  /** Host with its port when not the default one: Site.host. */
  host: string;
  /** 'https:' or 'http:', from the configured base address. */
  scheme: string;
  /** Each header once for each time it was sent, names in lower case. */
  headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** Null: a request without a body. */
  body: Uint8Array | null;
}

/** The claims of a signature header, before any of them is believed. */
export interface SignatureClaim {
  scheme: 'cavage' | 'rfc9421';
  keyId: string;
  /** As named by the sender; null: not named. */
  algorithm: string | null;
  signature: Buffer;
  /** Names of what was signed, in lower case: a header that is not among them says nothing. */
  covered: readonly string[];
  /** What was signed, by one or (query variants) two readings of the request. */
  bases: readonly string[];
}

/** Why a signature is not acceptable: said to the sender, so it names no secret. */
export class SignatureProblem extends Error {
  override readonly name = 'SignatureProblem';
}

/** How far a date may lie from our clock either way: second-hand machines have poor clocks, repeats are harmless. */
export const freshnessMs = 60 * 60 * 1000;

/** The one value of a header. Refuses: absent, or sent more than once. */
export function oneHeader(request: SignedRequest, name: string): string {
  const values = request.headers[name] ?? [];
  const [value] = values;
  if (value === undefined) throw new SignatureProblem(`the header ${name} is missing`);
  if (values.length > 1) throw new SignatureProblem(`the header ${name} was sent ${values.length} times`);
  return value;
}

/** Refuses a moment that lies more than an hour before or after now. */
export function checkFresh(at: number, now: Date): void {
  if (!Number.isFinite(at)) throw new SignatureProblem('the date cannot be read');
  const skew = at - now.getTime();
  if (Math.abs(skew) > freshnessMs) {
    throw new SignatureProblem(`the date is ${Math.round(skew / 60_000)} minutes from this server's clock`);
  }
}

/** Whether the signature was made over one of the readings, tried on the thread pool: pages need not wait for strangers. */
export async function verifyAnyOffThread(
  algorithm: string | null,
  { bases, signature }: SignatureClaim,
  key: KeyObject,
): Promise<boolean> {
  for (const base of bases) {
    const fits = await new Promise<boolean>((resolve) =>
      verify(algorithm, Buffer.from(base), key, signature, (error, isTrue) => resolve(error === null && isTrue)),
    );
    if (fits) return true;
  }
  return false;
}
