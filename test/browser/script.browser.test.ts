// What the small script adds to pages that work without it: a question before a deed, results that follow the filters, a
// summary of mistakes that is read first.
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, launchChromium } from '../support/chromium.js';
import { type SampleServer, startSampleServer } from './sampleServer.js';

describe('the script of the pages', function () {
  this.timeout(60_000);
  let server: SampleServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async function () {
    if (!chromiumPath) {
      console.log('browser tests were not run: no Chromium on this machine');
      this.skip();
    }
    server = await startSampleServer();
    browser = await launchChromium();
    page = await browser.newPage({ locale: 'en-GB' });
    page.on('pageerror', (error) => complaints.push(error.message));
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('asks before a deed, and does it only when told so', async () => {
    await page.goto(`${server.baseUrl}/styleguide`);
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(new URL(request.url()).pathname);
    });
    const deed = page.locator('form[data-confirm] button');
    await deed.click();
    expect(await page.locator('dialog').innerText()).to.include('Publish this service?');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(sent).to.deep.equal([]);
    expect(await page.evaluate('document.activeElement.closest("form[data-confirm]") !== null')).to.equal(true);
    await deed.click();
    await Promise.all([
      page.waitForRequest((request) => request.method() === 'POST'),
      page.click('dialog .button--danger'),
    ]);
    expect(sent).to.deep.equal(['/styleguide']);
  });

  it('renews the results while the filters change, and keeps the address', async () => {
    await page.goto(`${server.baseUrl}/collectives`);
    await page.evaluate('document.body.dataset.same = "yes"');
    await page.fill('input[name="q"]', 'ecluse');
    await page.waitForURL(/q=ecluse/);
    expect(await page.locator('#results .thing').count()).to.equal(1);
    expect(await page.evaluate('document.body.dataset.same')).to.equal('yes');
    expect(await page.locator('form [role="status"]').textContent()).to.match(/1/);
  });

  it('begins at the list of mistakes, which names the fields', async () => {
    await page.goto(`${server.baseUrl}/styleguide`);
    expect(await page.evaluate('document.activeElement.id')).to.equal('errors');
    const mistakes = await page.locator('#errors li').allInnerTexts();
    expect(mistakes[1]).to.match(/^Name in both languages, English — /);
    await page.click('#errors a >> nth=0');
    expect(await page.evaluate('document.activeElement.name')).to.equal('wrong');
  });

  it('says how long ago, with the date as its title', async () => {
    await page.goto(`${server.baseUrl}/`);
    const time = page.locator('.news time').nth(1);
    expect(await time.innerText()).to.match(/ago|yesterday|last/);
    expect(await time.getAttribute('title')).to.match(/20\d\d/);
  });

  it('makes no mistake of its own', () => {
    expect(complaints).to.deep.equal([]);
  });
});
