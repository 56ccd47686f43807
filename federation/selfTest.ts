// Looks at this instance as a peer would: over the network, at its public address, through whatever stands in front of it.
// Every address asked for is made here from BASE_URL; nothing that anybody else says leads this way out anywhere.
import type { SelfTestLine } from '../server/house.js';
import { keysOf } from './actorKeys.js';
import { instanceHandle } from './actors.js';
import type { Federation } from './federation.js';
import { activityType, createFetch, FetchError, isActivityType, type Probe, type ProbeAnswer } from './fetch.js';
import { readCavage, signCavage, verifyCavage } from './signatures/cavage.js';
import { readRsaPublicKey } from './signatures/keys.js';

interface Look {
  federation: Federation;
  baseUrl: string;
  actorIri: string;
  probe: Probe;
}

/** What is wrong, as it stands on the page beside what to do about it. */
class Finding extends Error {
  override readonly name = 'Finding';
}

const checks: Record<SelfTestLine['name'], (look: Look) => Promise<void>> = {
  actor: checkActor,
  webFingerByName: (look) => checkWebFinger(look, `acct:${instanceHandle}@${new URL(look.baseUrl).host}`),
  webFingerByAddress: (look) => checkWebFinger(look, look.actorIri),
  nodeInfo: checkNodeInfo,
  signature: checkSignature,
  inbox: checkInbox,
};

/** One line for each thing that peers rely on, in the order in which to mend them. Takes at most a minute. */
export async function runSelfTest(federation: Federation): Promise<SelfTestLine[]> {
  const { site, now } = federation.house;
  const baseUrl = site.baseUrl;
  const way = createFetch({
    ownOrigin: '',
    onlyOrigin: baseUrl,
    userAgent: 'Chatiere self-test',
    privateHosts: [],
    now,
  });
  const look = { federation, baseUrl, actorIri: federation.apex.actorIri(instanceHandle), probe: way.probe };
  const lines: SelfTestLine[] = [];
  try {
    for (const [name, check] of Object.entries(checks) as [SelfTestLine['name'], (look: Look) => Promise<void>][]) {
      lines.push(
        await check(look).then(
          () => ({ name, finding: null }),
          (error: unknown) => ({ name, finding: said(error) }),
        ),
      );
    }
  } finally {
    await way.close();
  }
  return lines;
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
