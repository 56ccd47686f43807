import { expect } from 'chai';
import type { RequestHandler } from 'express';
import { checkAddress, createFetch } from '../../federation/fetch.js';
import { FetchError } from '../../federation/fetchErrors.js';
import { runSelfTest } from '../../federation/selfTest.js';
import { addCollective, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

describe('the self-test', () => {
  async function findings(before?: RequestHandler): Promise<Record<string, string>> {
    const app = await startFederatedApp({ privateHosts: [], ...(before ? { before } : {}) });
    const lines = await runSelfTest(app.federation);
    expect(lines.map(({ name }) => name)).to.deep.equal([
      'actor',
      'representations',
      'webFingerByName',
      'webFingerByAddress',
      'hostMeta',
      'nodeInfo',
      'clock',
      'signature',
      'inbox',
      'deliveryCavage',
      'deliveryMessage',
    ]);
    for (const { name, exchanges } of lines) expect(exchanges, name).not.to.deep.equal([]);
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
    expect(await findings(at(/^\/actors\/instance$/, page))).to.have.all.keys('actor', 'representations', 'signature');
    expect(await findings(at(/nodeinfo/, page))).to.have.all.keys('nodeInfo');
    expect(await findings(at(/webfinger.*acct/, (_req, res) => void res.status(404).end()))).to.deep.equal({
      webFingerByName: 'HTTP 404 ≠ 200',
    });
    expect(await findings(at(/^\/inbox/, (_req, res) => void res.status(202).end()))).to.deep.equal({
      inbox: 'HTTP 202 ≠ 401',
      deliveryCavage: 'HTTP 202 ≠ 401',
    });
    expect(await findings(at(/host-meta/, (_req, res) => void res.status(404).end()))).to.deep.equal({
      hostMeta: 'HTTP 404 ≠ 200',
    });
  });

  it('sees a cache that mixes the page with the document, and one that hides by what they differ', async () => {
    let kept: { status: number; headers: Record<string, unknown> } | null = null;
    const mixing: RequestHandler = (_req, res, next) => {
      if (kept !== null) return void res.status(kept.status).set('location', '/about').end();
      res.on('finish', () => {
        kept = { status: res.statusCode, headers: res.getHeaders() };
      });
      next();
    };
    expect(await findings(at(/^\/actors\/instance$/, mixing))).to.include({ representations: 'HTTP 200 ≠ 303' });
    const hiding: RequestHandler = (_req, res, next) => {
      const { writeHead } = res;
      res.writeHead = ((...given: Parameters<typeof writeHead>) => {
        res.removeHeader('vary');
        return writeHead.apply(res, given);
      }) as typeof writeHead;
      next();
    };
    expect(await findings(hiding)).to.deep.equal({ representations: 'Vary: –' });
  });

  it('sees a proxy that drops or rewrites what is signed, in either scheme', async () => {
    const without =
      (name: string): RequestHandler =>
      (req, _res, next) => {
        delete req.headers[name];
        delete (req.headersDistinct as Record<string, unknown>)[name];
        next();
      };
    expect(await findings(without('digest'))).to.deep.equal({ deliveryCavage: 'HTTP 401 ≠ 202' });
    expect(await findings(without('signature-input'))).to.deep.equal({ deliveryMessage: 'HTTP 401 ≠ 202' });
    const rewriting: RequestHandler = (req, _res, next) => {
      req.originalUrl = `/app${req.originalUrl}`;
      next();
    };
    expect(await findings(rewriting)).to.have.all.keys('deliveryCavage', 'deliveryMessage');
  });

  it('says that the clock is wrong, by the word of the servers that we know', async () => {
    const peer = await startPeer();
    const app = await startFederatedApp({ privateHosts: [peer.host] });
    const hoster = await addCollective(app);
    const alice = peer.addActor('alice');
    await peer.post(alice, `${app.baseUrl}/inbox`, peer.follow(alice, `${app.baseUrl}/actors/${hoster.handle}`));
    const clock = async () => (await runSelfTest(app.federation)).find(({ name }) => name === 'clock');
    const well = await clock();
    expect(well?.finding).to.equal(null);
    expect(well?.exchanges.map(({ request }) => request)).to.deep.equal([`Date: ${peer.host}`]);
    app.pass(2);
    expect((await clock())?.finding).to.match(/^−1(19|20|21)\.\d s$/);
  });

  it('is itself without effect: whoever has not our key is refused as one of ours', async () => {
    const peer = await startPeer();
    const app = await startFederatedApp({ privateHosts: [peer.host] });
    const hoster = await addCollective(app);
    await app.run();
    await runSelfTest(app.federation);
    await nothingStored(app, () => runSelfTest(app.federation));
    const mallory = peer.addActor('mallory');
    const follow = peer.follow(mallory, `${app.baseUrl}/actors/${hoster.handle}`);
    const keyId = `${app.baseUrl}/actors/instance#main-key`;
    const answer = await nothingStored(app, () => peer.post(mallory, `${app.baseUrl}/inbox`, follow, { keyId }));
    expect(answer.status).to.equal(401);
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
    expect(await findings(at(/^\/actors\/instance$/, swap))).to.have.all.keys('representations', 'signature');
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
