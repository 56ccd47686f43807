// Takes pictures of pages, to be looked at by people: desktop and phone, both languages, both themes, with and without a
// script, and on paper. Not a test: nothing is compared.
//
//   npx tsx test/browser/look.ts --url http://localhost:3000 --as camille:password / /services
//   npx tsx test/browser/look.ts --sample --as member /me     (no server needed: the network ROSEAU; --empty: nothing yet)
//   With --sample an address may name what stands in it: /my/collectives/{collective}/asked/{survey}
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { sampleAccounts, startSampleServer } from './sampleServer.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'http://localhost:3000' },
    sample: { type: 'boolean', default: false },
    empty: { type: 'boolean', default: false },
    out: { type: 'string', default: '/tmp/shots' },
    as: { type: 'string' },
    widths: { type: 'string', default: '1280,360' },
    languages: { type: 'string', default: 'fr,en' },
    themes: { type: 'string', default: 'light,dark' },
    script: { type: 'string', default: 'on,off' },
    contrast: { type: 'boolean', default: false },
    print: { type: 'boolean', default: false },
    sharp: { type: 'boolean', default: false },
    screen: { type: 'boolean', default: false },
  },
});

interface Look {
  width: number;
  language: string;
  theme: 'light' | 'dark';
  script: boolean;
}

function looks(): Look[] {
  const list = (text: string) => text.split(',').filter(Boolean);
  return list(values.widths).flatMap((width) =>
    list(values.languages).flatMap((language) =>
      list(values.themes).flatMap((theme) =>
        list(values.script).map((script) => ({
          width: Number(width),
          language,
          theme: theme === 'dark' ? ('dark' as const) : ('light' as const),
          script: script === 'on',
        })),
      ),
    ),
  );
}

async function take(browser: Browser, baseUrl: string, path: string, look: Look): Promise<void> {
  const { width, language, theme, script } = look;
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 780 : 900 },
    deviceScaleFactor: values.sharp ? 2 : 1,
    locale: language === 'fr' ? 'fr-FR' : 'en-GB',
    colorScheme: theme,
    javaScriptEnabled: script,
    ...(values.contrast ? { contrast: 'more' as const, forcedColors: 'active' as const } : {}),
  });
  await context.addCookies([{ name: 'lang', value: language, url: baseUrl }]);
  const page = await context.newPage();
  if (values.as) {
    const { login, password } = account(values.as);
    await page.goto(`${baseUrl}/sign-in`);
    await page.fill('main input[name="login"]', login);
    await page.fill('main input[name="password"]', password);
    await page.click('main form button[type="submit"]');
    if (new URL(page.url()).pathname === '/sign-in') throw new Error(`${login} cannot sign in`);
  }
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => sample?.ids[name] ?? name);
  const response = await page.goto(new URL(address, baseUrl).href, { waitUntil: 'load' });
  const name = [path.replace(/[^\w@-]+/g, '-').replace(/^-|-$/g, '') || 'home', width, language, theme];
  if (values.as) name.push(values.as.split(':')[0] ?? '');
  if (!script) name.push('noscript');
  if (values.contrast) name.push('contrast');
  const file = join(values.out, name.join('_'));
  console.log(response?.status(), path, ...(await (values.print ? printed(page, file) : pictured(page, file, width))));
  await context.close();
}

function account(as: string): { login: string; password: string } {
  if (as === 'member' || as === 'administrator') {
    return { login: sampleAccounts[as].username, password: sampleAccounts.password };
  }
  const [login = '', ...password] = as.split(':');
  return { login, password: password.join(':') };
}

async function printed(page: Page, file: string): Promise<string[]> {
  await page.pdf({ path: `${file}.pdf`, format: 'A4' });
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 720, height: 1020 });
  return [`${file}.pdf`, ...(await pictured(page, `${file}_print`, 720))];
}

/** A long page is cut into several pictures, so that each can be looked at in its own size. */
async function pictured(page: Page, file: string, width: number): Promise<string[]> {
  const length = await page.evaluate<number>('document.documentElement.scrollHeight');
  const height = values.screen ? (page.viewportSize()?.height ?? length) : Math.min(length, 1500);
  const count = values.screen ? 1 : Math.ceil(length / height);
  const files: string[] = [];
  for (let part = 0; part < count; part += 1) {
    const path = `${file}${count > 1 ? `_${part + 1}` : ''}.png`;
    const clip = { x: 0, y: part * height, width, height: Math.min(height, length - part * height) };
    await page.screenshot({ path, fullPage: !values.screen, clip });
    files.push(path);
  }
  return files;
}

mkdirSync(values.out, { recursive: true });
const sample = values.sample || values.empty ? await startSampleServer(values.empty) : null;
const browser = await launchChromium();
try {
  for (const path of positionals.length > 0 ? positionals : ['/']) {
    for (const look of looks()) await take(browser, sample?.baseUrl ?? values.url, path, look);
  }
} finally {
  await browser.close();
  await sample?.stop();
}
