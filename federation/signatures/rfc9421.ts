// HTTP message signatures after RFC 9421: reading and verifying, RSA and Ed25519; writing, RSA. We read exactly one
// signature, of the shape that ActivityPub servers send; anything else is refused rather than half understood.
import type { KeyObject } from 'node:crypto';
import { contentDigestMatches, contentDigestOf } from './digest.js';
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
const algorithms = ['rsa-v1_5-sha256', 'ed25519'];

/** The claim of Signature-Input and Signature; null: there is no Signature-Input. */
export function readMessageSignature(request: SignedRequest, now: Date): SignatureClaim | null {
  if (request.headers['signature-input'] === undefined) return null;
  const input = readInput(oneHeader(request, 'signature-input'));
  const signature = readSignature(oneHeader(request, 'signature'), input.label);
  checkCovered(input.components, request.body !== null);
  checkTimes(input.parameters, now);
  if (request.body !== null && !contentDigestMatches(oneHeader(request, 'content-digest'), request.body)) {
    throw new SignatureProblem('the content digest does not fit the body');
  }
  const algorithm = input.parameters.get('alg') ?? null;
  if (algorithm !== null && !algorithms.includes(algorithm)) {
    throw new SignatureProblem('the algorithm is not accepted');
  }
  const keyId = input.parameters.get('keyid');
  if (keyId === undefined) throw new SignatureProblem('the parameter keyid is missing');
  const bases = [signatureBase(input, request)];
  return { scheme: 'rfc9421', keyId, algorithm, signature, covered: input.components, bases };
}

/** Whether a claim was made with this key; the key's own type decides, the name in `alg` must fit it. */
export async function verifyMessageSignature(claim: SignatureClaim, key: KeyObject): Promise<boolean> {
  const fits = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'rsa-v1_5-sha256';
  if (claim.algorithm !== null && claim.algorithm !== fits) return false;
  return verifyAnyOffThread(fits === 'ed25519' ? null : 'RSA-SHA256', claim, key);
}

/**
 * Headers that sign a request: Signature-Input, Signature, and Content-Digest where there is a body. Covers what Mastodon
 * asks for (@method, @target-uri, content-digest, `created`), and more headers where there are some.
 */
export async function signMessage(
  request: OutgoingRequest,
  signer: RequestSigner,
  now: Date,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = { ...request.headers };
  if (request.body !== null) headers['content-digest'] = contentDigestOf(request.body);
  const components = ['@method', '@target-uri', ...Object.keys(headers)];
  const created = Math.floor(now.getTime() / 1000);
  const list = components.map((name) => `"${name}"`).join(' ');
  const raw = `(${list});created=${created};keyid="${signer.keyId}";alg="rsa-v1_5-sha256"`;
  const { url } = request;
  const base = signatureBase(
    { label: 'sig1', components, parameters: new Map(), raw },
    {
      method: request.method,
      target: `${url.pathname}${url.search}`,
      host: url.host,
      scheme: url.protocol,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      body: request.body,
    },
  );
  const signature = await signOffThread(base, signer.privateKey);
  return {
    host: url.host,
    ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
    ...headers,
    'signature-input': `sig1=${raw}`,
    signature: `sig1=:${signature.toString('base64')}:`,
  };
}

export interface SignatureInput {
  label: string;
  components: string[];
  parameters: Map<string, string>;
  /** The inner list with its parameters, exactly as sent: the value of @signature-params. */
  raw: string;
}

/** label=("a" "b");created=1;keyid="k": one member, no component parameters. */
export function readInput(header: string): SignatureInput {
  if (header.length > maxHeader) throw new SignatureProblem('the Signature-Input header is too long');
  const whole =
    /^\s*([a-z*][a-z0-9_.*-]{0,60})=(\(([^()]*)\)((?:;[a-z][a-z0-9_-]{0,30}=(?:"[^"\\]*"|-?\d{1,15}))*))\s*$/;
  const [, label, raw, list, tail] = whole.exec(header) ?? [];
  if (label === undefined || raw === undefined || list === undefined || tail === undefined) {
    throw new SignatureProblem('the Signature-Input header cannot be read, or has more than one signature');
  }
  const components = list === '' ? [] : list.split(' ').map((item) => readComponent(item));
  if (new Set(components).size !== components.length) throw new SignatureProblem('a component is listed twice');
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, bare] of tail.matchAll(/;([a-z][a-z0-9_-]*)=(?:"([^"\\]*)"|(-?\d+))/g)) {
    if (parameters.has(name)) throw new SignatureProblem(`the parameter ${name} stands twice`);
    parameters.set(name, quoted ?? bare ?? '');
  }
  return { label, components, parameters, raw };
}

/** RFC 9421 §2.5. */
export function signatureBase(input: SignatureInput, request: SignedRequest): string {
  const lines = input.components.map((name) => `"${name}": ${componentValue(name, request)}`);
  return [...lines, `"@signature-params": ${input.raw}`].join('\n');
}

function readComponent(item: string): string {
  const [, name] = /^"([a-z@][a-z0-9-]{0,60})"$/.exec(item) ?? [];
  if (name === undefined) throw new SignatureProblem('a signed component cannot be read');
  return name;
}

function componentValue(name: string, request: SignedRequest): string {
  const question = request.target.indexOf('?');
  switch (name) {
    case '@method':
      return request.method.toUpperCase();
    case '@target-uri':
      return `${request.scheme}//${request.host}${request.target}`;
    case '@authority':
      return request.host.toLowerCase();
    case '@scheme':
      return request.scheme.replace(':', '');
    case '@request-target':
      return request.target;
    case '@path':
      return question === -1 ? request.target : request.target.slice(0, question);
    case '@query':
      return question === -1 ? '?' : request.target.slice(question);
    case 'host':
      return request.host;
    default: {
      const values = name.startsWith('@') ? undefined : request.headers[name];
      if (!values || values.length === 0) throw new SignatureProblem(`the signed component ${name} is missing`);
      return values.map((value) => value.trim()).join(', ');
    }
  }
}

function checkCovered(components: readonly string[], hasBody: boolean): void {
  const where = components.includes('@target-uri') || (has(components, '@authority') && coversPath(components));
  if (!components.includes('@method') || !where) throw new SignatureProblem('not signed: @method and @target-uri');
  if (hasBody && !components.includes('content-digest')) throw new SignatureProblem('not signed: content-digest');
}

function coversPath(components: readonly string[]): boolean {
  return has(components, '@request-target') || (has(components, '@path') && has(components, '@query'));
}

function has(components: readonly string[], name: string): boolean {
  return components.includes(name);
}

function checkTimes(parameters: ReadonlyMap<string, string>, now: Date): void {
  const created = parameters.get('created');
  if (created === undefined) throw new SignatureProblem('the parameter created is missing');
  checkFresh(Number(created) * 1000, now);
  const expires = parameters.get('expires');
  if (expires !== undefined && !(Number(expires) * 1000 > now.getTime())) {
    throw new SignatureProblem('the signature has expired');
  }
}

function readSignature(header: string, label: string): Buffer {
  const prefix = `${label}=:`;
  const text = header.trim();
  const value = text.slice(prefix.length, -1);
  if (!text.startsWith(prefix) || !text.endsWith(':') || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) {
    throw new SignatureProblem('the Signature header does not fit Signature-Input');
  }
  return Buffer.from(value, 'base64');
}
