// A whole survey without JavaScript and without a pointer: made, answered, closed and published by keyboard alone.
import { expect } from 'chai';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { chromiumPath, launchChromium } from '../support/chromium.js';
import { type SampleServer, sampleAccounts, startSampleServer } from './sampleServer.js';

describe('a survey by keyboard, without JavaScript', function () {
  this.timeout(180_000);
  let server: SampleServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  before(async function () {
    if (!chromiumPath) {
      console.log('browser tests were not run: no Chromium on this machine');
      this.skip();
    }
    server = await startSampleServer();
    browser = await launchChromium();
    context = await browser.newContext({ locale: 'en-GB', javaScriptEnabled: false });
    page = await context.newPage();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Goes on by Tab until the focus is there, and finds that it shows. */
  async function reach(target: Locator): Promise<void> {
    const focused = target.and(page.locator(':focus-visible'));
    for (let step = 0; step < 400; step += 1) {
      if ((await focused.count()) > 0) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`no way by keyboard to ${target} on ${page.url()}`);
  }

  async function write(name: string, text: string): Promise<void> {
    await reach(page.locator(`main [name="${name}"]`).first());
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(text);
  }

  async function press(target: Locator): Promise<void> {
    await reach(target);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  }

  const button = (name: string | RegExp) => page.locator('main').getByRole('button', { name });
  const text = () => page.locator('main').innerText();
  const path = (rest: string) => `${server.baseUrl}/my/collectives/${server.ids.collective}${rest}`;

  it('is made, opened, answered, closed, read and published', async () => {
    await page.goto(`${server.baseUrl}/sign-in`);
    await write('login', sampleAccounts.member.username);
    await write('password', sampleAccounts.password);
    await press(page.locator('main button[type="submit"]'));
    expect(new URL(page.url()).pathname).to.equal('/my');

    await page.goto(path('/surveys/new'));
    await write('title.en', 'Where do we meet?');
    await write('title.fr', 'Où se réunir ?');
    await press(button('Create the draft'));
    const survey = new URL(page.url()).pathname.replace(/\/questions$/, '');
    const id = survey.split('/').at(-1);

    await reach(page.locator('select[name="kind"]').first());
    await page.keyboard.type('One choice');
    await press(button(/^Add/).first());
    await write('label.en', 'Which town?');
    await write('label.fr', 'Quelle ville ?');
    for (const [index, town] of ['Bordeaux', 'Lyon'].entries()) {
      await write(`choices.${index}.label.en`, town);
      await write(`choices.${index}.label.fr`, town);
    }
    await press(button('Save the question'));
    expect(await text()).to.contain('Which town?');

    await page.goto(`${server.baseUrl}${survey}/settings`);
    await reach(page.getByRole('checkbox', { name: /Écluse/ }));
    await page.keyboard.press('Space');
    await press(button('Save'));
    expect(await text()).to.contain('The settings are saved.');

    await page.goto(`${server.baseUrl}${survey}`);
    await reach(page.locator('summary', { hasText: 'Open now' }));
    await page.keyboard.press('Enter');
    await press(button('Open now'));

    await page.goto(path(`/asked/${id}`));
    await reach(page.locator('main [type="radio"]').first());
    await page.keyboard.press('ArrowDown');
    expect(await page.getByRole('radio', { name: 'Lyon' }).isChecked()).to.equal(true);
    await press(button('Send the answer'));
    expect(new URL(page.url()).pathname).to.equal(`${new URL(path(`/asked/${id}`)).pathname}/done`);

    await page.goto(`${server.baseUrl}${survey}`);
    await reach(page.locator('summary', { hasText: 'Close now' }));
    await page.keyboard.press('Enter');
    await press(button('Close now'));

    await press(page.locator('main').getByRole('link', { name: 'Results' }).first());
    const rows = await page.locator('table.bars tbody tr').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' ').trim())).to.deep.equal(['Bordeaux 0 0%', 'Lyon 1 100%']);

    await press(page.locator('main').getByRole('link', { name: /^Publish/ }));
    await press(button('Publish'));
    await page.goto(path(`/asked/${id}/results`));
    expect(await text())
      .to.contain('Lyon')
      .and.to.contain('Which town?');
  });
});
