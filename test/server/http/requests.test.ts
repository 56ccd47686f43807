import { expect } from 'chai';
import { Routes } from '../../../server/http/routes.js';
import { buildTestHouse, startTestApp } from '../../support/appSupport.js';

const secret = 'b1f4c2aa-0000-4000-8000-00000000feed.MacOfTheLink';

describe('the lines of requests in the log', () => {
  it('hold no link that opens something, and not who is asked what, also when something fails', async () => {
    const house = await buildTestHouse();
    const fail = () => {
      throw new Error('the store is away');
    };
    const broken = new Routes(house)
      .get('/feeds/:token', { access: 'public' }, fail)
      .get('/unsubscribe/:token', { access: 'public' }, fail)
      .get('/surveys/answer/:token', { access: 'public' }, fail)
      .get('/surveys/by-link/:token/done', { access: 'public' }, fail)
      .get('/me/surveys/:survey', { access: 'public' }, fail)
      .get('/my/collectives/:id/asked', { access: 'public' }, fail)
      .get('/my/collectives/:id/asked/:survey', { access: 'public' }, fail)
      .get('/my/collectives/:id/asked/:survey/done', { access: 'public' }, fail);
    const app = await startTestApp(house, [() => broken]);
    const client = app.client();
    for (const path of [
      `/feeds/${secret}.atom`,
      `/unsubscribe/${secret}`,
      `/surveys/answer/${secret}`,
      `/surveys/by-link/${secret}/done`,
      `/me/surveys/${secret}`,
      `/my/collectives/${secret}/asked`,
      `/my/collectives/${secret}/asked/${secret}`,
      `/my/collectives/${secret}/asked/${secret}/done`,
    ]) {
      house.logged.length = 0;
      expect([path, (await client.get(path)).status]).to.deep.equal([path, 500]);
      expect(house.logged.filter((line) => line.includes('a request failed'))).to.have.length(1);
      for (const line of house.logged) expect(line, path).not.to.contain(secret);
    }
  });
});
