// Every form, with what its page never offered: more fields, operators, prototypes, lists for single values, nonsense.
import { expect } from 'chai';
import fc from 'fast-check';
import { type Client, forgetLimits, signIn } from '../support/appSupport.js';
import { everythingStored, fingerprint, takeSnapshot } from '../support/oracles.js';
import { readForms } from '../support/visitor.js';
import { access } from './access.js';
import { addressesOf, crawl } from './crawl.js';
import { addressOf, copyOf, nameOf, raw, routesOf, targetsOf } from './requests.js';
import { type Role, startTwinHouse, type TwinHouse } from './tenants.js';

interface KnownForm {
  name: string;
  path: string;
  role: Role;
  fields: [string, string][];
  /** Every name that its page offers. */
  names: ReadonlySet<string>;
}

/** Half a surrogate pair cannot be sent. */
const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, '\ufffd');

const cookieOf = (client: Client) => [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('what forms never offered', function () {
  this.timeout(300_000);
  let app: TwinHouse;
  const forms: KnownForm[] = [];

  before(async () => {
    app = await startTwinHouse();
    await signIn(app.client(), app.people.plain);
    const patterns = routesOf(app)
      .filter(({ method }) => method === 'post')
      .map((route) => ({ name: nameOf(route), matches: pathPattern(route.path) }));
    for (const role of ['plain', 'representativeA', 'administrator'] as const) {
      const seen = await crawl(app, app.clients[role], addressesOf(app), { pagesOnly: true, staysThere: true });
      for (const page of seen) {
        if (page.status !== 200 || !page.headers.get('content-type')?.startsWith('text/html')) continue;
        for (const form of readForms(page.text, page.path)) {
          const path = new URL(form.action, app.url + page.path).pathname;
          const pattern = patterns.find(({ matches }) => matches.test(path));
          if (form.method !== 'post' || !pattern || forms.some(({ name }) => name === pattern.name)) continue;
          const names = new Set([...form.html.matchAll(/\bname="([^"]+)"/g)].map(([, name = '']) => name));
          const { version: _version, address: _address, ...body } = access[pattern.name]?.body ?? {};
          const fields = new Map([...form.values, ...Object.entries(body)]);
          const button = form.buttons.at(-1);
          if (button) fields.set(button.name, body[button.name] ?? button.value);
          forms.push({ name: pattern.name, path, role, fields: [...fields], names });
        }
      }
    }
  });

  function pathPattern(path: string): RegExp {
    return new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`);
  }

  async function submit(form: KnownForm, more: [string, string][]): Promise<number> {
    const body = new URLSearchParams([...form.fields, ...more]).toString();
    const answer = await raw(
      app,
      'POST',
      form.path,
      {
        cookie: cookieOf(app.clients[form.role]),
        accept: 'text/html',
        origin: app.house.site.baseUrl,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body,
    );
    return answer.status;
  }

  /** The store after it, ids and hashes that are new made equal. */
  async function outcome(known: string): Promise<string> {
    const text = await everythingStored(app.house.store, ['limits', 'sessions']);
    const parts = (JSON.parse(text) as [string, object[]][]).flatMap(([name, documents]) =>
      documents.map((document) =>
        `${name} ${JSON.stringify(document)}`
          .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) =>
            known.includes(id) ? id : '<id>',
          )
          .replace(/\$argon2id\$[^"]+/g, '<hash>'),
      ),
    );
    return parts.sort().join('\n');
  }

  it('are looked for in nearly all of them', () => {
    const found = new Set(forms.map(({ name }) => name));
    const unsafe = routesOf(app).filter(({ method }) => method === 'post');
    const unfound = unsafe.map(nameOf).filter((name) => !found.has(name));
    // Those need a link from a mail, a visitor, or a state that the twins are not in.
    expect(
      unfound.filter(
        (name) =>
          !/:token|sign-in|rules\/import\/apply|restore|enable|unpublish|publish|restart|retry|remove|release|reopen|source|partners\/follow$|following\/import$|unmute|boost|unlike|reply|moves\/(go|undo)|list\/(rename|delete)|posts\/:post\/vote|mentions\/:mention|held\/drop|\/me\/posts|\/me\/partners|\/me\/surveys|:survey\/(answer|receipt|open|unschedule|remind|fediverse|results\/slot)|\/me\/notices\/(feed\/revoke|address)/.test(
            name,
          ),
      ),
    ).to.deep.equal([]);
    expect(found.size).to.be.greaterThan(45);
  });

  /** Names of what documents hold and no form gives. */
  function extras(form: KnownForm): [string, string][] {
    const all: Record<string, string> = {
      // The parser of forms drops it.
      ['__proto__']: 'administrator',
      role: 'representative',
      instanceRole: 'administrator',
      isAdministrator: 'true',
      'members.0.personId': app.people.memberB._id,
      'members.0.role': 'representative',
      published: 'on',
      listed: 'true',
      deletedAt: '',
      disabledAt: '',
      ownerId: app.people.memberB._id,
      personId: app.people.memberB._id,
      authorPersonId: app.people.memberB._id,
      collectiveId: app.beta.collective._id,
      'collective.id': app.beta.collective._id,
      'collective.role': 'representative',
      handle: 'stolen',
      slug: 'stolen',
      username: 'stolen',
      emailKey: 'stolen@example.org',
      sessionEpoch: '99',
      'credentials.password.hash': 'stolen',
      logoId: app.beta.draftLogoId,
      'hoster.handle': 'stolen',
      createdAt: '2000-01-01',
      publishedAt: '2000-01-01',
      version: '0',
      'profile.name.fr': 'stolen',
      'unknownProperties.0.key': 'stolen',
      'events.0.type': 'person.deleted',
      usedAt: '',
      invitedBy: 'stolen',
      state: 'accepted',
      id: app.beta.collective._id,
    };
    return Object.entries(all).filter(([name]) => {
      const top = name.split('.')[0] ?? name;
      // A check box that is not ticked and an open list are the form's own.
      return ![...form.names].some((own) => own === name || own.split('.')[0] === top);
    });
  }

  it('change nothing when they are fields of documents', async () => {
    const snapshot = await takeSnapshot(app.house.store, ['limits']);
    const known = await everythingStored(app.house.store);
    const wrong: string[] = [];
    for (const form of forms) {
      const plain = await submit(form, []);
      const wanted = await outcome(known);
      await snapshot.restore();
      const status = await submit(form, extras(form));
      const got = await outcome(known);
      await snapshot.restore();
      await forgetLimits(app.house);
      if (status !== plain) wrong.push(`${form.name}: ${status} instead of ${plain}`);
      if (status < 400 && got !== wanted) wrong.push(`${form.name}: ${differenceOf(wanted, got)}`);
    }
    expect(wrong).to.deep.equal([]);
  });

  function differenceOf(wanted: string, got: string): string {
    const before = new Set(wanted.split('\n'));
    return got
      .split('\n')
      .filter((line) => !before.has(line))
      .join(' | ')
      .slice(0, 600);
  }

  it('are refused when they are operators, prototypes or the store’s own names, and nothing is stored', async () => {
    const names = (form: KnownForm) => {
      const first = [...form.names].find((name) => name !== '_csrf') ?? 'name';
      return [
        '_id',
        '_meta.privateKey',
        '__proto__.instanceRole',
        'constructor.prototype.instanceRole',
        'prototype.instanceRole',
        '$set.instanceRole',
        '$where',
        `${first}[$ne]`,
        `${first}[]`,
        `${first}[0]`,
        `${first}.$ne`,
        `${first}.__proto__.polluted`,
        'a.b.c.d.e.f',
      ];
    };
    const wrong: string[] = [];
    for (const form of forms) {
      const before = await fingerprint(app.house.store);
      for (const name of names(form)) {
        const status = await submit(form, [[name, 'administrator']]);
        if (status < 400 || status >= 500) wrong.push(`${form.name} with ${name}: ${status}`);
      }
      const after = await fingerprint(app.house.store);
      if (JSON.stringify(after) !== JSON.stringify(before)) wrong.push(`${form.name}: something was stored`);
      await forgetLimits(app.house);
    }
    expect(wrong).to.deep.equal([]);
    expect(Object.hasOwn(Object.prototype, 'polluted') || Object.hasOwn(Object.prototype, 'instanceRole')).to.equal(
      false,
    );
  });

  it('are refused when a single value is given twice or as a list, and nothing is stored', async () => {
    const wrong: string[] = [];
    for (const form of forms) {
      const before = await fingerprint(app.house.store);
      for (const [name, value] of form.fields) {
        // Lists may be lists; what is no address of ours becomes the home page.
        if (['lists', 'needs', 'languages', 'software.modules', 'back', '_csrf'].includes(name)) continue;
        for (const more of [
          [name, value],
          [`${name}.x`, value],
        ] as [string, string][]) {
          const status = await submit(form, [more]);
          if (status < 400 || status >= 500) wrong.push(`${form.name} with ${more[0]}: ${status}`);
        }
      }
      const after = await fingerprint(app.house.store);
      if (JSON.stringify(after) !== JSON.stringify(before)) wrong.push(`${form.name}: something was stored`);
      await forgetLimits(app.house);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('never make an error of ours, whatever is sent to whatever route', async () => {
    const snapshot = await takeSnapshot(app.house.store, ['limits']);
    const routes = routesOf(app);
    const targets = Object.values(targetsOf(app));
    const cookie = cookieOf(app.clients.administrator);
    const token = (await copyOf(app, app.clients.administrator).csrf('/me')) ?? '';
    const formNames = forms.flatMap(({ names }) => [...names]);
    const names = [...new Set([...formNames, ...queryNames, 'x', 'name', 'name.fr', 'a.b', ''])];
    const value = fc.oneof(
      fc.constantFrom(...nasty),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(...plausible),
    );
    const request = fc.record({
      route: fc.constantFrom(...routes),
      target: fc.constantFrom(...targets),
      params: fc.dictionary(
        fc.constantFrom('id', 'service', 'post', 'token', 'key', 'name', 'slug', 'file', 'import'),
        value,
        { maxKeys: 2 },
      ),
      fields: fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 }),
      own: fc.boolean(),
      accept: fc.constantFrom('text/html', 'application/activity+json', '*/*', 'a', ';;;,,,', ''),
      language: fc.constantFrom('fr', 'en', 'xx;q=2', '*', ',,,', 'é'),
      cookies: fc.constantFrom('', '; device=%E0%A4%A', '; lang=xx', '; device=a.b', '; =', '; sid=s%3Ax'),
    });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(request, async ({ route, target, params, fields, own, accept, language, cookies }) => {
        const filled = Object.entries(params).reduce(
          (path, [name, text]) => path.replace(new RegExp(`:${name}\\b`), () => encodeURIComponent(wellFormed(text))),
          route.path,
        );
        const path = addressOf(app, filled, target).split('?')[0] ?? '/';
        const base = own ? Object.entries(access[nameOf(route)]?.body ?? {}) : [];
        const pairs = [...base, ...fields].map(([name, text]): [string, string] => [name, wellFormed(text)]);
        const sent = new URLSearchParams(route.method === 'post' ? [['_csrf', token], ...pairs] : pairs).toString();
        const headers = {
          cookie: cookie + cookies,
          accept,
          'accept-language': Buffer.from(language).toString('latin1'),
          origin: app.house.site.baseUrl,
          'sec-fetch-site': 'same-origin',
        };
        const type = { 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await (route.method === 'post'
          ? raw(app, 'POST', path, { ...headers, ...type }, sent)
          : raw(app, 'GET', sent ? `${path}?${sent}` : path, headers));
        count += 1;
        if (answer.status >= 500)
          throw new Error(`${answer.status} ${app.house.logged.findLast((line) => line.startsWith('error'))}`);
        if (count % 40 === 0) await snapshot.restore();
      }),
      { numRuns: 600, seed: 20261122 },
    );
    await snapshot.restore();
  });
});

const queryNames =
  'q page before of after next back to need country sort signup room language show software provider server status'.split(
    ' ',
  );

const nasty = [
  '',
  ' ',
  '\u0000',
  '\u2028\u202e\ufeff',
  'x'.repeat(6000),
  'é'.repeat(300),
  '👩‍👩‍👧‍👦'.repeat(40),
  '$ne',
  '[object Object]',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '-1',
  '0',
  '1e309',
  'NaN',
  '99999999999999999999',
  '٣',
  '2026-02-30',
  '9999-12-31',
  '0000-00-00',
  '../../../../etc/passwd',
  '..\\..\\x',
  'http://[::1',
  'http://a:b@c/',
  'javascript:alert(1)',
  '{{7*7}}',
  "' OR 1=1 --",
  '(((((((((((((((((((a+)+)+)+)+)+)+)+)+)',
  '<!--<script>',
  '%',
  '%00',
  '%E0%A4%A',
  '*'.repeat(200),
  '['.repeat(400),
  '> '.repeat(900),
  '@a@b @@ #[x](y)',
  'a\r\nSet-Cookie: x=y',
];

const plausible = [
  '1',
  '2',
  'on',
  'true',
  'fr',
  'en',
  'ACTIVE',
  'publish',
  'preview',
  '2026-05-21',
  'a@example.org',
  'https://example.org/',
  'administrator',
  'FR',
];
