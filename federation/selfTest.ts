// Looks at this instance as a peer would: over the network, at its public address, through whatever stands in front of it.
// Every address asked for is made here from BASE_URL; nothing that anybody else says leads this way out anywhere.
import type { SelfTestLine } from '../server/house.js';
import { peersIn } from '../server/instances/peerQueries.js';
import { keysOf } from './actorKeys.js';
import { instanceHandle } from './actors.js';
import type { Federation } from './federation.js';
import { createFetch, type Fetch, type Probe, type ProbeAnswer } from './fetch.js';
import { activityType, isActivityType } from './fetchAnswers.js';
import { FetchError } from './fetchErrors.js';
import { readCavage, signCavage, verifyCavage } from './signatures/cavage.js';
import { readRsaPublicKey } from './signatures/keys.js';
import { signMessage } from './signatures/rfc9421.js';

interface Look {
  federation: Federation;
  baseUrl: string;
  actorIri: string;
  way: Fetch;
  probe: Probe;
  exchanges: SelfTestLine['exchanges'];
}

/** What is wrong, as it stands on the page beside what to do about it. */
class Finding extends Error {
  override readonly name = 'Finding';
}

const checks: Record<SelfTestLine['name'], (look: Look) => Promise<void>> = {
  actor: checkActor,
  representations: checkRepresentations,
  webFingerByName: (look) => checkWebFinger(look, `acct:${instanceHandle}@${new URL(look.baseUrl).host}`),
  webFingerByAddress: (look) => checkWebFinger(look, look.actorIri),
  hostMeta: checkHostMeta,
  nodeInfo: checkNodeInfo,
  redirect: checkRedirect,
  clock: checkClock,
  signature: checkSignature,
  inbox: checkInbox,
  deliveryCavage: (look) => checkDelivery(look, signCavage, `${look.baseUrl}/inbox`),
  deliveryMessage: (look) => checkDelivery(look, signMessage, `${look.actorIri}/inbox`),
};

/** One line for each thing that peers rely on, in the order in which to mend them. Takes at most two minutes. */
export async function runSelfTest(federation: Federation): Promise<SelfTestLine[]> {
  const { baseUrl } = federation.house.site;
  const way = wayTo(federation, baseUrl);
  const look = { federation, baseUrl, actorIri: federation.apex.actorIri(instanceHandle), way };
  const lines: SelfTestLine[] = [];
  try {
    for (const [name, check] of Object.entries(checks) as [SelfTestLine['name'], (look: Look) => Promise<void>][]) {
      if (name === 'redirect' && !hasPlainNeighbour(baseUrl)) continue;
      const exchanges: SelfTestLine['exchanges'] = [];
      const finding = await check({ ...look, exchanges, probe: noting(way.probe, exchanges) }).then(() => null, said);
      lines.push({ name, exchanges, finding });
    }
  } finally {
    await way.close();
  }
  return lines;
}

/** A way out that leads to one origin and nowhere else. */
function wayTo({ house }: Federation, onlyOrigin: string): Fetch {
  return createFetch({
    ownOrigin: '',
    onlyOrigin,
    userAgent: 'Chatiere self-test',
    privateHosts: [],
    now: house.now,
  });
}

/** Writes down what is asked and answered. */
function noting(probe: Probe, exchanges: SelfTestLine['exchanges']): Probe {
  return async (url, request) => {
    const line = { request: `${request.method} ${url}`, answer: '–' };
    exchanges.push(line);
    try {
      const answer = await probe(url, request);
      const where = answer.header('location');
      line.answer = [answer.status, answer.contentType ?? '', where === null ? '' : `→ ${where.slice(0, 200)}`]
        .filter(Boolean)
        .join(' ');
      return answer;
    } catch (error) {
      line.answer = said(error);
      throw error;
    }
  };
}

function said(error: unknown): string {
  if (error instanceof Finding || error instanceof FetchError) return error.message;
  throw error;
}

async function checkActor(look: Look): Promise<void> {
  await readActor(look);
}

