import { launchChromium } from '../support/chromium.js';
import { sampleAccounts, startSampleServer } from './sampleServer.js';

const server = await startSampleServer();
const browser = await launchChromium();
for (const [language, width] of [
  ['fr', 1280],
  ['fr', 360],
  ['en', 360],
] as const) {
  const context = await browser.newContext({
    locale: language === 'fr' ? 'fr-FR' : 'en-GB',
    viewport: { width, height: 900 },
    timezoneId: 'America/Montreal',
  });
  const page = await context.newPage();
  const shot = async (name: string) => {
    await page.screenshot({ path: `/tmp/ans-shots/zz-${name}-${language}-${width}.png`, fullPage: true });
  };
  await page.goto(`${server.baseUrl}/sign-in`);
  await page.fill('input[name="login"]', sampleAccounts.member.username);
  await page.fill('input[name="password"]', sampleAccounts.password);
  await Promise.all([page.waitForURL(/\/(me|my)\b/), page.click('main button[type="submit"]')]);
  const path = `${server.baseUrl}/my/collectives/${server.ids.collective}/asked/${server.ids.survey}`;
  await page.goto(`${path}?page=all`);
  for (const name of (await page.evaluate(
    '[...new Set([...document.querySelectorAll("form.survey input[type=radio]")].map((one) => one.name))]',
  )) as string[])
    await page.locator(`input[name="${name}"]`).first().check();
  await shot('checked');
  await page.goto(`${path}?page=all`);
  await page.click('button[value="send"]');
  await shot('mistakes');
  await page.goto(`${server.baseUrl}/surveys/${server.ids.pages}/answer?page=2`);
  await shot('page2');
  const noscript = await browser.newContext({
    locale: language === 'fr' ? 'fr-FR' : 'en-GB',
    viewport: { width, height: 900 },
    javaScriptEnabled: false,
  });
  const other = await noscript.newPage();
  await other.goto(`${server.baseUrl}/surveys/${server.ids.pages}/answer?page=2`);
  await other.screenshot({ path: `/tmp/ans-shots/zz-page2-noscript-${language}-${width}.png`, fullPage: true });
}
await browser.close();
await server.stop();
process.exit(0);
