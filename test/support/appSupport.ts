// The house and its HTTP face for tests: a real store, real views, the middleware of server/app.ts, a small client that
// keeps cookies and fetches CSRF tokens. Time stands still until a test moves it.
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Actor, Context, InstanceRole, PersonActor } from '../../server/context.js';
import { contextOf, type House } from '../../server/house.js';
import { refuseCrossSite } from '../../server/http/csrf.js';
import { answerErrors, notFound } from '../../server/http/errors.js';
import { forgetCounts } from '../../server/http/limits.js';
import type { Routes } from '../../server/http/routes.js';
import { sessions } from '../../server/http/session.js';
import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { newId } from '../../server/ids.js';
import { viewsDir } from '../../server/paths.js';
import { insertPerson, type NewPerson } from '../../server/people/actions/accounts.js';
import { actorOf } from '../../server/people/queries.js';
import { loadActor } from '../../server/people/routes/loadActor.js';
import type { Person } from '../../server/people/schema.js';
import { allIndexes } from '../../server/store/schema.js';
import { atEnd } from './endOfRun.js';
import { openTestStore } from './storeSupport.js';

export interface TestHouse extends House {
  /** Moves the clock by milliseconds. */
  pass(milliseconds: number): void;
  /** What was logged, as `level message details`. */
  logged: string[];
}

let views: House['views'] | undefined;
let i18n: House['i18n'] | undefined;

/** A house with an empty store and all indexes. The clock starts on 21 May 2026, 10:00 UTC. */
export async function buildTestHouse(overrides: Partial<House> = {}): Promise<TestHouse> {
  const store = overrides.store ?? (await openTestStore());
  await store.ensureIndexes(allIndexes);
  let now = Date.parse('2026-05-21T10:00:00Z');
  const logged: string[] = [];
  const keep = (level: string) => (details: object, message: string) => {
    const error = 'err' in details && details.err instanceof Error ? details.err.stack : '';
    logged.push(`${level} ${message} ${JSON.stringify(details)} ${error}`);
  };
  views ??= loadViews(viewsDir);
  i18n ??= loadI18n(`${viewsDir}/locales`);
  return {
    site: { baseUrl: 'http://localhost:3000', host: 'localhost:3000', defaultLanguage: 'fr' },
    log: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') },
    views,
    i18n,
    secret: 'a-secret-of-the-tests-with-more-than-32-characters',
    trustProxy: 0,
    privateHosts: [],
    lookUpActor: async () => ({ outcome: 'failed', reason: 'unavailable' }),
    lookUpPost: async () => null,
    refreshPost: async () => {},
    readThread: async () => 'read',
    fetchText: async () => ({ outcome: 'failed', reason: 'unreachable' }),
    pictures: { find: async () => null, load: async () => null, prune: async () => 0 },
    now: () => new Date(now),
    ...overrides,
    store,
    logged,
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** Everybody may try again, as after an hour. */
export async function forgetLimits(house: TestHouse): Promise<void> {
  await house.store.collection('limits').deleteMany({});
  forgetCounts(house);
}

export interface TestApp {
  house: TestHouse;
  /** Where it listens; differs from site.baseUrl, which is what addresses and Origin are made of. */
  url: string;
  client(options?: ClientOptions): Client;
  close(): Promise<void>;
}

/** Listens on a free port with the slices given, in the middleware order of server/app.ts. Closed after the test file. */
export async function startTestApp(house: TestHouse, slices: ((house: House) => Routes)[]): Promise<TestApp> {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('trust proxy', house.trustProxy);
  app.use(sessions(house));
  app.use(loadActor(house));
  app.use(refuseCrossSite(house.site.baseUrl));
  app.use(express.urlencoded({ extended: false, limit: '500kb', parameterLimit: 2000 }));
  for (const slice of slices) app.use(slice(house).router);
  app.use(notFound);
  app.use(answerErrors(house));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const test: TestApp = {
    house,
    url,
    client: (options) => new Client(url, house.site.baseUrl, options),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  atEnd(() => test.close());
  return test;
}

export interface ClientOptions {
  language?: 'fr' | 'en';
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Path to which the answer sends on, if it does. */
  location: string | null;
}

/** One browser: keeps cookies, does not follow redirects. */
export class Client {
  readonly cookies = new Map<string, string>();

  constructor(
    private readonly url: string,
    private readonly origin: string,
    private readonly options: ClientOptions = {},
  ) {}

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(path, { method: 'GET', headers });
  }

  /** Fetches `from` (the path itself unless told) for its CSRF token, then posts as its form would. */
  async post(path: string, fields: Record<string, string> = {}, from = path): Promise<Answer> {
    const csrf = await this.csrf(from);
    return this.postRaw(path, { ...(csrf === null ? {} : { _csrf: csrf }), ...fields });
  }

  /** Posts exactly this, with the Origin of our own pages unless headers say otherwise. */
  async postRaw(
    path: string,
    fields: Record<string, string> | string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.send(path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: this.origin, 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  /** The CSRF token that a page's form carries. */
  async csrf(path: string): Promise<string | null> {
    const page = await this.get(path);
    return /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? null;
  }

  private async send(path: string, init: RequestInit): Promise<Answer> {
    const headers = new Headers({ accept: 'text/html', 'accept-language': this.options.language ?? 'en' });
    for (const [name, value] of Object.entries({
      ...this.options.headers,
      ...(init.headers as Record<string, string>),
    })) {
      if (value === '') headers.delete(name);
      else headers.set(name, value);
    }
    if (this.cookies.size > 0) {
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    }
    const response = await fetch(this.url + path, { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) this.keep(cookie);
    return {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: response.headers.get('location'),
    };
  }

  private keep(cookie: string): void {
    const [pair = '', ...attributes] = cookie.split(';');
    const at = pair.indexOf('=');
    const gone = attributes.some((one) => /^\s*(expires=.*1970|max-age=0)/i.test(one));
    if (gone) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

export const testPassword = 'un mot de passe assez long';
let serial = 0;

/** A stored person, free of any right unless told. The password is `testPassword` (pass null for a quick one without). */
export async function buildPerson(
  house: House,
  overrides: Partial<NewPerson> & { instanceRole?: InstanceRole | null } = {},
): Promise<Person> {
  serial += 1;
  const username = overrides.username ?? `person${serial}`;
  return insertPerson(contextOf(house, { kind: 'system', name: 'test' }), newId(), {
    email: `${username}@example.org`,
    displayName: `Person ${serial}`,
    password: testPassword,
    ...overrides,
    username,
  });
}

/** The person as actor of a context, with memberships as stored. */
export async function actorFor(house: House, person: Person): Promise<PersonActor> {
  return actorOf(house.store, person);
}

/** A context for calling actions: as this actor, at the house's time. */
export function contextFor(house: House, actor: Actor): Context {
  return contextOf(house, actor);
}

export const systemActor: Actor = { kind: 'system', name: 'test' };

/** Signs in by the form, as a person does. Throws when that fails. */
export async function signIn(client: Client, person: Person, password: string = testPassword): Promise<void> {
  const answer = await client.post('/sign-in', { login: person.username, password });
  if (answer.status !== 303)
    throw new Error(`sign-in of ${person.username} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
}
