// HTTP signatures after draft-cavage-http-signatures-12, as Mastodon and nearly everybody else speaks it today.
// Reading and writing only: which key counts is federation/verify.ts's business.
import type { KeyObject } from 'node:crypto';
import { digestMatches, digestOf } from './digest.js';
import { type OutgoingRequest, type RequestSigner, signOffThread } from './outgoing.js';
import {
  checkFresh,
  oneHeader,
  type SignatureClaim,
  SignatureProblem,
  type SignedRequest,
  verifyAnyOffThread,
} from './request.js';

const maxHeader = 4096;

/** The claim of a request's Signature (or Authorization: Signature) header; null: there is none. */
export function readCavage(request: SignedRequest, now: Date): SignatureClaim | null {
  const header = signatureHeader(request);
  if (header === null) return null;
  const parameters = readParameters(header);
  const signed = signedHeaders(parameters);
  checkRequired(signed, request.body !== null);
  checkDates(signed, parameters, request, now);
  checkDigest(signed, request);
  const algorithm = parameters.get('algorithm') ?? null;
  if (algorithm !== null && !['rsa-sha256', 'hs2019'].includes(algorithm)) {
    throw new SignatureProblem('the algorithm is not accepted');
  }
  return {
    scheme: 'cavage',
    keyId: parameters.get('keyId') ?? '',
    algorithm,
    signature: readSignature(parameters.get('signature')),
    covered: signed,
    bases: targets(request.target).map((target) => signingString(signed, { ...request, target }, parameters)),
  };
}

/** Whether a claim was made with this RSA key. PKCS #1 v1.5 with SHA-256, which is also what peers mean by hs2019. */
export function verifyCavage(claim: SignatureClaim, key: KeyObject): Promise<boolean> {
  return verifyAnyOffThread('RSA-SHA256', claim, key);
}

/**
 * Headers that sign a request: Host, Date, Signature, and Digest where there is a body. RSA-SHA256, named "rsa-sha256" as
 * Mastodon does.
 */
export async function signCavage(
  request: OutgoingRequest,
  signer: RequestSigner,
  now: Date,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = { host: request.url.host, date: now.toUTCString() };
  if (request.body !== null) headers.digest = digestOf(request.body);
  if (request.contentType !== undefined) headers['content-type'] = request.contentType;
  Object.assign(headers, request.headers);
  const names = ['(request-target)', ...Object.keys(headers)];
  const signing: SignedRequest = {
    method: request.method,
    target: `${request.url.pathname}${request.url.search}`,
    host: request.url.host,
    scheme: request.url.protocol,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    body: request.body,
  };
  const signature = await signOffThread(signingString(names, signing, new Map()), signer.privateKey);
  const fields = [
    `keyId="${signer.keyId}"`,
    'algorithm="rsa-sha256"',
    `headers="${names.join(' ')}"`,
    `signature="${signature.toString('base64')}"`,
  ];
  return { ...headers, signature: fields.join(',') };
}

/** draft-cavage-12 §2.3. */
export function signingString(
  signed: readonly string[],
  request: SignedRequest,
  parameters: ReadonlyMap<string, string>,
): string {
  return signed.map((name) => `${name}: ${signedValue(name, request, parameters)}`).join('\n');
}

function signedValue(name: string, request: SignedRequest, parameters: ReadonlyMap<string, string>): string {
  if (name === '(request-target)') return `${request.method.toLowerCase()} ${request.target}`;
  if (name === '(created)' || name === '(expires)') {
    const value = parameters.get(name.slice(1, -1));
    if (value === undefined) throw new SignatureProblem(`the parameter ${name} is missing`);
    return value;
  }
  if (name === 'host') return request.host;
  const values = request.headers[name];
  if (!values || values.length === 0) throw new SignatureProblem(`the signed header ${name} is missing`);
  return values.map((value) => value.trim()).join(', ');
}

function signatureHeader(request: SignedRequest): string | null {
  const plain = request.headers.signature ?? [];
  const authorization = (request.headers.authorization ?? []).flatMap((value) =>
    /^signature\s/i.test(value) ? [value.replace(/^signature\s+/i, '')] : [],
  );
  const [first, ...others] = [...plain, ...authorization];
  if (first === undefined) return null;
  if (others.length > 0) throw new SignatureProblem('there is more than one signature');
  if (first.length > maxHeader) throw new SignatureProblem('the signature header is too long');
  return first;
}

/** name="value" or name=number, comma separated; each name once. */
function readParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const parameter = /\s*([A-Za-z][A-Za-z0-9_-]{0,30})=(?:"([^"\\]*)"|(\d{1,15}(?:\.\d{1,6})?))\s*(,|$)/y;
  while (parameter.lastIndex < header.length) {
    const at = parameter.lastIndex;
    const [, name, quoted, bare, separator] = parameter.exec(header) ?? [];
    if (name === undefined) throw new SignatureProblem(`the signature header cannot be read at character ${at}`);
    if (parameters.has(name)) throw new SignatureProblem(`the parameter ${name} stands twice`);
    if (bare !== undefined && name !== 'created' && name !== 'expires') {
      throw new SignatureProblem(`the parameter ${name} needs quotes`);
    }
    parameters.set(name, quoted ?? bare ?? '');
    if (separator === '') break;
  }
  return parameters;
}

function signedHeaders(parameters: ReadonlyMap<string, string>): string[] {
  const names = (parameters.get('headers') ?? '').toLowerCase().split(' ').filter(Boolean);
  if (new Set(names).size !== names.length) throw new SignatureProblem('a header is listed twice');
  return names;
}

/** Who signs less than this lets a stranger use the signature for something else. */
function checkRequired(signed: readonly string[], hasBody: boolean): void {
  const required = ['(request-target)', 'host', ...(hasBody ? ['digest'] : [])];
  const missing = required.filter((name) => !signed.includes(name));
  if (!signed.includes('date') && !signed.includes('(created)')) missing.push('date');
  if (missing.length > 0) throw new SignatureProblem(`not signed: ${missing.join(', ')}`);
}

function checkDates(
  signed: readonly string[],
  parameters: ReadonlyMap<string, string>,
  request: SignedRequest,
  now: Date,
): void {
  if (signed.includes('date')) checkFresh(Date.parse(oneHeader(request, 'date')), now);
  const created = parameters.get('created');
  if (signed.includes('(created)')) {
    // draft-cavage-12 §2.3: (created) must not be used with the older algorithm names.
    if (parameters.get('algorithm')?.startsWith('rsa')) throw new SignatureProblem('(created) needs hs2019');
    checkFresh(Number(created) * 1000, now);
  }
  const expires = parameters.get('expires');
  if (expires !== undefined && !(Number(expires) * 1000 > now.getTime())) {
    throw new SignatureProblem('the signature has expired');
  }
}

function checkDigest(signed: readonly string[], request: SignedRequest): void {
  if (request.body === null || !signed.includes('digest')) return;
  const digests = request.headers.digest ?? [];
  if (digests.length === 0 || !digestMatches(digests.join(','), request.body)) {
    throw new SignatureProblem('the digest does not fit the body');
  }
}

function readSignature(text: string | undefined): Buffer {
  if (!text || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new SignatureProblem('the signature is not base64');
  return Buffer.from(text, 'base64');
}

/** GoToSocial and Mastodon sign some requests without the query: both readings are tried. */
function targets(target: string): string[] {
  const path = target.split('?')[0] ?? target;
  return path === target ? [target] : [target, path];
}