async function readActor({ probe, actorIri }: Look): Promise<{ keyId: string; pem: string }> {
  const answer = await probe(actorIri, { method: 'GET', headers: { accept: activityType } });
  expectStatus(answer, 200);
  if (!isActivityType(answer.contentType)) throw new Finding(`Content-Type: ${answer.contentType}`);
  const { id, inbox, publicKey } = readJson(answer);
  expectSame('id', id, actorIri);
  expectSame('inbox', inbox, `${actorIri}/inbox`);
  const { id: keyId, publicKeyPem: pem } = (publicKey ?? {}) as { id?: unknown; publicKeyPem?: unknown };
  if (typeof keyId !== 'string' || typeof pem !== 'string') throw new Finding('publicKey: –');
  return { keyId, pem };
}

/** One address, page and document in turn: a cache before us must keep them apart. */
async function checkRepresentations({ probe, actorIri }: Look): Promise<void> {
  for (const [accept, status] of [
    ['text/html', 303],
    [activityType, 200],
    ['text/html', 303],
  ] as const) {
    const answer = await probe(actorIri, { method: 'GET', headers: { accept } });
    expectStatus(answer, status);
    if (status === 200 && !isActivityType(answer.contentType)) throw new Finding(`Content-Type: ${answer.contentType}`);
    const vary = answer.header('vary') ?? '–';
    const names = vary.toLowerCase().split(',');
    if (!names.some((name) => ['accept', '*'].includes(name.trim()))) throw new Finding(`Vary: ${vary}`);
  }
}

async function checkHostMeta({ probe, baseUrl }: Look): Promise<void> {
  const headers = { accept: 'application/xrd+xml' };
  const answer = await probe(`${baseUrl}/.well-known/host-meta`, { method: 'GET', headers });
  expectStatus(answer, 200);
  expectType(answer, 'application/xrd+xml');
  const template = `${baseUrl}/.well-known/webfinger?resource={uri}`;
  if (!answer.body.includes(template)) throw new Finding(`${template}: –`);
}

/** Whether the same name without TLS is another door: only then has it to lead to this one. */
function hasPlainNeighbour(baseUrl: string): boolean {
  return baseUrl.startsWith('https:') && new URL(baseUrl).port === '';
}

/** Who types the name alone must end at https. A closed port 80 is fine: nothing is said in the clear then. */
async function checkRedirect({ federation, baseUrl, exchanges }: Look): Promise<void> {
  const plain = baseUrl.replace(/^https:/, 'http:');
  const way = wayTo(federation, plain);
  try {
    const answer = await noting(way.probe, exchanges)(`${plain}/about`, { method: 'GET', headers: {} });
    if (![301, 302, 307, 308].includes(answer.status)) throw new Finding(`HTTP ${answer.status} ≠ 301`);
    const location = answer.header('location') ?? '';
    if (!location.startsWith(`${baseUrl}/`)) throw new Finding(`Location: ${location.slice(0, 200)}`);
  } catch (error) {
    if (!(error instanceof FetchError && error.reason === 'unreachable')) throw error;
  } finally {
    await way.close();
  }
}

const maxSkewMs = 30_000;
/** Peers asked for the time. */
const timekeepers = 3;

/** Our clock beside those of servers that answered lately; where we know none, beside what stands before us. */
async function checkClock({ federation, way, exchanges }: Look): Promise<void> {
  const { store } = federation.house;
  const peers = await peersIn(store)
    .find({ firstSeenAt: { $gt: new Date(0) } }, { sort: { firstSeenAt: -1 }, limit: timekeepers })
    .toArray();
  const ask = { maxBytes: 64 * 1024, timeoutMs: 5_000, accept: 'application/json' };
  await Promise.all(peers.map(({ origin }) => federation.fetch.fetchText(`${origin}/.well-known/nodeinfo`, ask)));
  const others = [...federation.fetch.clocks];
  const known = others.length > 0 ? others : [...way.clocks];
  for (const [host, skew] of known.slice(-timekeepers)) {
    exchanges.push({ request: `Date: ${host}`, answer: seconds(skew) });
  }
  const skews = known.map(([, skew]) => skew).sort((one, other) => one - other);
  const middle = skews[Math.floor(skews.length / 2)] ?? 0;
  if (Math.abs(middle) > maxSkewMs) throw new Finding(seconds(middle));
}

