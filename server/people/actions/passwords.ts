// Passwords: argon2id on the worker pool, the same work whether the account exists or not. Nothing here is logged.
import { hash, verify } from '@node-rs/argon2';

/** OWASP Password Storage: 19 MiB, two passes, one lane. */
export const hashing = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

const head = `$argon2id$v=19$m=${hashing.memoryCost},t=${hashing.timeCost},p=${hashing.parallelism}$`;
/** No password has this hash: it only costs the same time as a real one. */
const nobody = `${head}a6NPzuFXT1zhYXTFmLyBxw$5FMiH8dgmLz8SNJSuhbWZ2vGAy3Ni1GvLYhG4kGXgrc`;

export async function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFC'), hashing);
}

/** Takes as long for null (nobody by that name, or no password) as for a wrong password. */
export async function isPassword(stored: string | null, typed: string): Promise<boolean> {
  if (Buffer.byteLength(typed) > 1024) return false;
  const matches = await verify(stored ?? nobody, typed.normalize('NFC'));
  return stored !== null && matches;
}

/** The parameters have risen since this was hashed. */
export function isWeakHash(stored: string): boolean {
  return !stored.startsWith(head);
}
