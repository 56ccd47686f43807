import { expect } from 'chai';
import type { RequestHandler } from 'express';
import { checkAddress, createFetch, FetchError } from '../../federation/fetch.js';
import { runSelfTest } from '../../federation/selfTest.js';
import { startFederatedApp } from './federatedApp.js';

describe('the self-test', () => {
  async function findings(before?: RequestHandler): Promise<Record<string, string>> {
    const app = await startFederatedApp({ privateHosts: [], ...(before ? { before } : {}) });
    const lines = await runSelfTest(app.federation);
    expect(lines).to.have.length(6);
    return Object.fromEntries(lines.flatMap(({ name, finding }) => (finding === null ? [] : [[name, finding]])));
  }

  const at =
    (path: RegExp, answer: RequestHandler): RequestHandler =>
    (req, res, next) =>
      path.test(req.url) ? answer(req, res, next) : next();

  it('finds nothing wrong with an instance that is well', async () => {
    expect(await findings()).to.deep.equal({});
  });

  it('says which part a proxy spoils', async () => {
    const page: RequestHandler = (_req, res) => void res.type('html').send('<p>page');
    expect(await findings(at(/^\/actors\/instance$/, page))).to.have.all.keys('actor', 'signature');
    expect(await findings(at(/nodeinfo/, page))).to.have.all.keys('nodeInfo');
    expect(await findings(at(/webfinger.*acct/, (_req, res) => void res.status(404).end()))).to.deep.equal({
      webFingerByName: 'HTTP 404 ≠ 200',
    });
    expect(await findings(at(/^\/inbox/, (_req, res) => void res.status(202).end()))).to.deep.equal({
      inbox: 'HTTP 202 ≠ 401',
    });
  });

  it('sees a key that is not ours any more', async () => {
    const other = await startFederatedApp({ privateHosts: [] });
    const stranger = (await (await fetch(`${other.baseUrl}/actors/instance`)).json()) as { publicKey: object };
    const swap: RequestHandler = async (req, res) => {
      const base = `http://${req.headers.host}`;
      const id = `${base}/actors/instance`;
      const publicKey = { ...stranger.publicKey, id: `${id}#main-key`, owner: id };
      res.type('application/activity+json').send(JSON.stringify({ id, inbox: `${id}/inbox`, publicKey }));
    };
    expect(await findings(at(/^\/actors\/instance$/, swap))).to.have.all.keys('signature');
  });

  it('goes to no other address, and no other way out goes to ours', async () => {
    const now = () => new Date();
    const options = { ownOrigin: '', userAgent: 't', privateHosts: ['127.0.0.1:1'], now };
    const own = { ...options, onlyOrigin: 'https://chat.example' };
    expect(checkAddress('https://chat.example/x', own).href).to.equal('https://chat.example/x');
    for (const url of [
      'https://chat.example:8443/',
      'http://chat.example/',
      'https://a.chat.example/',
      'http://127.0.0.1:1/',
    ]) {
      expect(() => checkAddress(url, own), url).to.throw(FetchError);
    }
    const usual = createFetch({ ...options, ownOrigin: 'https://chat.example' });
    const refused = await usual
      .probe('https://other.example/', { method: 'GET', headers: {} })
      .catch((e: unknown) => e);
    expect(refused).to.be.instanceOf(FetchError).with.property('reason', 'refused-address');
    await usual.close();
  });
});