/** "+1.2 s": how far another clock is ahead. */
function seconds(milliseconds: number): string {
  return `${milliseconds < 0 ? '−' : '+'}${Math.abs(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * A delivery to ourselves, signed as we sign for others: taken when everything signed comes through unchanged, and refused
 * when the body is not the one that was signed. Neither has an effect.
 */
async function checkDelivery(look: Look, sign: typeof signCavage, inbox: string): Promise<void> {
  const { federation, probe } = look;
  const { rsa } = await keysOf(federation, instanceHandle);
  const url = new URL(inbox);
  const body = Buffer.from('{}');
  const request = { method: 'POST', url, body, contentType: activityType };
  const headers = await sign(request, { keyId: rsa.id, privateKey: rsa.privateKey }, federation.house.now());
  expectStatus(await probe(inbox, { method: 'POST', headers, body }), 202);
  expectStatus(await probe(inbox, { method: 'POST', headers, body: Buffer.from('[]') }), 401);
}

async function checkWebFinger({ probe, baseUrl, actorIri }: Look, resource: string): Promise<void> {
  const address = `${baseUrl}/.well-known/webfinger?resource=${encodeURIComponent(resource)}`;
  const answer = await probe(address, { method: 'GET', headers: { accept: 'application/jrd+json' } });
  expectStatus(answer, 200);
  expectType(answer, 'application/jrd+json');
  const { links } = readJson(answer);
  const known = (Array.isArray(links) ? links : []) as { rel?: unknown; href?: unknown }[];
  expectSame('self', known.find(({ rel }) => rel === 'self')?.href, actorIri);
}

async function checkNodeInfo({ probe, baseUrl }: Look): Promise<void> {
  const headers = { accept: 'application/json' };
  const known = await probe(`${baseUrl}/.well-known/nodeinfo`, { method: 'GET', headers });
  expectStatus(known, 200);
  const href = `${baseUrl}/nodeinfo/2.1`;
  const { links } = readJson(known);
  const found = ((Array.isArray(links) ? links : []) as { href?: unknown }[]).some((link) => link.href === href);
  if (!found) throw new Finding(`${href}: –`);
  const answer = await probe(href, { method: 'GET', headers });
  expectStatus(answer, 200);
  expectType(answer, 'application/json');
  expectSame('software', (readJson(answer).software as { name?: unknown } | undefined)?.name, 'chatiere');
}

/** Signs as we sign, and verifies with the key that everybody reads at our address: they differ after a bad restore. */
async function checkSignature(look: Look): Promise<void> {
  const { house } = look.federation;
  const { keyId, pem } = await readActor(look);
  const { rsa } = await keysOf(look.federation, instanceHandle);
  const url = new URL(look.actorIri);
  const signed = await signCavage(
    { method: 'GET', url, body: null },
    { keyId: rsa.id, privateKey: rsa.privateKey },
    house.now(),
  );
  const headers = Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toLowerCase(), [value]]));
  const request = { method: 'GET', target: url.pathname, host: url.host, scheme: url.protocol, headers, body: null };
  const claim = readCavage(request, house.now());
  const key = readRsaPublicKey(pem);
  expectSame('keyId', claim?.keyId, keyId);
  if (claim === null || key === null || !(await verifyCavage(claim, key))) throw new Finding(`${keyId} ≠ Signature`);
  expectStatus(await look.probe(look.actorIri, { method: 'GET', headers: { accept: activityType, ...signed } }), 200);
}

/** An unsigned activity must come as far as our own door, and be turned away there with 401. */
async function checkInbox({ probe, baseUrl }: Look): Promise<void> {
  const headers = { 'content-type': activityType };
  expectStatus(await probe(`${baseUrl}/inbox`, { method: 'POST', headers, body: Buffer.from('{}') }), 401);
}

function expectStatus({ status }: ProbeAnswer, expected: number): void {
  if (status !== expected) throw new Finding(`HTTP ${status} ≠ ${expected}`);
}

function expectType({ contentType }: ProbeAnswer, expected: string): void {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== expected) throw new Finding(`Content-Type: ${contentType}`);
}

function expectSame(what: string, found: unknown, expected: string): void {
  if (found !== expected) throw new Finding(`${what}: ${String(found).slice(0, 200)} ≠ ${expected}`);
}

function readJson({ body }: ProbeAnswer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    if (typeof json === 'object' && json !== null) return json as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Finding('JSON: –');
}
