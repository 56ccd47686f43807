import { expect } from 'chai';
import { drainEvents } from '../../../jobs/drainEvents.js';
import { recordChange } from '../../../server/history/actions.js';
import { deliveriesIn, peersIn } from '../../../server/instances/peerQueries.js';
import { findRule, readPeerSettings, readPolicy } from '../../../server/instances/queries.js';
import { eventfulCollections } from '../../../server/store/schema.js';
import { buildPerson, type Client, signIn } from '../../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../../support/wholeApp.js';

const rules = '/admin/peers/rules';

describe('the pages about rules for other instances', () => {
  let app: WholeApp;
  let client: Client;

  beforeEach(async () => {
    app = await startWholeApp();
    client = app.client({ language: 'en' });
    const password = 'un mot de passe assez long';
    const role = { instanceRole: 'administrator', displayName: 'Ada', password } as const;
    await signIn(client, await buildPerson(app.house, role));
  });

  async function drain(): Promise<void> {
    const { store, log, now } = app.house;
    const consumers = [
      { name: 'history', receive: (event: Parameters<typeof recordChange>[1]) => recordChange(store, event) },
    ];
    await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
  }

  const add = (domain: string, kind = 'block', publicReason = '') =>
    client.post(rules, { domain, kind, publicReason, privateReason: 'a quarrel' });

  it('add, change and remove a rule, and keep who did what', async () => {
    expect((await add('https://Evil.example/users/x', 'block', 'Spam <b>')).location).to.equal(rules);
    const page = await client.get(rules);
    expect(page.text).to.include('evil.example').and.to.include('Spam &lt;b&gt;').and.to.include('One rule');
    const one = `${rules}/evil.example`;
    expect((await client.get(one)).text).to.include('a quarrel');
    const changed = await client.post(one, { kind: 'limit', publicReason: 'Loud', privateReason: '' });
    expect(changed.location).to.equal(rules);
    expect(await findRule(app.house.store, 'evil.example')).to.include({ kind: 'limit', publicReason: 'Loud' });
    expect((await client.post(`${one}/remove`, {}, one)).location).to.equal(rules);
    expect((await client.get(one)).status).to.equal(404);
    await drain();
    const history = (await client.get(rules)).text;
    for (const line of ['New rule: evil.example', 'Rule changed: evil.example', 'Rule removed: evil.example', 'Ada']) {
      expect(history).to.include(line);
    }
  });

  it('say what is wrong with a domain, and keep what was typed', async () => {
    for (const domain of ['org', 'two words', 'e***.org']) {
      const answer = await add(domain, 'block', 'because');
      expect(answer.status, domain).to.equal(422);
      expect(answer.text).to.include('not a domain name that a rule can be about').and.to.include('because');
    }
    expect((await add('127.0.0.1')).text).to.include('That is the domain of this instance');
  });

  it('search and turn pages', async () => {
    const list = Array.from({ length: 60 }, (_none, index) => `host${String(index).padStart(2, '0')}.example`);
    await client.post(`${rules}/import/apply`, { csv: list.join('\n'), kind: 'block' }, `${rules}/import`);
    const first = (await client.get(rules)).text;
    expect(first).to.include('60 rules').and.to.include('host00.example').and.not.to.include('host55.example');
    expect((await client.get(`${rules}?page=2`)).text).to.include('host55.example');
    const found = (await client.get(`${rules}?q=host55`)).text;
    expect(found).to.include('One rule').and.to.include('host55.example');
    expect((await client.get(`${rules}?q=.*`)).text).to.include('60 rules');
    expect((await client.get(`${rules}?only=allow`)).text).to.include('No rule');
  });

  it('show what a list would change before anything changes, then take it over', async () => {
    await add('known.example');
    const csv =
      '#domain,#severity,#public_comment\nknown.example,suspend,\nnew.example,silence,Loud\ne**.example,suspend,\n';
    const preview = await client.post(`${rules}/import`, { csv, kind: 'block' });
    expect(preview.status).to.equal(200);
    expect(preview.text)
      .to.include('new.example')
      .and.to.include('name hidden with stars')
      .and.to.include('One change');
    expect(await findRule(app.house.store, 'new.example')).to.equal(null);
    const done = await client.post(`${rules}/import/apply`, { csv, kind: 'block' }, `${rules}/import`);
    expect(done.location).to.equal(rules);
    expect(await findRule(app.house.store, 'new.example')).to.include({ kind: 'limit', publicReason: 'Loud' });
    const file = await client.get(`${rules}/export/blocks.csv`);
    expect(file.headers.get('content-type')).to.match(/^text\/csv/);
    expect(file.text.split('\r\n').slice(0, 3)).to.deep.equal([
      '#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate',
      'known.example,suspend,False,False,,False',
      'new.example,silence,False,False,Loud,False',
    ]);
    expect((await client.get(`${rules}/export/allows.csv`)).text.trim()).to.equal('#domain');
    expect((await client.post(`${rules}/import`, { csv: '', kind: 'block' })).status).to.equal(422);
  });

  it('leave a domain that is treated so already, and reasons that a list does not give', async () => {
    await client.post(rules, {
      domain: 'same.example',
      kind: 'block',
      publicReason: 'Ours',
      privateReason: 'a quarrel',
    });
    await client.post(rules, {
      domain: 'more.example',
      kind: 'limit',
      publicReason: 'Loud',
      privateReason: 'two calls',
    });
    const csv = '#domain,#severity,#public_comment\nsame.example,suspend,Theirs\nmore.example,suspend,\n';
    expect((await client.post(`${rules}/import`, { csv, kind: 'block' })).text).to.include('One change');
    await client.post(`${rules}/import/apply`, { csv, kind: 'block' }, `${rules}/import`);
    const same = { kind: 'block', publicReason: 'Ours', privateReason: 'a quarrel' };
    expect(await findRule(app.house.store, 'same.example')).to.include(same);
    const more = { kind: 'block', publicReason: 'Loud', privateReason: 'two calls' };
    expect(await findRule(app.house.store, 'more.example')).to.include(more);
  });

  it('turn island mode on and off', async () => {
    await client.post('/admin/peers/island', { island: 'on' }, rules);
    expect(await readPeerSettings(app.house.store)).to.include({ island: true });
    expect((await client.get(rules)).text).to.include('Leave island mode');
    await client.post('/admin/peers/island', { island: 'off' }, rules);
    expect(await readPeerSettings(app.house.store)).to.include({ island: false });
  });

  it('stand on the page About only when published, without the internal reasons', async () => {
    await add('evil.example', 'block', 'Spam');
    await add('friend.example', 'allow', 'Friends');
    const visitor = app.client({ language: 'en' });
    expect((await visitor.get('/about')).text).not.to.include('evil.example');
    await client.post('/admin/peers/publish-rules', { publishesRules: 'on' }, rules);
    const about = (await visitor.get('/about')).text;
    expect(about).to.include('evil.example').and.to.include('Spam').and.not.to.include('a quarrel');
    expect(about).not.to.include('friend.example');
  });

  it('show another instance with what did not arrive, and let it be tried again, dropped, blocked', async () => {
    const { store, now } = app.house;
    const at = now();
    const seen = { checkedAt: at, firstSeenAt: at, lastInAt: at, lastOutAt: null };
    const known = { origin: 'https://known.example:8443', software: 'snac<b>', version: '2', ...seen };
    await peersIn(store).insertOne({ _id: 'known.example:8443', ...known });
    const _id = `01890000-0000-7000-8000-000000000001 ${'0'.repeat(32)}`;
    await deliveriesIn(store).insertOne({
      ...{ _id, activityId: _id.slice(0, 36), host: 'known.example:8443', inbox: 'https://known.example:8443/inbox' },
      ...{
        state: 'failed',
        attempts: 3,
        refusals: 0,
        createdAt: at,
        nextAt: at,
        failedAt: at,
        lastError: 'HTTP <503>',
      },
    });
    await store.collection<{ _id: string; type: string; json: string }>('activities').insertOne({
      ...{ _id: _id.slice(0, 36), type: 'Create', json: '{"content":"<p>Bonjour</p>"}' },
    });
    const list = (await client.get('/admin/peers')).text;
    expect(list).to.include('known.example:8443').and.to.include('snac&lt;b&gt; 2').and.to.include('never');
    expect((await client.get('/admin/peers?q=nothing')).text).to.include('No other instance');
    const path = '/admin/peers/known.example:8443';
    const page = (await client.get(path)).text;
    expect(page).to.include('HTTP &lt;503&gt;').and.to.include('&lt;p&gt;Bonjour').and.to.include('Given up');
    const one = `${path}/deliveries/${encodeURIComponent(_id)}`;
    expect((await client.post(`${one}/retry`, {}, path)).location).to.equal(path);
    expect(await deliveriesIn(store).findOne({ _id })).to.include({ state: 'waiting', failedAt: null });
    await deliveriesIn(store).updateOne({ _id }, { $set: { lastError: 'timeout: no answer in time' } });
    for (const shows of [path, '/admin/deliveries']) {
      expect((await client.get(shows)).text, shows).to.include('No answer in time.');
    }
    expect((await client.post(`${one}/drop`, {}, path)).location).to.equal(path);
    expect(await deliveriesIn(store).countDocuments({})).to.equal(0);
    const wrong = await client.post(`${path}/limit`, { inboundLimit: 'many' }, path);
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.include('value="many"').and.to.include('Write a whole number');
    expect((await client.post(`${path}/limit`, { inboundLimit: '30' }, path)).location).to.equal(path);
    expect((await client.get(path)).text)
      .to.include('value="30"')
      .and.to.include('The limit is saved.');
    expect((await readPolicy(store)).inboundLimits?.get('known.example:8443')).to.equal(30);
    await client.post(`${path}/limit`, { inboundLimit: '' }, path);
    expect((await readPolicy(store)).inboundLimits?.size).to.equal(0);
    await add('known.example:8443');
    expect((await client.get(path)).text).to.include('Refused by your rules');
    expect((await client.get('/admin/peers/stranger.example')).status).to.equal(404);
  });

  it('run the self-test and say what it found', async () => {
    expect((await client.get('/admin/selftest')).text)
      .to.include('Run the test')
      .and.not.to.include('All is well');
    const answer = await client.post('/admin/selftest');
    expect(answer.status).to.equal(200);
    // The clock of the tests stands still in the past, and that is all that is found.
    expect(answer.text).to.include('Something is wrong').and.to.include('Set the clock of this machine');
    expect(answer.text.match(/To mend/g)).to.have.length(1);
    expect(answer.text).to.include('The inbox refuses what is not signed').and.to.include('/inbox');
  });
});
