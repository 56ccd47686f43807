// An anonymous survey through the doors: two members answer it; then everything that others may read, the log, and everything
// that is kept beside the ballots is searched for what they said (security.md AP-110, AP-115).
import { expect } from 'chai';
import { getCollective } from '../../server/collectives/queries.js';
import { closeSurvey } from '../../server/surveys/actions/running.js';
import { getSurvey } from '../../server/surveys/queries.js';
import { buildSurvey } from '../server/surveys/surveySupport.js';
import { type Client, contextFor, systemActor } from '../support/appSupport.js';
import { addressesOf, crawl } from './crawl.js';
import { startTwinHouse, type TwinHouse } from './tenants.js';

const asked = { help: {}, required: false, showIf: null, criterion: '' };
const sections = [
  {
    ...{ id: 's', title: {}, intro: {}, showIf: null },
    questions: [{ ...asked, id: 'why', kind: 'longText' as const, label: { fr: 'Pourquoi ?' } }],
  },
];
const said = ['zq-canary-of-alpha', 'zq-canary-of-beta'];

describe('an anonymous answer', function () {
  this.timeout(120_000);
  let app: TwinHouse;
  let survey: string;
  let answerPaths: string[];
  const receipts: string[] = [];

  before(async () => {
    app = await startTwinHouse();
    const ctx = contextFor(app.house, systemActor);
    const hosters = await Promise.all(
      [app.alpha, app.beta].map(({ collective }) => getCollective(app.house.store, collective._id)),
    );
    const [owner] = hosters;
    if (!owner) throw new Error('no hoster');
    survey = (await buildSurvey(ctx, owner, hosters, { names: 'anonymous', sections }))._id;
    answerPaths = hosters.map(({ _id }) => `/my/collectives/${_id}/asked/${survey}`);
    app.house.logged.length = 0;
    await answer(app.clients.memberA, answerPaths[0] ?? '', said[0] ?? '');
    await answer(app.clients.memberB, answerPaths[1] ?? '', said[1] ?? '');
    await app.drain();
  });

  async function answer(client: Client, path: string, why: string): Promise<void> {
    const page = await client.post(path, { 'a.why': why, version: '1', page: 'all', step: 'send' });
    expect(page.status).to.equal(200);
    const [receipt = ''] = /\b[0-9a-f]{24}\b/.exec(page.text) ?? [];
    expect(receipt).to.have.length(24);
    receipts.push(receipt);
  }

  it('stands on no page, in no feed, no export and no object, for a stranger or for those who ask and were asked', async () => {
    const { clients } = app;
    const own = [...answerPaths, ...answerPaths.flatMap((path) => [`${path}/done`, `${path}/results`])];
    const starts = [`/surveys`, `/surveys/${survey}`, `/surveys/${survey}/results`, ...own];
    const everything = [...new Set([...addressesOf(app), ...starts])];
    for (const [reader, from, options] of [
      [clients.visitor, everything, {}],
      [clients.plain, starts, { pagesOnly: true, staysThere: true }],
      [clients.memberA, starts, { pagesOnly: true, staysThere: true }],
      [clients.administrator, starts, { pagesOnly: true, staysThere: true }],
    ] as const) {
      const seen = await crawl(app, reader, from, options);
      expect(seen.length).to.be.greaterThan(3);
      for (const { path, text, headers } of seen) {
        const shown = text + JSON.stringify([...headers]);
        for (const secret of [...said, ...receipts])
          expect(shown.includes(secret), `${secret} on ${path}`).to.equal(false);
      }
    }
  });

  it('is kept with the ballots and nowhere else: no event, activity, delivery, mail, history, session or limit has it', async () => {
    const { store } = app.house;
    for (const name of (await store.listCollections()).filter((one) => one !== 'surveyBallots')) {
      const text = JSON.stringify(await store.collection(name).find({}).toArray());
      for (const secret of [...said, ...receipts])
        expect(text.includes(secret), `${secret} in ${name}`).to.equal(false);
    }
  });

  it('leaves no line in the log that says who answered what, or when', () => {
    const lines = app.house.logged.filter((line) => line.includes('/asked/'));
    expect(lines.length).to.be.greaterThan(0);
    for (const line of app.house.logged) {
      for (const secret of [...said, ...receipts]) expect(line).to.not.contain(secret);
    }
    for (const line of lines) {
      expect(line).to.contain('/my/collectives/:id/asked/:survey');
      for (const { collective } of [app.alpha, app.beta]) expect(line).to.not.contain(collective._id);
    }
  });

  it('shows no figures when fewer than five have answered, also after closing', async () => {
    await closeSurvey(contextFor(app.house, systemActor), survey);
    expect((await getSurvey(app.house.store, survey)).state).to.equal('closed');
    const results = `/my/collectives/${app.alpha.collective._id}/surveys/${survey}/results`;
    for (const path of [results, `${results}.csv`, `${results}.json`, `${results}.ods`]) {
      const { text } = await app.clients.memberA.get(path);
      for (const secret of said) expect(text.includes(secret), path).to.equal(false);
    }
  });
});
