// What every answer of the whole app carries, and what no page may hold: headers, caches, cookies, scripts.
import { expect } from 'chai';
import { addressesOf, crawl, type Seen } from './crawl.js';
import { raw } from './requests.js';
import { type Role, startTwinHouse, type TwinHouse } from './tenants.js';

const policy =
  "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';connect-src 'self';" +
  "form-action 'self';base-uri 'none';frame-ancestors 'none';object-src 'none';manifest-src 'self'";

/** Open to the scripts of every site: what programs read. Everything else is not. */
const openToAll =
  /^\/(catalogue\.(json|csv)|directory\.json|\.well-known\/|nodeinfo\/|ns\/v1|@[^/]+\/(librehost\.json|posts\.atom)|changes\.atom)/;

describe('every answer', function () {
  this.timeout(300_000);
  let app: TwinHouse;
  const seen = new Map<Role, Seen[]>();

  before(async () => {
    app = await startTwinHouse();
    for (const role of ['visitor', 'representativeA', 'administrator'] as const) {
      seen.set(role, await crawl(app, app.clients[role], addressesOf(app)));
    }
  });

  const everything = () => [...seen.values()].flat();
  const html = () => everything().filter(({ headers }) => headers.get('content-type')?.startsWith('text/html'));
  const where = ({ path, accept, status }: Seen) => `${status} ${path} (${accept})`;

  it('is an answer: no address that is known or linked fails', () => {
    expect(everything().length).to.be.greaterThan(600);
    const statuses = everything().map(({ status }) => status);
    for (const status of [200, 303, 404, 410]) expect(statuses).to.include(status);
    expect(
      everything()
        .filter(({ status }) => status >= 500)
        .map(where),
    ).to.deep.equal([]);
  });

  it('carries every defence, be it a page, a file, a feed, an activity or a refusal', () => {
    const bare = everything().filter(({ headers, path }) => {
      const csp = headers.get('content-security-policy');
      // The one form that leads on to a server elsewhere.
      const leadsOn =
        path.startsWith('/interact') && csp === policy.replace("form-action 'self'", "form-action 'self' https:");
      const isPicture = /^\/media\/|\/partners\/(portrait|posts\/)/.test(path) && csp === "default-src 'none'; sandbox";
      return !(
        (csp === policy || isPicture || leadsOn) &&
        headers.get('x-content-type-options') === 'nosniff' &&
        /^(same-origin|no-referrer)$/.test(headers.get('referrer-policy') ?? '') &&
        headers.get('cross-origin-opener-policy') === 'same-origin' &&
        headers.get('x-frame-options') === 'DENY' &&
        headers.get('x-powered-by') === null &&
        headers.get('server') === null
      );
    });
    expect(bare.map(where)).to.deep.equal([]);
  });

  it('says what it is, and never a type that a browser runs unless it is ours', () => {
    const odd = everything().filter(({ headers, status, path }) => {
      const type = headers.get('content-type') ?? '';
      if (status === 303 || status === 302) return false;
      if (/^(text\/css|text\/javascript|image\/svg)/.test(type)) return !path.startsWith('/assets/');
      return !/^(text\/(html|plain|csv)|application\/(json|jrd\+json|xrd\+xml|activity\+json|ld\+json|atom\+xml|vnd\.oasis\.opendocument\.spreadsheet)|image\/png)/.test(
        type,
      );
    });
    expect(odd.map((one) => `${where(one)} ${one.headers.get('content-type')}`)).to.deep.equal([]);
  });

  it('is open to scripts of other sites only where programs read, and never with credentials', () => {
    for (const one of everything()) {
      expect(one.headers.get('access-control-allow-credentials'), where(one)).to.equal(null);
      const allowed = one.headers.get('access-control-allow-origin');
      if (allowed !== null) {
        expect(allowed, where(one)).to.equal('*');
        expect(openToAll.test(one.path) || !/html/.test(one.headers.get('content-type') ?? ''), where(one)).to.equal(
          true,
        );
        expect(one.headers.get('set-cookie'), where(one)).to.equal(null);
      }
    }
  });

  it('is kept by no cache when it is for one reader', () => {
    const careless = everything().filter(({ path, headers }) => {
      const cache = headers.get('cache-control') ?? '';
      const isPrivate = /^\/(me|my|admin|setup|reset|invitations|email-changes|sign-in|forgot)(\/|\?|$)/.test(path);
      return isPrivate && !cache.includes('no-store');
    });
    expect(careless.map(where)).to.deep.equal([]);
    const signedIn = [...(seen.get('representativeA') ?? []), ...(seen.get('administrator') ?? [])];
    const pages = signedIn.filter(
      ({ headers, status }) => status !== 303 && headers.get('content-type')?.startsWith('text/html'),
    );
    expect(pages.filter(({ headers }) => !headers.get('cache-control')?.includes('no-store')).map(where)).to.deep.equal(
      [],
    );
    const withToken = html().filter(({ text }) => text.includes('name="_csrf"'));
    expect(withToken.length).to.be.greaterThan(50);
    expect(
      withToken.filter(({ headers }) => !headers.get('cache-control')?.includes('no-store')).map(where),
    ).to.deep.equal([]);
  });

  it('tells caches on what it depends: the kind that is wanted, the language, the reader', () => {
    const vague = html().filter(({ headers, status }) => {
      if (status !== 200 || headers.get('cache-control')?.includes('no-store')) return false;
      const vary = (headers.get('vary') ?? '').toLowerCase().split(/,\s*/);
      return !['accept', 'accept-language', 'cookie'].every((name) => vary.includes(name));
    });
    expect(vague.map(where)).to.deep.equal([]);
    const actors = everything().filter(
      ({ headers, path, status }) =>
        status === 200 &&
        headers.get('content-type')?.startsWith('application/activity+json') &&
        /^\/(@|actors\/[^/]+$|objects\/)/.test(path),
    );
    expect(actors.length).to.be.greaterThan(3);
    expect(
      actors.filter(({ headers }) => !/\baccept\b(?!-)/i.test(headers.get('vary') ?? '')).map(where),
    ).to.deep.equal([]);
  });

  it('sets no cookie for a visitor who looks at what is public', () => {
    const set = (seen.get('visitor') ?? []).filter(({ headers }) => headers.getSetCookie().length > 0);
    const paths = [...new Set(set.map(({ path }) => path.split('?')[0]))].sort();
    // A form needs a session; a chosen language is remembered.
    expect(paths).to.deep.equal(['/forgot', '/language', '/report', '/sign-in']);
  });

  /** A mail as it looks stands in a frame that may do nothing (views/partials/letter.hbs): what it holds is looked at too. */
  function withLetters(page: string): string {
    const frame = /<iframe class="letter" sandbox title="[^"<>]*" srcdoc="([^"]*)"><\/iframe>/g;
    return page.replace(frame, (_, inner: string) =>
      inner.replace(/&(lt|gt|quot|#x3D|amp);/g, (_all, name: string) => letters[name] ?? ''),
    );
  }
  const letters: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#x3D': '=', amp: '&' };

  it('holds no script, no style and no handler in a page', () => {
    const bad = html().flatMap((one) => {
      const scripts = [...one.text.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)].filter(
        ([, attributes = '', inner = '']) =>
          !(/\bsrc="\/assets\//.test(attributes) && inner.trim() === '') &&
          !/^\s*type="application\/ld\+json"\s*$/.test(attributes),
      );
      const inline =
        /<style\b|<[a-z][^>]*\s(?:on[a-z]+|style|srcdoc)\s*=|javascript:|<(?:iframe|object|embed|base)\b/i.exec(
          withLetters(one.text.replace(/<script\b[\s\S]*?<\/script>/gi, '')),
        );
      return [
        ...scripts.map(([all]) => `${where(one)}: ${all.slice(0, 100)}`),
        ...(inline ? [`${where(one)}: ${inline[0]}`] : []),
      ];
    });
    expect(bad).to.deep.equal([]);
  });

  it('leads out with forms to nowhere, and loads nothing from elsewhere', () => {
    const outside = html().flatMap((one) => {
      const loaded = [
        ...one.text.matchAll(
          /<(?:img|script|link|source|video|audio|form)\b[^>]*?\s(?:src|href|action|srcset)="([^"]*)"[^>]*>/gi,
        ),
      ];
      return loaded
        .filter(
          ([tag, address = '']) =>
            !/rel="(?:alternate|canonical)"/.test(tag) && !/^(\/(?!\/)|data:|#|\?)/.test(address),
        )
        .map(([tag]) => `${where(one)}: ${tag}`);
    });
    expect(outside).to.deep.equal([]);
  });

  it('has the same defences when the request itself is broken', async () => {
    const { host } = new URL(app.url);
    const cases: [string, string, Record<string, string>, string?][] = [
      ['GET', '/%E0%A4%A', {}],
      ['GET', '/@%00', {}],
      ['GET', '//evil.example/', {}],
      ['GET', '/..%2f..%2fetc/passwd', {}],
      ['GET', '/?a[$ne]=1&__proto__=2', {}],
      ['TRACE', '/', {}],
      ['OPTIONS', '/me', { origin: 'https://evil.example', 'access-control-request-method': 'POST' }],
      ['GET', '/', { host: 'evil.example' }],
      ['GET', '/assets/chatiere.css', { range: 'bytes=9999999-' }],
      ['POST', '/sign-in', { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'evil' }, 'a=b'],
      ['POST', '/sign-in', { 'content-type': 'application/x-www-form-urlencoded; charset=evil' }, 'a=b'],
      ['POST', '/sign-in', { 'content-type': 'multipart/form-data' }, 'a=b'],
      ['POST', '/inbox', { 'content-type': 'application/activity+json' }, '{'],
      ['POST', '/me', { 'content-type': 'application/x-www-form-urlencoded' }, `${'a=b&'.repeat(600)}`],
    ];
    for (const [method, path, headers, body] of cases) {
      const answer = await raw(
        app,
        method,
        path,
        { host, origin: app.house.site.baseUrl, accept: 'text/html', ...headers },
        body,
      );
      const what = `${method} ${path}`;
      expect(answer.status, what).to.be.lessThan(500);
      expect(answer.headers['content-security-policy'], what).to.equal(policy);
      expect(answer.headers['x-content-type-options'], what).to.equal('nosniff');
      expect(answer.headers['access-control-allow-origin'], what).to.equal(undefined);
      expect(answer.text, what).not.to.match(/node_modules|\bat .*\.(ts|js):\d+/);
    }
  });
});
