import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express, { type Express } from 'express';
import { frameFor, sendPage } from '../../../server/http/page.js';
import { rememberPages } from '../../../server/http/remember.js';
import { sessions } from '../../../server/http/session.js';
import { defaultSettings, writeSettings } from '../../../server/instances/settings.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';

describe('remembered pages', () => {
  let house: TestHouse;
  let app: Express;
  let url: string;
  let close: () => void;
  let made: string[];

  beforeEach(async () => {
    house = await buildTestHouse();
    made = [];
    app = express();
    app.use(rememberPages(house));
    app.use(sessions(house));
    app.get('/:what', async (req, res) => {
      made.push(req.originalUrl);
      const { what } = req.params;
      if (what === 'missing') res.status(404);
      if (what === 'private') res.set('Cache-Control', 'no-store');
      if (what === 'flash') req.session.flash = { key: 'error.internal' };
      if (what === 'writes') await writeSettings(house.store, defaultSettings);
      const frame = await frameFor(house, req, res);
      const model = { status: 200, message: { key: 'error.internal' }, requestId: String(made.length) };
      await sendPage(house, req, res, frame, 'errors/error', model, { title: 'x', withForm: what === 'form' });
    });
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () => {
      server.close();
      server.closeAllConnections();
    };
  });
  afterEach(() => close());

  const get = async (path: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { headers: { accept: 'text/html', 'accept-language': 'fr', ...headers } });

  it('makes a page once for everybody, with the same headers', async () => {
    const [first, second] = [await get('/x?a=1'), await get('/x?a=1')];
    expect(made).to.deep.equal(['/x?a=1']);
    expect(await second.text()).to.equal(await first.text());
    for (const name of ['content-type', 'content-language', 'vary', 'etag']) {
      expect(second.headers.get(name), name).to.be.a('string').and.to.equal(first.headers.get(name));
    }
  });

  it('answers 304 from a remembered page', async () => {
    await get('/x');
    const etag = (await get('/x')).headers.get('etag') ?? '';
    const again = await get('/x', { 'if-none-match': etag, 'cache-control': 'max-age=0' });
    expect([again.status, made.length]).to.deep.equal([304, 1]);
  });

  it('makes it anew after any write, and after two seconds', async () => {
    await get('/x');
    await writeSettings(house.store, { ...defaultSettings, name: 'Neuf' });
    expect(await (await get('/x')).text()).to.include('Neuf');
    await get('/x');
    expect(made).to.have.length(2);
    house.pass(2001);
    await get('/x');
    expect(made).to.have.length(3);
  });

  it('does not keep a page during which something was written', async () => {
    await get('/writes');
    await get('/writes');
    expect(made).to.have.length(2);
  });

  it('keeps languages, addresses and kinds of answer apart', async () => {
    await get('/x');
    await get('/x', { 'accept-language': 'en' });
    await get('/x?b');
    await get('/x', { accept: 'text/html;q=0.9' });
    await get('/x', { accept: 'application/activity+json' });
    await get('/x', { accept: 'application/activity+json' });
    expect(made).to.have.length(6);
  });

  it('never keeps what is for one reader: cookies, forms, messages, private and missing pages', async () => {
    await get('/x');
    await get('/x', { cookie: 'sid=1' });
    expect(made).to.have.length(2);
    for (const path of ['/form', '/flash', '/private', '/missing']) {
      made = [];
      await get(path);
      await get(path);
      expect(made, path).to.have.length(2);
    }
  });
});
