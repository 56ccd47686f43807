// What the script adds to the form of a survey, by keyboard too; and that nothing typed is lost when the session ends.
import { expect } from 'chai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { axe, chromiumPath, launchChromium } from '../support/chromium.js';
import { type SampleServer, sampleAccounts, startSampleServer } from './sampleServer.js';

describe('the form of a survey in a browser', function () {
  this.timeout(120_000);
  let server: SampleServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  before(async function () {
    if (!chromiumPath) {
      console.log('browser tests were not run: no Chromium on this machine');
      this.skip();
    }
    server = await startSampleServer();
    browser = await launchChromium();
    context = await browser.newContext({ locale: 'en-GB', viewport: { width: 360, height: 800 } });
    page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await signIn(page);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function signIn(on: Page): Promise<void> {
    await on.goto(`${server.baseUrl}/sign-in`);
    await on.fill('input[name="login"]', sampleAccounts.member.username);
    await on.fill('input[name="password"]', sampleAccounts.password);
    await Promise.all([on.waitForURL(/\/(me|my)\b/), on.click('main button[type="submit"]')]);
  }

  const address = (who: string) => `${server.baseUrl}${who === 'person' ? '/me' : ''}/surveys/${server.ids[who]}`;
  const why = 'textarea[name="a.why"]';

  it('shows and hides at once what depends on another answer, and sends nothing hidden', async () => {
    await page.goto(address('person'));
    expect(await page.isVisible(why)).to.equal(false);
    expect(await page.isDisabled(why)).to.equal(true);
    await page.check('input[name="a.come.is"][value="no"]');
    expect(await page.isVisible(why)).to.equal(true);
    expect(await page.isDisabled(why)).to.equal(false);
    await page.check('input[name="a.come.is"][value="yes"]');
    expect(await page.isVisible(why)).to.equal(false);
  });

  it('says at once whether another page follows, and asks it before anything is sent', async () => {
    const guest = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    await guest.goto(`${address('pages')}/answer?page=2`);
    const button = guest.locator('main button.button--primary');
    expect(await button.textContent()).to.equal('Send the answer');
    await guest.check('input[name="a.take.is"][value="yes"]');
    expect(await button.textContent()).to.equal('Continue');
    await guest.check('input[name="a.take.is"][value="no"]');
    expect(await button.textContent()).to.equal('Send the answer');
    await guest.check('input[name="a.take.is"][value="yes"]');
    await button.click();
    await guest.waitForURL(/page=3$/);
    expect(await guest.isVisible('textarea[name="a.tasks"]')).to.equal(true);
    expect(await button.textContent()).to.equal('Send the answer');
    await guest.context().close();
  });

  it('tells the times of slots where the reader is, when that is elsewhere', async () => {
    const path = `${server.baseUrl}/my/collectives/${server.ids.collective}/asked/${server.ids.survey}?page=all`;
    const told: string[][] = [];
    for (const timezoneId of ['America/Montreal', 'Europe/Paris']) {
      const there = await (await browser.newContext({ locale: 'en-GB', timezoneId })).newPage();
      await signIn(there);
      await there.goto(path);
      told.push(await there.locator('.survey-grid-own').allTextContents());
      await there.context().close();
    }
    expect(told[0]?.[0]).to.match(/^Your time: Thu,? 10 December.*13:00–14:30$/);
    expect(told[1]).to.deep.equal([]);
  });

  it('takes a choice back by keyboard, with what comes once there is one', async () => {
    await page.goto(`${server.baseUrl}/my/collectives/${server.ids.collective}/asked/${server.ids.survey}?page=all`);
    const none = page.locator('input[name="a.legal.is"][value=""]');
    expect(await none.isVisible()).to.equal(false);
    await page.locator('input[name="a.legal.is"]').first().check();
    expect(await none.isVisible()).to.equal(true);
    expect(await axe(page)).to.deep.equal([]);
    await page.keyboard.press('ArrowUp');
    expect(await none.isChecked()).to.equal(true);
    expect(await none.isVisible()).to.equal(true);
  });

  it('chooses "other" for whoever writes there', async () => {
    await page.goto(`${server.baseUrl}/my/collectives/${server.ids.collective}/asked/${server.ids.survey}?page=all`);
    const other = page.locator('input[name="a.tasks.is"][value="other"]');
    expect(await other.isChecked()).to.equal(false);
    await page.fill('input[name="a.tasks.other"]', 'The coffee');
    expect(await other.isChecked()).to.equal(true);
  });

  it('moves what is ranked by keyboard, keeps the focus, and says the new place', async () => {
    await page.goto(address('person'));
    const up = page
      .locator('.ranking-item', { hasText: 'Replacing the machines' })
      .getByRole('button', { name: /^Up/ });
    await up.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).to.match(/^Up \(Replacing/);
    const places = await page
      .locator('.ranking select')
      .evaluateAll((all) =>
        (all as unknown as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
      );
    expect(places).to.deep.equal([
      ['a.order.machines', '1'],
      ['a.order.money', '2'],
      ['a.order.people', '3'],
    ]);
    expect(await page.locator('.ranking + [role="status"]').textContent()).to.equal(
      'Replacing the machines: place 1 of 3',
    );
  });

  it('keeps the draft when the reader turns away, and then lets them leave without a question', async () => {
    await page.goto(address('person'));
    await page.check('input[name="a.come.is"][value="no"]');
    await page.fill(why, 'A long journey');
    const saved = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await page.evaluate('window.dispatchEvent(new Event("blur"))');
    expect((await saved).status()).to.equal(204);
    await page.locator('.survey-kept').waitFor();
    expect(await page.locator('.survey-kept').textContent()).to.match(/^Draft kept at \d/);
    await page.goto(address('person'));
    expect(await page.inputValue(why)).to.equal('A long journey');
  });

  it('loses nothing when the session ends: sign in in another tab, send again', async () => {
    await page.goto(address('person'));
    await page.check('input[name="a.come.is"][value="no"]');
    await page.fill(why, 'Words that took an hour to find');
    await context.clearCookies();
    await page.click('button[value="send"]');
    await page.waitForSelector('.kept-text');
    expect(await page.locator('main').innerText()).to.include('Words that took an hour to find');
    expect(await axe(page)).to.deep.equal([]);
    const [tab] = await Promise.all([context.waitForEvent('page'), page.click('main a[target="_blank"]')]);
    await signIn(tab);
    await tab.close();
    const again = () => page.getByRole('button', { name: 'Send again' }).click();
    await again();
    await page.getByText('It will be sent as').waitFor();
    await again();
    await page.waitForURL(/\/done$/);
    await page.goto(address('person'));
    expect(await page.inputValue(why)).to.equal('Words that took an hour to find');
  });

  it('begins at the list of mistakes, each of which leads to its question', async () => {
    const guest = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    await guest.goto(`${address('guest')}/answer`);
    await guest.click('button[value="send"]');
    expect(await guest.evaluate('document.activeElement.id')).to.equal('errors');
    await guest.click('#errors a');
    expect(await guest.evaluate('document.activeElement.name')).to.equal('a.come.is');
    await guest.context().close();
  });

  for (const theme of ['light', 'dark'] as const) {
    it(`is accessible for guests and on the pages after, in ${theme}`, async () => {
      const options = { locale: 'fr-FR', colorScheme: theme, viewport: { width: 360, height: 800 } };
      const guest = await (await browser.newContext(options)).newPage();
      const findings: unknown[] = [];
      const look = async () => {
        findings.push(...(await axe(guest)));
        const overflow = await guest.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (overflow !== 0) findings.push(`${guest.url()} is ${overflow} px too wide`);
      };
      for (const who of ['guest', 'secret']) {
        await guest.goto(address(who));
        await look();
        await guest.goto(`${address(who)}/answer`);
        await look();
        await guest.check('input[name="a.come.is"][value="yes"]');
        await guest.click('button[value="send"]');
        await guest.waitForSelector('.copyable');
        await look();
      }
      await guest.goto(`${address('secret')}/receipt`);
      await look();
      await guest.goto(`${server.baseUrl}/surveys`);
      await look();
      expect(findings).to.deep.equal([]);
      await guest.context().close();
    });
  }

  it('makes no mistake of its own', () => {
    expect(complaints).to.deep.equal([]);
  });
});
