// Every page that a visitor, a hoster's member and an administrator can reach by links, as people see it: accessible,
// valid, within the screen of a phone, without a complaint of the browser. In both languages and both themes.
import { expect } from 'chai';
import { FileSystemConfigLoader, HtmlValidate } from 'html-validate';
import type { Browser, BrowserContext } from 'playwright-core';
import { axe, chromiumPath, launchChromium } from '../support/chromium.js';
import { type SampleServer, sampleAccounts, startSampleServer } from './sampleServer.js';

const htmlValidate = new HtmlValidate(
  new FileSystemConfigLoader({
    root: true,
    extends: ['html-validate:standard'],
    rules: {
      // Handlebars leaves blank space at line ends; void elements and self-closing are a matter of taste.
      'no-trailing-whitespace': 'off',
      'void-style': 'off',
      'doctype-style': 'off',
      'attribute-boolean-style': 'off',
      'attribute-empty-style': 'off',
      // Dates, hosts and software names are long words; phone numbers do not occur.
      'long-title': 'off',
      'tel-non-breaking': 'off',
    },
  }),
);

const who = ['visitor', 'member', 'administrator'] as const;

/** Addresses that differ only by an id, a handle or a page number show the same template: a few of each are enough. */
function patternOf(url: URL): string {
  const path = url.pathname
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ':id')
    .replace(/^\/@[^/]+/, '/@:name')
    .replace(/[0-9a-f]{64}/, ':key')
    .replace(/(services|software|posts|questions|sections)\/(?!new\b)[^/.]+/, '$1/:key');
  return `${path}?${[...new Set(url.searchParams.keys())].sort().join('&')}`;
}

const survey = '/my/collectives/:id/surveys/:id';
const asked = '/my/collectives/:id/asked';
/** Pages that must be among those that links lead to. */
const found: Record<(typeof who)[number], string[]> = {
  visitor: ['/surveys', '/surveys/:id', '/surveys/:id/answer', '/surveys/:id/results', '/surveys/:id/results/texts'],
  member: [
    ...['/my', '/me/notices', '/my/collectives/:id/surveys', '/my/collectives/:id/surveys/new', survey],
    ...['settings', 'questions', 'questions/:key', 'preview', 'results', 'remind', 'fediverse'].map(
      (page) => `${survey}/${page}`,
    ),
    ...['publish', 'answers', 'texts'].map((page) => `${survey}/results/${page}`),
    ...[asked, `${asked}/:id`, `${asked}/:key`, `${asked}/:id/results`, `${asked}/:key/results`],
    ...['/me/surveys/:id', '/polls/:id'],
  ],
  administrator: ['/admin/mails/templates'],
};

/** Those of the sample's surveys that have the most to show. */
function firstOf(ids: Readonly<Record<string, string>>): string[] {
  const own = `/my/collectives/${ids.collective}`;
  return [
    ...['', '/fediverse'].map((page) => `${own}/surveys/${ids.survey}${page}`),
    ...['', '/results'].map((page) => `${own}/surveys/${ids.closed}${page}`),
    ...[`${own}/surveys/${ids.draft}/settings`, `/polls/${ids.poll}`],
    ...[ids.refused, ids.byOwner].map((key) => `${own}/asked/${key}`),
    ...[ids.closed, ids.published].map((key) => `${own}/asked/${key}/results`),
  ];
}

