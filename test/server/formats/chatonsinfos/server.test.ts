// The test server that hosters' files are fetched from: it must misbehave as announced, or tests on it prove nothing.
import { expect } from 'chai';
import { readChatonsInfos } from '../../../../server/formats/chatonsinfos/read.js';
import { PROPERTIES_MAX_BYTES } from '../../../../server/formats/properties.js';
import {
  type Behaviour,
  type ChatonsInfosServer,
  oversizedProperties,
  quirkyChatonsInfosFiles,
  startChatonsInfosServer,
} from '../../../support/chatonsinfosServer.js';

describe('startChatonsInfosServer', () => {
  let server: ChatonsInfosServer;

  beforeEach(async () => {
    server = await startChatonsInfosServer({ files: quirkyChatonsInfosFiles() });
  });
  afterEach(() => server.close());

  const get = (path: string, init: RequestInit = {}) => fetch(server.baseUrl + path, init);
  const misbehaving = (behaviour: Behaviour, init: RequestInit = {}) => {
    server.behave('/x.properties', behaviour);
    return get('/x.properties', init);
  };

  it('serves files that name each other under its own address', async () => {
    const result = readChatonsInfos(new Uint8Array(await (await get('/organization.properties')).arrayBuffer()));
    if (!result.ok) throw new Error(result.refusal);
    expect(result.model.subs.map(({ url }) => url)).to.deep.equal(
      ['pads', 'nuage', 'video-latin1', 'courriel-bom'].map((name) => `${server.baseUrl}/${name}.properties`),
    );
    for (const { url } of result.model.subs) expect((await fetch(url)).status).to.equal(200);
    expect(server.hits.map(({ path, status }) => `${status} ${path}`).slice(0, 2)).to.deep.equal([
      '200 /organization.properties',
      '200 /pads.properties',
    ]);
  });

  it('answers 304 until the file is published again', async () => {
    const first = await get('/pads.properties');
    const etag = first.headers.get('etag') ?? '';
    const modified = first.headers.get('last-modified') ?? '';
    expect((await get('/pads.properties', { headers: { 'if-none-match': etag } })).status).to.equal(304);
    expect((await get('/pads.properties', { headers: { 'if-modified-since': modified } })).status).to.equal(304);
    server.publish('/pads.properties', 'file.class = service');
    expect((await get('/pads.properties', { headers: { 'if-none-match': etag } })).status).to.equal(200);
  });

  it('fails with the status it is told, and recovers', async () => {
    expect((await get('/nowhere')).status).to.equal(404);
    expect((await misbehaving('not-found')).status).to.equal(404);
    expect((await misbehaving('gone')).status).to.equal(410);
    expect((await misbehaving('server-error')).status).to.equal(500);
    server.publish('/x.properties', 'a = b');
    server.behave('/x.properties', null);
    expect(await (await get('/x.properties')).text()).to.equal('a = b');
  });

  it('redirects without end, or to where it is told', async () => {
    const manual: RequestInit = { redirect: 'manual' };
    expect((await misbehaving('endless-redirect', manual)).headers.get('location')).to.equal('/x.properties?again=1');
    expect((await get('/x.properties?again=7', manual)).headers.get('location')).to.equal('/x.properties?again=8');
    const elsewhere = await misbehaving({ redirectTo: 'http://10.0.0.1/' }, manual);
    expect(elsewhere.headers.get('location')).to.equal('http://10.0.0.1/');
  });

  it('sends what is no file: a page, a picture, far too much', async () => {
    expect((await misbehaving('wrong-content-type')).headers.get('content-type')).to.equal('text/html');
    const binary = new Uint8Array(await (await misbehaving('binary')).arrayBuffer());
    expect(readChatonsInfos(binary)).to.deep.include({ refusal: 'binary' });
    const oversized = new Uint8Array(await (await misbehaving('oversized')).arrayBuffer());
    expect(oversized.length).to.be.at.least(2 * 1024 * 1024);
    expect(readChatonsInfos(oversized)).to.deep.include({ refusal: 'too-large' });
    expect(oversizedProperties(PROPERTIES_MAX_BYTES + 1).length).to.be.greaterThan(PROPERTIES_MAX_BYTES);
  });

  it('sends for ever, fast or slowly, or nothing at all', async () => {
    for (const [behaviour, bytes] of [
      ['endless-body', 5_000_000],
      ['slow-drip', 2],
    ] as const) {
      const reader = (await misbehaving(behaviour)).body?.getReader();
      let received = 0;
      while (received < bytes) {
        const part = await reader?.read();
        expect(part?.done).to.equal(false);
        received += part?.value?.length ?? 0;
      }
      await reader?.cancel();
    }
    const silent = await misbehaving('silent', { signal: AbortSignal.timeout(300) }).catch(
      (error: Error) => error.name,
    );
    expect(silent).to.equal('TimeoutError');
  });
});
