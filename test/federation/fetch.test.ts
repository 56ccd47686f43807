// The way out: addresses that must never be asked for (AP-60 to AP-63, AP-65), limits (AP-71, AP-72), content types (AP-26).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { Readable, type Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constants, createBrotliCompress, createDeflate, createGzip, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { createFetch, deadlineMs, type Fetch, type FetchOptions } from '../../federation/fetch.js';
import { isActivityType, readRetryAfter } from '../../federation/fetchAnswers.js';
import { FetchError } from '../../federation/fetchErrors.js';
import { isPublicAddress } from '../../federation/publicAddress.js';
import { readSignature, signatureFits } from '../support/peer/signing.js';
import { dealRsaKeys } from '../support/rsaKeys.js';

type Answerer = (req: IncomingMessage, res: ServerResponse) => void;

const now = new Date('2026-05-21T10:00:00Z');

describe('the way out to the network', () => {
  let server: Server;
  let host: string;
  let answers: Map<string, Answerer>;
  let seen: IncomingMessage[];
  let fetch: Fetch;
  const opened: Fetch[] = [];

  function build(change: Partial<FetchOptions> = {}): Fetch {
    const made = createFetch({
      ownOrigin: 'https://us.example',
      userAgent: 'Test',
      privateHosts: [host],
      now: () => now,
      ...change,
    });
    opened.push(made);
    return made;
  }

  beforeEach(async () => {
    answers = new Map();
    seen = [];
    server = createServer((req, res) => {
      seen.push(req);
      const answer = answers.get(req.url ?? '');
      if (answer) answer(req, res);
      else res.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    fetch = build();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((made) => made.close()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const activity = (json: unknown, type = 'application/activity+json'): Answerer => {
    return (_req, res) => res.writeHead(200, { 'content-type': type }).end(JSON.stringify(json));
  };

  async function reason(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return 'accepted';
    } catch (error) {
      return error instanceof FetchError ? error.reason : String(error);
    }
  }

  it('still posts while strangers have it wait for as many silent servers as it asks at once', async () => {
    answers.set('/inbox', (_req, res) => res.writeHead(202).end());
    const silent = await Promise.all(
      Array.from({ length: 25 }, async () => {
        const one = createTcpServer();
        await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
        return one;
      }),
    );
    const hosts = silent.map((one) => `127.0.0.1:${(one.address() as AddressInfo).port}`);
    const busy = build({ privateHosts: [host, ...hosts] });
    const ends = new AbortController();
    const wanted = { maxBytes: 100, timeoutMs: 9000, signal: ends.signal };
    const waiting = hosts.map((one) => busy.fetchText(`http://${one}/`, wanted));
    await Promise.all(silent.slice(0, 5).map((one) => new Promise((resolve) => one.once('connection', resolve))));
    const answer = await Promise.race([
      busy.post(`http://${host}/inbox`, Buffer.from('{}'), {}),
      new Promise((resolve) => setTimeout(resolve, 2000, 'no place')),
    ]);
    ends.abort();
    await Promise.all(waiting);
    for (const one of silent) one.close();
    expect(answer).to.deep.equal({ status: 202, retryAfter: null });
  });

  it('reads a document and tells where it was in the end', async () => {
    answers.set('/a', (_req, res) => res.writeHead(302, { location: '/b' }).end());
    answers.set('/b', activity({ id: 'x' }));
    expect(await fetch.fetchActivityJson(`http://${host}/a`)).to.deep.equal({
      json: { id: 'x' },
      bytes: Buffer.from('{"id":"x"}'),
      url: `http://${host}/b`,
    });
    expect(seen[0]?.headers.accept).to.contain('application/activity+json');
  });

  it('calls only ordinary public addresses public', () => {
    for (const good of ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '2a00:1450:4007::1']) {
      expect(isPublicAddress(good), good).to.equal(true);
    }
    const private4 =
      '127.0.0.1 127.9.9.9 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 240.0.0.1 255.255.255.255';
    const private6 =
      '::1 :: ::ffff:127.0.0.1 ::ffff:7f00:1 ::7f00:1 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001::1 2001:db8::1 fc00::1 fd00::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 3fff::1 4000::1 100::1';
    for (const bad of [...private4.split(' '), ...private6.split(' '), '', 'example.org']) {
      expect(isPublicAddress(bad), bad).to.equal(false);
    }
  });

  it('refuses private literals in every spelling, other schemes, ports and credentials, without asking the resolver', async () => {
    let lookups = 0;
    const strict = build({
      privateHosts: [],
      lookup: ((_host: string, _options: unknown, done: (error: Error) => void) => {
        lookups++;
        done(new Error('asked'));
      }) as never,
    });
    const hosts =
      '127.0.0.1 127.9.9.9 0.0.0.0 0 2130706433 0x7f.1 0177.0.0.1 127.1 ①②⑦.⓪.⓪.① 127。0。0。1 localhost localhost. x.localhost. intranet 169.254.169.254 10.1.2.3 192.168.0.1 [::1] [::] [::ffff:127.0.0.1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1] [fc00::1]';
    const addresses = [
      ...hosts.split(' ').map((name) => `https://${name}/x`),
      'http://peer.example/x',
      'https://peer.example:8443/x',
      'https://peer.example:22/x',
      'https://user@peer.example/x',
      'https://user:pass@peer.example/x',
      'file:///etc/passwd',
      'ftp://peer.example/x',
      'gopher://peer.example/',
      'data:text/plain,x',
      'javascript:1',
      'unix:/run/x.sock',
      'http://unix:/run/x.sock:/x',
      'https://us.example/actors/a',
      'https://us.example:443/actors/a',
      `https://peer.example/${'a'.repeat(3000)}`,
      'not an address',
      '',
    ];
    for (const address of addresses) {
      expect(await reason(strict.fetchActivityJson(address)), address).to.equal('refused-address');
      expect(await reason(strict.post(address, Buffer.from('x'), {})), address).to.equal('refused-address');
      const outcome = await strict.fetchText(address, { maxBytes: 10, timeoutMs: 1000 });
      expect(outcome, address).to.deep.equal({ outcome: 'failed', reason: 'refused-address' });
    }
    expect(lookups).to.equal(0);
  });

  it('refuses names of which any address is private, also when the answer changes between two questions', async () => {
    let connections = 0;
    const canary = createTcpServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    let answer: string[] = [];
    const lookup = ((_host: string, _options: unknown, done: (error: null, list: object[]) => void) => {
      done(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) as never;
    const guarded = build({ privateHosts: [], lookup });
    for (const list of [
      ['127.0.0.1'],
      ['93.184.216.34', '10.0.0.1'],
      ['::ffff:10.0.0.1'],
      ['::1'],
      [],
      Array(1000).fill('93.184.216.34'),
    ]) {
      answer = list;
      expect(await reason(guarded.fetchActivityJson('https://rebind.example/x')), list.slice(0, 3).join()).to.equal(
        'refused-address',
      );
    }
    answer = ['127.0.0.1'];
    expect(await reason(guarded.post('https://rebind.example/x', Buffer.from('x'), {}))).to.equal('refused-address');
    expect(connections).to.equal(0);
    canary.close();
  });

  it('checks every redirect like a first address, and follows three', async () => {
    const targets = [
      'http://127.0.0.1:1/x',
      'https://169.254.169.254/',
      'file:///etc/passwd',
      'https://us.example/',
      'gopher://x/',
      'http://[',
    ];
    for (const [index, location] of targets.entries()) {
      answers.set(`/to${index}`, (_req, res) => res.writeHead(302, { location }).end());
      expect(await reason(fetch.fetchActivityJson(`http://${host}/to${index}`)), location).to.equal('refused-address');
    }
    for (const count of [1, 2, 3, 4])
      answers.set(`/hop${count}`, (_req, res) => res.writeHead(307, { location: `/hop${count - 1}` }).end());
    answers.set('/hop0', activity({ id: 'x' }));
    expect(await reason(fetch.fetchActivityJson(`http://${host}/hop3`))).to.equal('accepted');
    expect(await reason(fetch.fetchActivityJson(`http://${host}/hop4`))).to.equal('too-many-redirects');
    answers.set('/loop', (_req, res) => res.writeHead(302, { location: '/loop' }).end());
    expect(await reason(fetch.fetchActivityJson(`http://${host}/loop`))).to.equal('too-many-redirects');
  });

  it('brings no signature to another origin: there the request is signed anew, for it alone (AP-63)', async () => {
    const heard: IncomingMessage[] = [];
    const other = createServer((req, res) => {
      heard.push(req);
      activity({ id: 'x' })(req, res);
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const there = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    answers.set('/a', (_req, res) => res.writeHead(302, { location: `http://${there}/a` }).end());
    const { publicKey, privateKey } = dealRsaKeys();
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const signAs = { keyId: 'https://us.example/actors/instance#main-key', privateKey };
    const wide = build({ privateHosts: [host, there] });
    for (const scheme of ['cavage', 'rfc9421'] as const) {
      await wide.fetchActivityJson(`http://${host}/a`, { signAs, scheme });
      const [here, next] = [seen.pop(), heard.pop()];
      expect(here?.headers.signature, scheme).to.be.a('string');
      expect(next?.headers.signature, scheme).to.be.a('string').and.not.equal(here?.headers.signature);
      if (scheme === 'rfc9421') continue;
      const fits = (request: IncomingMessage | undefined, as: string): boolean => {
        const claim = readSignature(String(request?.headers.signature));
        const asked = { method: 'GET', path: '/a', headers: { ...request?.headers, host: as } };
        return claim !== null && signatureFits(claim, asked, pem);
      };
      expect(fits(here, host)).to.equal(true);
      expect(fits(next, there)).to.equal(true);
      expect(fits(next, host), 'of use against the first server').to.equal(false);
    }
    other.closeAllConnections();
    other.close();
  });

  it('does not follow a redirect of a delivery', async () => {
    answers.set('/inbox', (_req, res) => res.writeHead(307, { location: '/other' }).end());
    expect((await fetch.post(`http://${host}/inbox`, Buffer.from('x'), {})).status).to.equal(307);
    expect(seen.length).to.equal(1);
  });

  it('believes only ActivityStreams content types', async () => {
    const good = [
      'application/activity+json',
      'Application/Activity+JSON; charset=utf-8',
      'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
      'application/ld+json;charset=utf-8;profile="https://www.w3.org/ns/activitystreams"',
    ];
    const bad = [
      'text/plain',
      'application/json',
      'image/png',
      'application/octet-stream',
      'text/html',
      'application/ld+json',
      'application/ld+json; profile="https://evil.example"',
      '',
    ];
    for (const type of good) expect(isActivityType(type), type).to.equal(true);
    for (const type of bad) {
      answers.set('/a', activity({ id: 'x' }, type));
      expect(await reason(fetch.fetchActivityJson(`http://${host}/a`)), type).to.equal('bad-content');
    }
    expect(isActivityType(null)).to.equal(false);
  });

  it('stops at the size, counted after unpacking', async () => {
    answers.set('/endless', (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/activity+json' });
      const chunk = Buffer.alloc(64 * 1024, 0x20);
      const more = (): void => {
        while (!res.destroyed && res.write(chunk));
      };
      res.on('drain', more);
      more();
    });
    answers.set('/bomb', (_req, res) => {
      const packed = gzipSync(Buffer.alloc(50 * 1024 * 1024, 0x20));
      res.writeHead(200, { 'content-type': 'application/activity+json', 'content-encoding': 'gzip' }).end(packed);
    });
    answers.set('/gzip', (_req, res) => {
      res
        .writeHead(200, { 'content-type': 'application/activity+json', 'content-encoding': 'gzip' })
        .end(gzipSync('{"id":"x"}'));
    });
    for (const encoding of ['gzip, gzip', 'zstd', 'gzip', 'constructor']) {
      answers.set(`/${encoding.length}`, (_req, res) => {
        res
          .writeHead(200, { 'content-type': 'application/activity+json', 'content-encoding': encoding })
          .end('not packed');
      });
      expect(await reason(fetch.fetchActivityJson(`http://${host}/${encoding.length}`)), encoding).to.equal(
        'bad-content',
      );
    }
    expect(await reason(fetch.fetchActivityJson(`http://${host}/endless`))).to.equal('too-large');
    expect(await reason(fetch.fetchActivityJson(`http://${host}/bomb`))).to.equal('too-large');
    expect(await reason(fetch.fetchActivityJson(`http://${host}/gzip`))).to.equal('accepted');
  });

  it('ends bombs, endless answers and false lengths soon, and keeps little of them in memory (AP-71)', async () => {
    const type = 'application/activity+json';
    const size = 192 * 1024 * 1024;
    const zeros = (stream: Transform): Promise<Buffer> => {
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      return buffer(Readable.from(Array.from({ length: size / chunk.length }, () => chunk)).pipe(stream));
    };
    const quick = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
    for (const [encoding, packed] of [
      ['gzip', await zeros(createGzip({ level: 1 }))],
      ['deflate', await zeros(createDeflate({ level: 1 }))],
      ['br', await zeros(quick)],
    ] as const)
      answers.set(`/${encoding}`, (_req, res) =>
        res.writeHead(200, { 'content-type': type, 'content-encoding': encoding }).end(packed),
      );
    answers.set('/many', (_req, res) => {
      res.writeHead(200, { 'content-type': type, 'content-encoding': Array(5000).fill('gzip').join(', ') }).end('x');
    });
    /** An answer as bytes, whatever they claim. */
    const raw = (lines: string[], body: string): Answerer => {
      const head = ['HTTP/1.1 200 OK', `Content-Type: ${type}`, ...lines, '', ''].join('\r\n');
      return (_req, res) => void res.socket?.end(head + body);
    };
    answers.set('/short', raw(['Content-Length: 4'], '{"id":"https://peer.example/longer"}'));
    answers.set('/long', raw(['Content-Length: 1000'], '{"id":"x"}'));
    answers.set('/longest', raw(['Content-Length: 99999999999'], '{"id":"x"}'));
    answers.set('/negative', raw(['Content-Length: -1'], '{"id":"x"}'));
    answers.set('/two', raw(['Content-Length: 4', 'Content-Length: 10'], '{"id":"x"}'));
    answers.set('/both', raw(['Content-Length: 4', 'Transfer-Encoding: chunked'], 'a\r\n{"id":"x"}\r\n0\r\n\r\n'));

    const before = process.memoryUsage.rss();
    let most = before;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 1);
    const reasons: Record<string, string> = {};
    for (const path of answers.keys()) {
      const started = performance.now();
      reasons[path] = await reason(fetch.fetchActivityJson(`http://${host}${path}`));
      expect(performance.now() - started, `milliseconds of ${path}`).to.be.below(1000);
      most = Math.max(most, process.memoryUsage.rss());
    }
    clearInterval(watching);
    expect(reasons).to.deep.equal({
      ...{ '/gzip': 'too-large', '/deflate': 'too-large', '/br': 'too-large', '/many': 'unreachable' },
      ...{ '/short': 'bad-content', '/long': 'unreachable', '/longest': 'unreachable', '/negative': 'unreachable' },
      ...{ '/two': 'unreachable', '/both': 'unreachable' },
    });
    expect(most - before, 'bytes more').to.be.below(64 * 1024 * 1024);
  });

  it('gives up on a slow answer, whole exchange counted', async () => {
    answers.set('/drip', (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/plain' });
      const timer = setInterval(() => res.write('x'), 20);
      res.on('close', () => clearInterval(timer));
    });
    answers.set('/mute', () => {});
    for (const path of ['/drip', '/mute']) {
      const started = Date.now();
      const outcome = await fetch.fetchText(`http://${host}${path}`, { maxBytes: 1e6, timeoutMs: 150 });
      expect(outcome, path).to.deep.equal({ outcome: 'failed', reason: 'timeout' });
      expect(Date.now() - started).to.be.below(2000);
    }
  });

  it('gives up in time whatever is slow: the headers, TLS, the redirects together; and lets go (AP-72)', async function () {
    this.timeout(20_000);
    const sockets = new Set<Socket>();
    const raw = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
      // Headers a byte at a time, without end; whoever speaks TLS hears nothing of it either.
      socket.once('data', (chunk) => {
        if (!chunk.toString('latin1').startsWith('GET') && !chunk.toString('latin1').startsWith('POST')) return;
        socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
        const drip = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(drip));
      });
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const slow = `127.0.0.1:${(raw.address() as AddressInfo).port}`;
    const wide = build({ privateHosts: [host, slow] });
    for (const [from, to] of [
      ['/slow1', '/slow2'],
      ['/slow2', '/slow3'],
      ['/slow3', '/slow4'],
    ] as const)
      answers.set(from, (_req, res) => void setTimeout(() => res.writeHead(302, { location: to }).end(), 250));
    for (const [what, url] of [
      ['headers', `http://${slow}/x`],
      ['TLS', `https://${slow}/x`],
      ['redirects', `http://${host}/slow1`],
    ] as const) {
      const started = performance.now();
      const outcome = await wide.fetchText(url, { maxBytes: 1000, timeoutMs: 400 });
      expect(outcome, what).to.deep.equal({ outcome: 'failed', reason: 'timeout' });
      expect(performance.now() - started, what).to.be.within(350, 2000);
    }
    // With the usual deadline, deliveries included.
    const started = performance.now();
    const ends = [`http://${slow}/a`, `https://${slow}/b`].map(async (url) => {
      expect(await reason(wide.post(url, Buffer.from('x'), {})), url).to.equal('timeout');
      expect(performance.now() - started, url).to.be.within(deadlineMs - 500, deadlineMs + 2000);
    });
    await Promise.all(ends);
    const gone = performance.now();
    while (sockets.size > 0 && performance.now() - gone < 1000) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sockets.size, 'connections left open').to.equal(0);
    raw.close();
  });

  it('is there for the next when thousands of hosts wish to keep their connections', async function () {
    this.timeout(60_000);
    const sockets = new Set<Socket>();
    const kept = createServer((_req, res) => res.writeHead(202, { 'keep-alive': 'timeout=600' }).end());
    kept.keepAliveTimeout = 600_000;
    kept.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => kept.listen(0, '0.0.0.0', resolve));
    const { port } = kept.address() as AddressInfo;
    const hosts = Array.from({ length: 1100 }, (_, at) => `127.1.${Math.floor(at / 250)}.${(at % 250) + 1}:${port}`);
    const wide = build({ privateHosts: hosts });
    const left = [...hosts];
    const deliver = async (): Promise<void> => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) {
        expect((await wide.post(`http://${one}/inbox`, Buffer.from('{}'), {})).status).to.equal(202);
      }
    };
    await Promise.all(Array.from({ length: 50 }, deliver));
    const ended = performance.now();
    while (sockets.size > 0 && performance.now() - ended < 8000)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sockets.size, 'connections kept as long as the other side wished').to.equal(0);
    await new Promise((resolve) => kept.close(resolve));
  });

  it('keeps to two exchanges a host', async () => {
    let running = 0;
    let most = 0;
    answers.set('/a', (_req, res) => {
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        res.writeHead(200, { 'content-type': 'application/activity+json' }).end('{}');
      }, 20);
    });
    await Promise.all(Array.from({ length: 10 }, () => fetch.fetchActivityJson(`http://${host}/a`)));
    expect(most).to.equal(2);
    expect(seen.length).to.equal(10);
  });

  it('reads text with validators and says what failed', async () => {
    answers.set('/f', (req, res) => {
      if (req.headers['if-none-match'] === '"1"') res.writeHead(304).end();
      else
        res
          .writeHead(200, {
            'content-type': 'text/plain',
            etag: '"1"',
            'last-modified': 'Thu, 21 May 2026 10:00:00 GMT',
          })
          .end('a=b');
    });
    const read = await fetch.fetchText(`http://${host}/f`, { maxBytes: 100, timeoutMs: 1000 });
    expect(read).to.deep.equal({
      outcome: 'read',
      body: Buffer.from('a=b'),
      etag: '"1"',
      lastModified: 'Thu, 21 May 2026 10:00:00 GMT',
      finalUrl: `http://${host}/f`,
    });
    expect(await fetch.fetchText(`http://${host}/f`, { etag: '"1"', maxBytes: 100, timeoutMs: 1000 })).to.deep.equal({
      outcome: 'not-modified',
    });
    const failed = { outcome: 'failed', reason: 'bad-status', status: 404 };
    expect(await fetch.fetchText(`http://${host}/none`, { maxBytes: 100, timeoutMs: 1000 })).to.deep.equal(failed);
    const large = { outcome: 'failed', reason: 'too-large' };
    expect(await fetch.fetchText(`http://${host}/f`, { maxBytes: 2, timeoutMs: 1000 })).to.deep.equal(large);
    const stop = new AbortController();
    stop.abort();
    const stopped = { outcome: 'failed', reason: 'timeout' };
    expect(
      await fetch.fetchText(`http://${host}/f`, { maxBytes: 100, timeoutMs: 1000, signal: stop.signal }),
    ).to.deep.equal(stopped);
  });

  it('takes no proxy from the environment', async () => {
    const before = { ...process.env };
    process.env.HTTP_PROXY = process.env.http_proxy = process.env.HTTPS_PROXY = 'http://127.0.0.1:9';
    try {
      answers.set('/a', activity({ id: 'x' }));
      expect(await reason(build().fetchActivityJson(`http://${host}/a`))).to.equal('accepted');
    } finally {
      for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  it('says what is worth another try', async () => {
    answers.set('/503', (_req, res) => res.writeHead(503, { 'retry-after': '120' }).end());
    const failure = async (work: Promise<unknown>): Promise<boolean | null> =>
      work.then(
        () => null,
        (error) => (error instanceof FetchError ? error.temporary : null),
      );
    expect(await failure(fetch.fetchActivityJson(`http://${host}/503`))).to.equal(true);
    expect(await failure(fetch.fetchActivityJson(`http://${host}/404`))).to.equal(false);
    expect(await failure(fetch.fetchActivityJson('https://127.0.0.1/'))).to.equal(false);
    expect(await fetch.post(`http://${host}/503`, Buffer.from('x'), {})).to.deep.equal({
      status: 503,
      retryAfter: 120,
    });
    const closed = build({ privateHosts: ['127.0.0.1:1'] });
    expect(await failure(closed.fetchActivityJson('http://127.0.0.1:1/'))).to.equal(true);
  });

  it('reads Retry-After as seconds or a date, at most a day', () => {
    expect(readRetryAfter('60', now)).to.equal(60);
    expect(readRetryAfter('999999999', now)).to.equal(86_400);
    expect(readRetryAfter(new Date(now.getTime() + 90_000).toUTCString(), now)).to.equal(90);
    expect(readRetryAfter(new Date(0).toUTCString(), now)).to.equal(0);
    for (const bad of [null, '', 'soon', '-5']) expect(readRetryAfter(bad, now), String(bad)).to.equal(null);
  });
});
