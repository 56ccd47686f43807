// An ActivityPub server of its own, for tests: node:http and node:crypto only, no line shared with the server or with
// federation/. It looks up, follows, receives, checks every signature and digest that reaches it, and misbehaves on demand.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { dealRsaKeys } from '../rsaKeys.js';
import {
  messageSignatureFits,
  messageSignedHeaders,
  multikeyOf,
  readMessageClaim,
  readSignature,
  type SignOptions,
  sha256,
  signatureFits,
  signedHeaders,
} from './signing.js';

type Json = Record<string, unknown>;

export interface PeerAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
  json: Json;
  at: number;
  scheme: 'cavage' | 'rfc9421' | 'none';
  /** Checked with the key that its keyId leads to. */
  signature: 'valid' | 'invalid' | 'none';
  digestFits: boolean;
}

export interface PeerActor {
  name: string;
  iri: string;
  inbox: string;
  keyId: string;
  privateKey: KeyObject;
  publicPem: string;
  /** For proofs and RFC 9421; listed as assertionMethod. */
  proofKeyId: string;
  proofKey: KeyObject;
  proofMultikey: string;
}

/** What an inbox does with what it gets. */
export type Behaviour = { status: number; headers?: Record<string, string> } | 'hang' | 'reset';

export class Peer {
  readonly actors = new Map<string, PeerActor>();
  readonly received: ReceivedRequest[] = [];
  /** Every request, documents included: "GET /users/alice". */
  readonly log: string[] = [];
  /** Own answers for paths: documents that lie, redirects, errors. */
  readonly pages = new Map<string, (req: IncomingMessage, res: ServerResponse) => void>();
  behaviour: Behaviour = { status: 202 };
  /** What the next requests get, one each, before `behaviour`. */
  readonly script: Behaviour[] = [];
  /** The only scheme that is taken; others are answered with `refusal`. */
  takes: 'cavage' | 'rfc9421' | 'both' = 'both';
  refusal = 401;
  /** Documents only for those who sign, in a scheme that is taken ("secure mode"). */
  wantsSignedGets = false;
  /** The peer's clock. */
  now: () => Date = () => new Date();
  private readonly keys = new Map<string, string>();
  private serial = 0;

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(port = 0, address = '127.0.0.1'): Promise<Peer> {
    let peer: Peer | null = null;
    const server = createServer((req, res) => void peer?.answer(req, res));
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    peer = new Peer(server, `http://${address}:${(server.address() as AddressInfo).port}`);
    return peer;
  }