describe('every page in a browser', function () {
  this.timeout(300_000);
  let server: SampleServer;
  let browser: Browser;

  before(async function () {
    if (!chromiumPath) {
      console.log('browser tests were not run: no Chromium on this machine');
      this.skip();
    }
    server = await startSampleServer();
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const person of who) {
    it(`is accessible, valid and fits a phone, for a ${person}`, async () => {
      const context = await browser.newContext({
        viewport: { width: 360, height: 800 },
        locale: 'fr-FR',
        colorScheme: 'light',
      });
      if (person !== 'visitor') await signIn(context, server, person);
      const problems: string[] = [];
      const seen = await crawl(
        context,
        server.baseUrl,
        async (page, path, response) => {
          const raw = await response.text();
          for (const { line, column, message, ruleId } of (await htmlValidate.validateString(raw)).results.flatMap(
            (one) => one.messages,
          )) {
            problems.push(`${path} html ${line}:${column} ${ruleId}: ${message}`);
          }
          for (const finding of await axe(page))
            problems.push(`${path} axe ${finding.id}: ${finding.help} (${finding.targets.slice(0, 3).join(' | ')})`);
          await page.emulateMedia({ colorScheme: 'dark' });
          for (const finding of await axe(page))
            problems.push(
              `${path} axe dark ${finding.id}: ${finding.help} (${finding.targets.slice(0, 3).join(' | ')})`,
            );
          await page.emulateMedia({ colorScheme: 'light' });
          const overflow = await page.evaluate<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          if (overflow > 0) problems.push(`${path} is ${overflow} px wider than a phone`);
        },
        person === 'member' ? firstOf(server.ids) : [],
      );
      expect(seen.length).to.be.greaterThan(person === 'visitor' ? 10 : 15);
      const patterns = new Set(
        seen.map((path) => new URL(patternOf(new URL(path, server.baseUrl)), server.baseUrl).pathname),
      );
      expect(found[person].filter((path) => !patterns.has(path))).to.deep.equal([]);
      expect(problems).to.deep.equal([]);
      await context.close();
    });
  }

  it('speaks English throughout when the reader does, without a key or a French word left over', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
    await signIn(context, server, 'administrator');
    const problems: string[] = [];
    await crawl(context, server.baseUrl, async (page, path) => {
      const language = await page.evaluate<string>('document.documentElement.lang');
      if (language !== 'en') problems.push(`${path} is in ${language}`);
      const text = await page.evaluate<string>('document.body.innerText');
      const key = /\b(?!http\.)[a-z]+(?:\.[a-zA-Z]+){2,}\b/.exec(
        text.replace(/\S*[/@:]\S*/g, '').replace(/\b\S+\.(example|properties|json|atom|csv|social|org|fr)\b/g, ''),
      );
      if (key) problems.push(`${path} shows the key ${key[0]}`);
      for (const finding of await axe(page))
        problems.push(`${path} axe ${finding.id}: ${finding.help} (${finding.targets.slice(0, 3).join(' | ')})`);
    });
    expect(problems).to.deep.equal([]);
    await context.close();
  });

  it('weighs less than 60 kB for a first visit', async () => {
    const context = await browser.newContext({ locale: 'fr-FR' });
    const page = await context.newPage();
    const bodies: Promise<Buffer>[] = [];
    page.on('response', (response) => bodies.push(response.body()));
    await page.goto(`${server.baseUrl}/`, { waitUntil: 'networkidle' });
    const bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + body.length, 0);
    expect(bytes).to.be.greaterThan(20_000).and.lessThan(60_000);
    await context.close();
  });
});

type Look = (
  page: import('playwright-core').Page,
  path: string,
  response: import('playwright-core').Response,
) => Promise<void>;

/** Follows links from the `first` and from / until nothing new appears; complains through the console count. */
async function crawl(
  context: BrowserContext,
  baseUrl: string,
  look: Look,
  first: readonly string[] = [],
): Promise<string[]> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
  const waiting = [...first, '/'];
  const known = new Map<string, number>();
  const seen: string[] = [];
  while (waiting.length > 0) {
    const path = waiting.shift() as string;
    const pattern = patternOf(new URL(path, baseUrl));
    const times = known.get(pattern) ?? 0;
    if (times >= 2 || seen.includes(path)) continue;
    known.set(pattern, times + 1);
    const response = await page.goto(new URL(path, baseUrl).href).catch(() => null);
    if (!response || !(response.headers()['content-type'] ?? '').startsWith('text/html')) continue;
    seen.push(path);
    if (response.status() >= 400) complaints.push(`${path} answered ${response.status()}`);
    await look(page, path, response);
    const links = await page.evaluate<string[]>(`[...document.querySelectorAll('a[href]')].map((one) => one.href)`);
    // The sample has no wire: ids on it lead nowhere there.
    for (const link of links) {
      const url = new URL(link);
      const skip = /\.(atom|json|csv|properties|txt|jsonld)$|^\/(media|language|me\/data|objects)/.test(url.pathname);
      if (url.origin === baseUrl && !skip) waiting.push(url.pathname + url.search);
    }
  }
  await page.close();
  expect(complaints).to.deep.equal([]);
  return seen;
}

async function signIn(
  context: BrowserContext,
  server: SampleServer,
  person: 'member' | 'administrator',
): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${server.baseUrl}/sign-in`);
  await page.fill('input[name="login"]', sampleAccounts[person].username);
  await page.fill('input[name="password"]', sampleAccounts.password);
  await page.click('main form button');
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  await page.close();
}
