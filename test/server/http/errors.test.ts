import { expect } from 'chai';
import { startWholeApp } from '../../support/wholeApp.js';

describe('refusals at the door', () => {
  it('answers 404 to an address that cannot be decoded', async () => {
    const { url } = await startWholeApp();
    for (const path of ['/@%E0%A4%A', '/my/collectives/%']) {
      const answer = await fetch(url + path, { headers: { accept: 'text/html' }, redirect: 'manual' });
      expect([path, answer.status]).to.deep.equal([path, 404]);
    }
  });

  it('answers programs in JSON, with the number of the request', async () => {
    const { url } = await startWholeApp();
    const answer = await fetch(`${url}/nowhere`, { headers: { accept: 'application/json' } });
    const body = (await answer.json()) as Record<string, unknown>;
    expect([answer.status, body.error]).to.deep.equal([404, 'not-found']);
    expect(body.requestId).to.equal(answer.headers.get('x-request-id'));
  });
});
