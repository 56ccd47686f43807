// A hoster's web server for tests: serves ChatonsInfos files on 127.0.0.1, and misbehaves where it is told to.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';

/** What a path does instead of serving its file properly. */
export type Behaviour =
  | 'slow-drip'
  | 'silent'
  | 'endless-body'
  | 'endless-redirect'
  | 'not-found'
  | 'gone'
  | 'server-error'
  | 'wrong-content-type'
  | 'oversized'
  | 'binary'
  | { redirectTo: string };

export interface Hit {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  status: number;
}

export interface ChatonsInfosServer {
  baseUrl: string;
  /** Every request, in order. Empty it with `hits.length = 0`. */
  hits: Hit[];
  /** Publishes or replaces a file; its ETag and Last-Modified change with it. */
  publish(path: string, content: string | Uint8Array): void;
  behave(path: string, behaviour: Behaviour | null): void;
  close(): Promise<void>;
}

interface Published {
  body: Buffer;
  etag: string;
  modified: Date;
}

/**
 * Starts a server on a free port. Paths begin with `/`. In the files `{{base}}` stands for the server's own address.
 * Answers 304 to If-None-Match and If-Modified-Since, 404 to what it does not have.
 */
export async function startChatonsInfosServer(options: {
  files: ReadonlyMap<string, string | Uint8Array>;
  behaviours?: Record<string, Behaviour>;
}): Promise<ChatonsInfosServer> {
  const files = new Map<string, Published>();
  const behaviours = new Map(Object.entries(options.behaviours ?? {}));
  const hits: Hit[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const behaviour = behaviours.get(pathname);
    const file = files.get(pathname);
    if (behaviour !== undefined) misbehave(behaviour, request, response, file);
    else serve(file, request, response);
    hits.push({ method: request.method ?? '', path: pathname, headers: request.headers, status: response.statusCode });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the test server has no port');
  const baseUrl = `http://127.0.0.1:${address.port}`;
  const publish = (name: string, content: string | Uint8Array): void => {
    const body = withBase(content, baseUrl);
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
    files.set(name, { body, etag, modified: new Date() });
  };
  for (const [name, content] of options.files) publish(name, content);
  return {
    baseUrl,
    hits,
    publish,
    behave(name, behaviour) {
      if (behaviour === null) behaviours.delete(name);
      else behaviours.set(name, behaviour);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Byte by byte, so that the encoding of the file stays what it is. */
function withBase(content: string | Uint8Array, baseUrl: string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.from(bytes.toString('latin1').replaceAll('{{base}}', baseUrl), 'latin1');
}

function serve(file: Published | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!file) {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<!doctype html><title>404</title>');
    return;
  }
  const headers = { etag: file.etag, 'last-modified': file.modified.toUTCString() };
  if (isFresh(file, request.headers)) response.writeHead(304, headers).end();
  else response.writeHead(200, { ...headers, 'content-type': 'text/plain; charset=utf-8' }).end(file.body);
}

function isFresh(file: Published, headers: IncomingHttpHeaders): boolean {
  if (headers['if-none-match'] !== undefined) return headers['if-none-match'] === file.etag;
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return Math.floor(file.modified.getTime() / 1000) * 1000 <= since;
}

function misbehave(
  behaviour: Behaviour,
  request: IncomingMessage,
  response: ServerResponse,
  file: Published | undefined,
): void {
  if (typeof behaviour === 'object') {
    response.writeHead(302, { location: behaviour.redirectTo }).end();
    return;
  }
  const text = { 'content-type': 'text/plain; charset=utf-8' };
  switch (behaviour) {
    case 'silent':
      return;
    case 'slow-drip':
      response.writeHead(200, text);
      repeat(response, 100, () => response.write('#'));
      return;
    case 'endless-body':
      response.writeHead(200, text);
      pour(response);
      return;
    case 'endless-redirect': {
      const url = new URL(request.url ?? '/', 'http://localhost');
      url.searchParams.set('again', String(Number(url.searchParams.get('again') ?? 0) + 1));
      response.writeHead(302, { location: url.pathname + url.search }).end();
      return;
    }
    case 'not-found':
      response.writeHead(404, text).end('not here');
      return;
    case 'gone':
      response.writeHead(410, text).end('not here any more');
      return;
    case 'server-error':
      response.writeHead(500, text).end('out of order');
      return;
    case 'wrong-content-type':
      response.writeHead(200, { 'content-type': 'text/html' }).end(file?.body ?? '<!doctype html><title>Hello</title>');
      return;
    case 'oversized':
      response.writeHead(200, text).end(oversizedProperties());
      return;
    case 'binary':
      response.writeHead(200, text).end(readFixture('binary.properties'));
  }
}

function repeat(response: ServerResponse, milliseconds: number, step: () => void): void {
  const timer = setInterval(step, milliseconds);
  response.on('close', () => clearInterval(timer));
}

/** Sends comments for ever, at the speed at which they are read. */
function pour(response: ServerResponse): void {
  if (response.destroyed) return;
  if (response.write('# and so on\n'.repeat(1000))) setImmediate(() => pour(response));
  else response.once('drain', () => pour(response));
}

/** A valid organisation file of at least this many bytes. */
export function oversizedProperties(bytes = 2 * 1024 * 1024): string {
  const line = `# ${'x'.repeat(97)}\n`;
  const head = 'file.class = organization\norganization.name = Trop grand\n';
  return head + line.repeat(Math.ceil((bytes - head.length) / line.length));
}

function fixtureFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return path.join(folder, 'test/fixtures/chatonsinfos');
}

/** The bytes of one file of test/fixtures/chatonsinfos. */
export function readFixture(name: string): Uint8Array {
  return readFileSync(path.join(fixtureFolder(), name));
}

/** The quirky hoster of test/fixtures/chatonsinfos as files to serve: `/organization.properties` and what it names. */
export function quirkyChatonsInfosFiles(): Map<string, Uint8Array> {
  const names = readdirSync(fixtureFolder()).filter((name) => name.endsWith('.properties'));
  return new Map(names.toSorted().map((name) => [`/${name}`, readFixture(name)]));
}