  get host(): string {
    return new URL(this.origin).host;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** An actor with its document and WebFinger. */
  addActor(name: string, change: Json = {}): PeerActor {
    const { publicKey, privateKey } = dealRsaKeys();
    const iri = `${this.origin}/users/${name}`;
    const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const edwards = generateKeyPairSync('ed25519');
    const actor = {
      name,
      iri,
      inbox: `${iri}/inbox`,
      keyId: `${iri}#main-key`,
      privateKey,
      publicPem,
      proofKeyId: `${iri}#ed25519-key`,
      proofKey: edwards.privateKey,
      proofMultikey: multikeyOf(edwards.publicKey),
    };
    this.actors.set(name, actor);
    this.serveJson(`/users/${name}`, { ...this.document(actor), ...change });
    return actor;
  }

  document(actor: PeerActor): Json {
    return {
      '@context': ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/v1'],
      id: actor.iri,
      type: 'Person',
      preferredUsername: actor.name,
      name: `Actor ${actor.name}`,
      inbox: actor.inbox,
      outbox: `${actor.iri}/outbox`,
      endpoints: { sharedInbox: `${this.origin}/inbox` },
      publicKey: { id: actor.keyId, owner: actor.iri, publicKeyPem: actor.publicPem },
      assertionMethod: [
        { id: actor.proofKeyId, type: 'Multikey', controller: actor.iri, publicKeyMultibase: actor.proofMultikey },
      ],
    };
  }

  serveJson(path: string, document: unknown, { type = 'application/activity+json', status = 200 } = {}): void {
    this.pages.set(path, (_req, res) => res.writeHead(status, { 'content-type': type }).end(JSON.stringify(document)));
  }

  nextId(): string {
    this.serial += 1;
    return `${this.origin}/activities/${this.serial}`;
  }

  /** The actor that another server names for user@host (RFC 7033), from its own document. */
  async lookUp(base: string, account: string): Promise<Json> {
    const jrd = await this.get(`${base}/.well-known/webfinger?resource=acct:${account}`, 'application/jrd+json');
    const links = (JSON.parse(jrd.text) as { links: { rel: string; type?: string; href: string }[] }).links;
    const self = links.find((link) => link.rel === 'self' && link.type === 'application/activity+json');
    if (!self) throw new Error(`no actor for ${account}`);
    return this.getJson(self.href);
  }

  async getJson(url: string): Promise<Json> {
    const answer = await this.get(url);
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
    return JSON.parse(answer.text) as Json;
  }

  async get(
    url: string,
    accept = 'application/activity+json',
    headers: Record<string, string> = {},
  ): Promise<PeerAnswer> {
    return send('GET', url, { accept, ...headers }, null);
  }

  /** Signs as an actor of this peer and posts. `sign` lies about anything. */
  async post(
    actor: PeerActor,
    inbox: string,
    activity: unknown,
    sign: Partial<SignOptions> & { body?: Buffer } = {},
  ): Promise<PeerAnswer> {
    const signedBody = Buffer.from(typeof activity === 'string' ? activity : JSON.stringify(activity));
    const headers = signedHeaders('POST', new URL(inbox), signedBody, {
      keyId: actor.keyId,
      key: actor.privateKey,
      date: this.now(),
      ...sign,
    });
    return send('POST', inbox, headers, sign.body ?? signedBody);
  }

  /** Asks as an actor of this peer would, signed. */
  async getSigned(actor: PeerActor, url: string, sign: Partial<SignOptions> = {}): Promise<PeerAnswer> {
    const options = { keyId: actor.keyId, key: actor.privateKey, date: this.now(), ...sign };
    const headers = signedHeaders('GET', new URL(url), null, options);
    return send('GET', url, { accept: 'application/activity+json', ...headers }, null);
  }

  /** Posts signed after RFC 9421, with the RSA key unless told. */
  async postMessage(
    actor: PeerActor,
    inbox: string,
    activity: unknown,
    { withProofKey = false, tamper = {} }: { withProofKey?: boolean; tamper?: Record<string, string | undefined> } = {},
  ): Promise<PeerAnswer> {
    const body = Buffer.from(JSON.stringify(activity));
    const key = withProofKey
      ? { keyId: actor.proofKeyId, key: actor.proofKey }
      : { keyId: actor.keyId, key: actor.privateKey };
    const headers = messageSignedHeaders('POST', new URL(inbox), body, { ...key, date: this.now(), tamper });
    return send('POST', inbox, headers, body);
  }

  /** Posts without any signature unless headers bring one. */
  async postRaw(inbox: string, body: Buffer | string, headers: Record<string, string>): Promise<PeerAnswer> {
    return send('POST', inbox, headers, Buffer.from(body));
  }

  follow(actor: PeerActor, object: string, id = this.nextId()): Json {
    return { '@context': 'https://www.w3.org/ns/activitystreams', id, type: 'Follow', actor: actor.iri, object };
  }

  /** What arrived, by the type of activity. */
  ofType(type: string): ReceivedRequest[] {
    return this.received.filter((one) => one.json.type === type);
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? '/';
    this.log.push(`${req.method} ${path}`);
    const page = this.pages.get(path.split('?')[0] ?? path);
    if (req.method === 'GET') {
      if (this.wantsSignedGets && !(await this.isWelcome(req))) return void res.writeHead(this.refusal).end();
      return page ? page(req, res) : this.webFinger(path, res);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk as Buffer));
    const received = await this.take(req, Buffer.concat(chunks));
    const behaviour = this.script.shift() ?? this.behaviour;
    if (behaviour === 'hang') return;
    if (behaviour === 'reset') return void req.socket.destroy();
    const isTaken = this.takes === 'both' || (received.scheme === this.takes && received.signature === 'valid');
    res.writeHead(isTaken ? behaviour.status : this.refusal, isTaken ? behaviour.headers : {}).end();
  }

