// An instance as its own process with a hoster and somebody who signs in for it, who then does everything by its pages.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type ServerProcess, startServer } from './serverProcess.js';
import { temporaryFolder } from './storeSupport.js';
import { type Page, Visitor } from './visitor.js';

const password = 'quatre mots sans rapport';

export interface Site {
  key: string;
  address: string;
  port: number;
}

/** A hoster as BOOTSTRAP_FILE has it. */
export interface Hoster {
  handle: string;
  profile: object;
  services: readonly object[];
}

function personOf(handle: string) {
  const username = `one_${handle}`;
  return { username, email: `${username}@example.org`, displayName: `Une de ${handle}`, password, language: 'fr' };
}

async function signIn(server: ServerProcess, login: string): Promise<{ member: Visitor; desk: string }> {
  const member = new Visitor(server.baseUrl);
  await member.visit('/sign-in');
  await member.submit('/sign-in', { login, password });
  const [desk] = /\/my\/collectives\/[0-9a-f-]{36}/.exec((await member.visit('/my/collectives')).html) ?? [];
  if (desk === undefined) throw new Error(`${login} has no hoster:\n${member.current.text}`);
  return { member, desk };
}

export async function planSites(keys: readonly string[]): Promise<Site[]> {
  const sites: Site[] = [];
  for (const [index, key] of keys.entries())
    sites.push({ key, address: `127.0.0.${index + 2}`, port: await freePort() });
  return sites;
}

export class Place {
  private constructor(
    readonly site: Site,
    readonly dataDir: string,
    readonly env: Readonly<Record<string, string>>,
    public server: ServerProcess,
    readonly member: Visitor,
    /** /my/collectives/{id} */
    readonly desk: string,
  ) {}

  /**
   * Starts it with one hoster, named after the key, and signs its administrator in. Or with the hosters given: the first is
   * the administrator's, each other one has somebody of its own (`enter`).
   */
  static async open(
    site: Site,
    allowed: readonly string[],
    engine: Record<string, string> = {},
    given: readonly Hoster[] = [],
  ): Promise<Place> {
    const { key } = site;
    const dataDir = join(temporaryFolder(), 'data');
    const file = join(temporaryFolder(), 'bootstrap.json');
    const administrator = { username: `adm_${key}`, email: `${key}@example.org`, displayName: key, password };
    const profile = { name: { fr: `Hébergeur ${key}`, en: `Hoster ${key}` }, legalForm: 'ASSOCIATION' };
    const hosters = given.length > 0 ? given : [{ handle: key, profile, services: [] }];
    const people = hosters.slice(1).map(({ handle }) => personOf(handle));
    const collectives = hosters.map((hoster, index) => {
      const username = index === 0 ? administrator.username : personOf(hoster.handle).username;
      return { ...hoster, members: [{ username, role: 'representative' }], posts: [] };
    });
    writeFileSync(file, JSON.stringify({ administrator: { ...administrator, language: 'fr' }, people, collectives }));
    const env = { ...engine, BOOTSTRAP_FILE: file, FEDERATION_PRIVATE_HOSTS: allowed.join(',') };
    const server = await startServer({ dataDir, port: site.port, address: site.address, env, timeoutMs: 40_000 });
    const { member, desk } = await signIn(server, administrator.username);
    return new Place(site, dataDir, env, server, member, desk);
  }

  /** Somebody of one of the other hosters, signed in, and the hoster's desk. */
  enter(handle: string): Promise<{ member: Visitor; desk: string }> {
    return signIn(this.server, personOf(handle).username);
  }

  get host(): string {
    return `${this.site.address}:${this.site.port}`;
  }

  get handle(): string {
    return `@${this.site.key}@${this.host}`;
  }

  /** Starts it again, perhaps on other data. */
  async restart(dataDir = this.dataDir): Promise<void> {
    const { address, port } = this.site;
    const { BOOTSTRAP_FILE: _once, ...env } = this.env;
    this.server = await startServer({ dataDir, port, address, env, timeoutMs: 40_000 });
  }

  async follow(other: Place): Promise<void> {
    await this.member.visit(`${this.desk}/partners/find?q=${encodeURIComponent(other.handle)}`);
    await this.member.submit('/partners/follow');
  }

  /** Says something to everybody; returns the address of its page. */
  async say(text: string): Promise<string> {
    await this.member.visit(`${this.desk}/posts/new`);
    await this.member.submit('/posts/new', { 'text.fr': text }, { button: 'publish' });
    return this.member.current.url;
  }

  feed(): Promise<Page> {
    return this.member.visit(`${this.desk}/partners`);
  }

  /** The feed, as soon as it shows the words; or, with `gone`, no longer does. */
  async reads(words: string, gone = false): Promise<Page> {
    return eventually(`${this.site.key} ${gone ? 'no longer reads' : 'reads'} "${words}"`, async () => {
      const page = await this.feed();
      return page.text.includes(words) !== gone ? page : undefined;
    });
  }

  /** Opens the thread of the post in the feed that has these words. */
  async open(words: string): Promise<Page> {
    const { html } = await this.reads(words);
    const article = html.split('<article').find((one) => one.includes(words.replaceAll("'", '&#x27;')));
    const [, href] = /href="(\/my\/collectives\/[0-9a-f-]+\/partners\/posts\/[0-9a-f]{64})"/.exec(article ?? '') ?? [];
    if (href === undefined) throw new Error(`no link to "${words}" in:\n${html}`);
    return this.member.visit(href);
  }
}

export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`it did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
