import { request } from 'node:http';
import { expect } from 'chai';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';

const policy =
  "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';connect-src 'self';" +
  "form-action 'self';base-uri 'none';frame-ancestors 'none';object-src 'none';manifest-src 'self'";

describe('the whole app', () => {
  let app: WholeApp;

  before(async () => {
    app = await startWholeApp();
  });

  /** One request with exactly these headers, Host included. */
  function raw(
    path: string,
    headers: Record<string, string>,
    method = 'GET',
  ): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
    const { hostname, port } = new URL(app.url);
    return new Promise((resolve, reject) => {
      const req = request({ hostname, port, path, method, headers }, (res) => {
        let body = '';
        res.on('data', (chunk) => {
          body += chunk;
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, body, headers: res.headers }));
      });
      req.on('error', reject);
      req.end();
    });
  }

  describe('whatever is asked', () => {
    const cases: [string, string, RequestInit?][] = [
      ['a page', '/'],
      ['a page that does not exist', '/no-such-page'],
      ['a file', '/assets/chatiere.css'],
      ['a file that does not exist', '/assets/no-such-file.css'],
      ['a door that is shut', '/admin'],
      ['health', '/health/live'],
      ['a document of the Fediverse', '/nodeinfo/2.1'],
      [
        'an activity without a signature',
        '/inbox',
        { method: 'POST', body: '{}', headers: { 'content-type': 'application/activity+json' } },
      ],
      ['an address that is no text', '/%E0%A4%A'],
      ['a post from another site', '/sign-in', { method: 'POST', headers: { origin: 'https://evil.example' } }],
      [
        'a body that is too large',
        '/sign-in',
        { method: 'POST', body: new URLSearchParams({ login: 'x'.repeat(300_000) }) },
      ],
      ['a method that nobody answers', '/', { method: 'DELETE' }],
    ];
    for (const [what, path, init] of cases) {
      it(`answers ${what} with every defence in the headers`, async () => {
        const origin = { origin: app.house.site.baseUrl };
        const response = await fetch(app.url + path, {
          redirect: 'manual',
          ...init,
          headers: { ...origin, ...init?.headers },
        });
        await response.arrayBuffer();
        expect(response.status).to.be.lessThan(500);
        expect(response.headers.get('content-security-policy')).to.equal(policy);
        expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
        expect(response.headers.get('referrer-policy')).to.equal('same-origin');
        expect(response.headers.get('cross-origin-opener-policy')).to.equal('same-origin');
        expect(response.headers.get('x-powered-by')).to.equal(null);
        expect(response.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
        expect(response.headers.get('strict-transport-security')).to.equal(null);
      });
    }

    it('asks browsers to keep to https where the address is https', async () => {
      const secure = await startWholeApp({
        house: { site: { baseUrl: 'https://chatiere.example', host: 'chatiere.example', defaultLanguage: 'fr' } },
      });
      const response = await fetch(`${secure.url}/health/live`);
      expect(response.headers.get('strict-transport-security')).to.equal('max-age=63072000');
    });
  });

  describe('the name that is asked for', () => {
    for (const host of ['evil.example', 'localhost', '127.0.0.1:1', 'chatiere.example:3000']) {
      it(`is refused when it is ${JSON.stringify(host)}`, async () => {
        const answer = await raw('/', { host });
        expect(answer.status).to.equal(421);
        expect(answer.body).not.to.include('evil');
      });
    }

    it('is ours in any case, and may be any name of this machine on a machine of its own', async () => {
      const port = new URL(app.url).port;
      for (const host of [`127.0.0.1:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
        expect((await raw('/about', { host })).status, host).to.equal(200);
      }
    });

    it('makes no address in a page, whatever a proxy that is not trusted says', async () => {
      const host = new URL(app.url).host;
      const answer = await raw('/about', { host, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' });
      expect(answer.status).to.equal(200);
      expect(answer.body).not.to.include('evil.example');
    });

    it('does not matter to those who ask after its health', async () => {
      expect((await raw('/health/live', { host: '10.0.0.7:3000' })).status).to.equal(200);
    });
  });

  it('lets browsers keep a file with its fingerprint for a year, and another for an hour', async () => {
    const versioned = await fetch(`${app.url}/assets/chatiere.css?v=0123abcd`);
    expect(versioned.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
    const bare = await fetch(`${app.url}/assets/chatiere.css`);
    expect(bare.headers.get('cache-control')).to.equal('public, max-age=3600');
  });

  it('sends texts compressed to those who can read that', async () => {
    const host = new URL(app.url).host;
    const packed = await raw('/assets/chatiere.css', { host, 'accept-encoding': 'gzip, br' });
    const plain = await raw('/assets/chatiere.css', { host });
    expect(packed.headers['content-encoding']).to.equal('br');
    expect(plain.headers['content-encoding']).to.equal(undefined);
    expect(Number(packed.headers['content-length'])).to.be.lessThan(Number(plain.headers['content-length']) / 2);
    expect(packed.headers.vary).to.include('Accept-Encoding');
  });

  it('serves no file from beside views/public', async () => {
    const host = new URL(app.url).host;
    for (const path of [
      '/assets/../layouts/page.hbs',
      '/assets/%2e%2e/layouts/page.hbs',
      '/assets/..%2flayouts/page.hbs',
    ]) {
      expect((await raw(path, { host })).status, path).to.equal(404);
    }
  });

  it('asks for events to be handed on after a request that may have changed something, and only then', async () => {
    const before = app.wakes();
    await (await fetch(app.url)).arrayBuffer();
    expect(app.wakes()).to.equal(before);
    await (
      await fetch(`${app.url}/sign-in`, { method: 'POST', headers: { origin: app.house.site.baseUrl } })
    ).arrayBuffer();
    expect(app.wakes()).to.equal(before + 1);
  });

  it('writes one line for each request, without what was asked', async () => {
    await (await fetch(`${app.url}/about?secret=canary-7`)).arrayBuffer();
    const lines = app.house.logged.filter((line) => line.includes('/about'));
    expect(lines.at(-1)).to.match(/^info request .*"method":"GET","path":"\/about","status":200/);
    expect(app.house.logged.join('\n')).not.to.include('canary-7');
  });

  it('does not show the pages for builders', async () => {
    expect((await fetch(`${app.url}/styleguide`)).status).to.equal(404);
  });

  describe('for machines that watch', () => {
    it('is alive and ready', async () => {
      expect(await (await fetch(`${app.url}/health/live`)).json()).to.deep.equal({ status: 'alive' });
      expect(await (await fetch(`${app.url}/health/ready`)).json()).to.deep.equal({ status: 'ready' });
    });

    it('is not ready while it stops, nor when its store does not answer', async () => {
      const stopping = await startWholeApp({ engine: { isStopping: () => true } });
      expect((await fetch(`${stopping.url}/health/ready`)).status).to.equal(503);
      const broken = await startWholeApp();
      await broken.house.store.close();
      expect((await fetch(`${broken.url}/health/ready`)).status).to.equal(503);
      expect((await fetch(`${broken.url}/health/live`)).status).to.equal(200);
    });

    it('has no figures unless a token was set', async () => {
      expect((await fetch(`${app.url}/metrics`, { headers: { authorization: 'Bearer ' } })).status).to.equal(404);
    });

    it('gives figures to whoever has the token only', async () => {
      const watched = await startWholeApp({ metricsToken: 'a-token-of-the-tests' });
      await (await fetch(`${watched.url}/about`)).arrayBuffer();
      for (const authorization of ['', 'Bearer wrong', 'Basic a-token-of-the-tests', 'Bearer a-token-of-the-testsx']) {
        const refused = await fetch(`${watched.url}/metrics`, { headers: { authorization } });
        expect(refused.status, authorization).to.equal(401);
        expect(await refused.text()).not.to.include('chatiere_');
      }
      const given = await fetch(`${watched.url}/metrics`, {
        headers: { authorization: 'Bearer a-token-of-the-tests' },
      });
      const text = await given.text();
      expect(given.status).to.equal(200);
      expect(text).to.match(/chatiere_request_seconds_count\{method="GET",route="\/about",status="200"\} 1/);
      expect(text).to.include('chatiere_queue_size{queue="deliveries"} 0');
      expect(text).to.include('chatiere_nodejs_eventloop_lag_seconds');
      expect(text).to.include('chatiere_data_bytes');
    });
  });
});