  private async take(req: IncomingMessage, body: Buffer): Promise<ReceivedRequest> {
    const { scheme, signature } = await this.check(req);
    const received: ReceivedRequest = {
      method: req.method ?? '',
      path: req.url ?? '',
      headers: req.headers,
      body,
      json: parse(body),
      at: Date.now(),
      scheme,
      signature,
      digestFits:
        scheme === 'rfc9421'
          ? req.headers['content-digest'] === `sha-256=:${sha256(body)}:`
          : req.headers.digest === `SHA-256=${sha256(body)}`,
    };
    this.received.push(received);
    return received;
  }

  private async isWelcome(req: IncomingMessage): Promise<boolean> {
    const { scheme, signature } = await this.check(req);
    return signature === 'valid' && (this.takes === 'both' || this.takes === scheme);
  }

  private async check(req: IncomingMessage): Promise<Pick<ReceivedRequest, 'scheme' | 'signature'>> {
    const needsDigest = req.method === 'POST';
    const request = { method: req.method ?? '', path: req.url ?? '', headers: req.headers };
    if (req.headers['signature-input'] !== undefined) {
      const claim = readMessageClaim(req.headers);
      const wanted = ['@method', '@target-uri', ...(needsDigest ? ['content-digest'] : [])];
      const isCurrent = claim !== null && Math.abs(claim.created * 1000 - this.now().getTime()) < 3_600_000;
      const pem = claim === null ? null : await this.keyFor(claim.keyId);
      const isValid =
        claim !== null &&
        isCurrent &&
        pem !== null &&
        wanted.every((name) => claim.names.includes(name)) &&
        messageSignatureFits(claim, { ...request, url: `${this.origin}${request.path}` }, pem);
      return { scheme: 'rfc9421', signature: isValid ? 'valid' : 'invalid' };
    }
    const claimed = readSignature(req.headers.signature as string | undefined);
    if (!claimed) return { scheme: 'none', signature: 'none' };
    const pem = await this.keyFor(claimed.keyId);
    const wanted = ['(request-target)', 'host', 'date', ...(needsDigest ? ['digest'] : [])];
    const covers = wanted.every((name) => claimed.names.includes(name));
    const isValid = pem !== null && covers && signatureFits(claimed, request, pem);
    return { scheme: 'cavage', signature: isValid ? 'valid' : 'invalid' };
  }

  private async keyFor(keyId: string): Promise<string | null> {
    return this.keys.get(keyId) ?? (await this.fetchKey(keyId));
  }

  private async fetchKey(keyId: string): Promise<string | null> {
    const answer = await this.get(keyId.split('#')[0] ?? keyId);
    if (answer.status !== 200) return null;
    const key = (JSON.parse(answer.text) as { publicKey?: { id?: string; publicKeyPem?: string } }).publicKey;
    if (key?.id !== keyId || !key.publicKeyPem) return null;
    this.keys.set(keyId, key.publicKeyPem);
    return key.publicKeyPem;
  }

  private webFinger(path: string, res: ServerResponse): void {
    const [, name] = /^\/\.well-known\/webfinger\?resource=acct(?::|%3A)([a-z0-9]+)/i.exec(path) ?? [];
    const actor = name === undefined ? undefined : this.actors.get(name);
    if (!actor) return void res.writeHead(404).end();
    const links = [{ rel: 'self', type: 'application/activity+json', href: actor.iri }];
    res
      .writeHead(200, { 'content-type': 'application/jrd+json' })
      .end(JSON.stringify({ subject: `acct:${actor.name}@${this.host}`, links }));
  }
}

function parse(body: Buffer): Json {
  try {
    return JSON.parse(body.toString('utf8')) as Json;
  } catch {
    return {};
  }
}

function send(
  method: string,
  url: string,
  headers: Record<string, string | string[]>,
  body: Buffer | null,
): Promise<PeerAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === null || 'transfer-encoding' in headers ? {} : { 'content-length': String(body.length) };
    const outgoing = httpRequest(url, { method, headers: { ...headers, ...length }, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body ?? undefined);
  });
}
