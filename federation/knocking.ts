// Which signature a peer takes, and asking again with the other one when it does not ("double-knocking"). What a host took
// is remembered for some days, so that it is asked twice seldom. Signs and sends; what an answer means is for the caller.
import type { Doc } from '../server/store/store.js';
import { keysOf } from './actorKeys.js';
import { instanceHandle } from './actors.js';
import { chargeFetch, type Errand } from './errand.js';
import type { Federation } from './federation.js';
import type { FetchedDocument, PostAnswer } from './fetch.js';
import { FetchError, OwnLimitError } from './fetchErrors.js';
import { signCavage } from './signatures/cavage.js';
import type { OutgoingRequest, RequestSigner, SignatureScheme } from './signatures/outgoing.js';
import { signMessage } from './signatures/rfc9421.js';

interface SchemeMemory extends Doc {
  /** _id: the host. */
  scheme: SignatureScheme;
  /** proven: it took such a signature. said: its actors declare it (FEP-844e). unclear: it failed with either. */
  why: 'proven' | 'said' | 'unclear';
  until: Date;
}

const day = 24 * 60 * 60 * 1000;
const lasting = 7 * day;
/** Knowledge is written again only when this much of it has run out: not with every delivery. */
const renewAfter = day;

/** Posts a signed body. A refusal that another signature may cure is answered with the other scheme at once. */
export async function postSigned(
  federation: Federation,
  request: OutgoingRequest & { body: Uint8Array },
  signer: RequestSigner,
): Promise<PostAnswer> {
  const { host } = request.url;
  const known = await recall(federation, host);
  const send = async (scheme: SignatureScheme): Promise<PostAnswer> => {
    const sign = scheme === 'cavage' ? signCavage : signMessage;
    const headers = await sign(request, signer, federation.house.now());
    return federation.fetch.post(request.url.href, request.body, headers);
  };
  const first = known?.scheme ?? 'cavage';
  const answer = await send(first);
  if (isSuccess(answer.status)) await prove(federation, host, first, known);
  if (!asksForAnother(answer.status, known)) return answer;
  const other = otherThan(first);
  const second = await send(other);
  if (isSuccess(second.status)) await prove(federation, host, other, null);
  else if (known === null && answer.status === 500) await remember(federation, host, first, 'unclear');
  // When neither helps, the first answer counts, unless the second one says more than "who are you".
  return isSuccess(second.status) || tellsMore(second.status) ? second : answer;
}

/**
 * An ActivityStreams document, asked for by our instance actor. Throws FetchError; Refusal 429 when it leads to a host that was
 * asked enough. A document that came proves nothing about the signature (most need none), so only a second knock that helped is
 * remembered.
 */
export async function fetchSigned(
  federation: Federation,
  address: string,
  errand: Errand | null,
): Promise<FetchedDocument> {
  const { rsa } = await keysOf(federation, instanceHandle);
  const signAs = { keyId: rsa.id, privateKey: rsa.privateKey };
  const host = URL.canParse(address) ? new URL(address).host : '';
  const known = await recall(federation, host);
  const first = known?.scheme ?? 'cavage';
  const wanted = { signAs, errand, mayLead: (other: string) => chargeFetch(federation, errand, other) };
  try {
    return await federation.fetch.fetchActivityJson(address, { ...wanted, scheme: first });
  } catch (error) {
    const status = error instanceof FetchError ? (error.status ?? 0) : 0;
    if (!asksForAnother(status, known)) throw error;
    const other = otherThan(first);
    try {
      const found = await federation.fetch.fetchActivityJson(address, { ...wanted, scheme: other });
      await prove(federation, host, other, null);
      return found;
    } catch (second) {
      // Not asked after all, for a reason of ours: what it said first is no answer yet.
      if (!(second instanceof FetchError) || second instanceof OwnLimitError) throw second;
      if (known === null && status === 500) await remember(federation, host, first, 'unclear');
      throw tellsMore(second.status ?? 0) ? second : error;
    }
  }
}

/** An actor of this host declares RFC 9421 (FEP-844e): it is asked so first, unless we know better. */
export async function noteDeclared(federation: Federation, host: string): Promise<void> {
  const known = await recall(federation, host);
  if (known === null || known.why === 'unclear') await remember(federation, host, 'rfc9421', 'said');
}

/** Removes what is no longer remembered. Returns how many. */
export async function pruneSchemes(federation: Federation): Promise<number> {
  return (await schemesIn(federation).deleteMany({ until: { $lt: federation.house.now() } })).deletedCount;
}

/** 500 only from strangers, since some peers break where they should refuse; 502 to 504 say nothing about signatures. */
function asksForAnother(status: number, known: SchemeMemory | null): boolean {
  return [400, 401, 403].includes(status) || (status === 500 && known === null);
}

function tellsMore(status: number): boolean {
  return [404, 410, 413, 429, 503].includes(status);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function otherThan(scheme: SignatureScheme): SignatureScheme {
  return scheme === 'cavage' ? 'rfc9421' : 'cavage';
}

async function prove(
  federation: Federation,
  host: string,
  scheme: SignatureScheme,
  known: SchemeMemory | null,
): Promise<void> {
  const left = known === null ? 0 : known.until.getTime() - federation.house.now().getTime();
  if (known?.why === 'proven' && known.scheme === scheme && left > lasting - renewAfter) return;
  await remember(federation, host, scheme, 'proven');
}

/** What was read of the memory, for a moment: a thousand deliveries need not ask a thousand times. */
const recalled = new WeakMap<Federation, Map<string, { memory: SchemeMemory | null; until: number }>>();
const recallMs = 30_000;
const maxRecalled = 5000;

function recalledIn(federation: Federation) {
  const known = recalled.get(federation) ?? new Map<string, { memory: SchemeMemory | null; until: number }>();
  recalled.set(federation, known);
  if (known.size >= maxRecalled) known.clear();
  return known;
}

async function recall(federation: Federation, host: string): Promise<SchemeMemory | null> {
  const known = recalledIn(federation);
  const kept = known.get(host);
  const isKept = kept !== undefined && kept.until > federation.house.now().getTime();
  const memory = isKept ? kept.memory : await schemesIn(federation).findOne({ _id: host });
  if (!isKept) known.set(host, { memory, until: federation.house.now().getTime() + recallMs });
  return memory !== null && memory.until > federation.house.now() ? memory : null;
}

async function remember(
  federation: Federation,
  host: string,
  scheme: SignatureScheme,
  why: SchemeMemory['why'],
): Promise<void> {
  const until = new Date(federation.house.now().getTime() + lasting);
  await schemesIn(federation).replaceOne({ _id: host }, { scheme, why, until }, { upsert: true });
  recalledIn(federation).delete(host);
}

function schemesIn(federation: Federation) {
  return federation.house.store.collection<SchemeMemory>('signatureSchemes');
}
