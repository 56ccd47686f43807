// RSA keys for tests: making one takes a tenth of a second, so that a few are made and then dealt out again in turn. Who stands
// beside another in a test has another key; not for tests that need many different ones at once.
import { generateKeyPair, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';

const different = 24;
const bits = 2048;
const ready: KeyPairKeyObjectResult[] = [];
let dealt = 0;

/** The next key pair: a new one until there are enough. */
export function dealRsaKeys(): KeyPairKeyObjectResult {
  if (ready.length < different) ready.push(generateKeyPairSync('rsa', { modulusLength: bits }));
  return next();
}

/** The same, for servers: made off the main thread. */
export async function dealRsaKeysLater(): Promise<KeyPairKeyObjectResult> {
  if (ready.length < different) ready.push(await promisify(generateKeyPair)('rsa', { modulusLength: bits }));
  return next();
}

function next(): KeyPairKeyObjectResult {
  const pair = ready[ready.length < different ? ready.length - 1 : dealt++ % different];
  if (pair === undefined) throw new Error('no key was made');
  return pair;
}
