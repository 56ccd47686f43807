// A list of accounts from another server: looked at first, followed a few at a time in the name of whoever started it, and told
// what became of each.
import { expect } from 'chai';
import { followImported } from '../../jobs/followImported.js';
import type { JobTools } from '../../jobs/tools.js';
import { followImported as followRows } from '../../server/partners/actions/importing.js';
import { findImport } from '../../server/partners/importQueries.js';
import { findFollowing } from '../../server/partners/queries.js';
import { followKey, readAccounts } from '../../server/partners/rules.js';
import { maxImported } from '../../server/partners/schema.js';
import { type Conversation, startConversation } from './conversation.js';

describe('a list of accounts to follow', () => {
  let talk: Conversation;
  const path = '/me/partners/following/import';
  const work = () => {
    const { house, federation } = talk.app;
    return followImported({ house, federation } as unknown as JobTools, new AbortController().signal);
  };
  async function upload(text: string, client = talk.person, to = path) {
    const form = new FormData();
    form.append('_csrf', (await client.csrf(to)) ?? '');
    form.append('list', new Blob([text], { type: 'text/csv' }), 'following_accounts.csv');
    const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      cookie,
      origin: talk.app.house.site.baseUrl,
      'sec-fetch-site': 'same-origin',
      'accept-language': 'en',
    };
    const answer = await fetch(talk.app.url + to, { method: 'POST', body: form, headers, redirect: 'manual' });
    return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() };
  }
  const stateOf = async (iri: string) =>
    (await findFollowing(talk.app.house.store, followKey(talk.paulaIri, iri)))?.state;
  const rows = async () => (await findImport(talk.app.house.store, talk.paulaIri))?.rows;

  before(async () => {
    talk = await startConversation();
  });

  it('is read as Mastodon writes it, or as plain addresses, each once', () => {
    const mastodon = 'Account address,Show boosts,Notify on new posts,Languages\r\nAna@Far.example,true,false,\r\n';
    expect(readAccounts(`\uFEFF${mastodon}ana@far.example,true,false,fr`, 'us.example')).to.deep.equal({
      accounts: ['ana@far.example'],
      unread: [],
    });
    expect(readAccounts('@bo@far.example\n\nnonsense\npaula@us.example\n', 'us.example')).to.deep.equal({
      accounts: ['bo@far.example'],
      unread: [
        { line: 2, text: 'nonsense' },
        { line: 3, text: 'paula@us.example' },
      ],
    });
  });

  it('is refused without an address, or with too many', async () => {
    const none = await upload('Account address\nnobody\n');
    expect(none.status).to.equal(422);
    expect(none.text).to.contain('There is no address of another server');
    const many = Array.from({ length: maxImported + 1 }, (_one, n) => `a${n}@far.example`).join('\n');
    expect((await upload(many)).text).to.contain('At most 1,000 accounts');
    expect(await rows()).to.equal(undefined);
  });

  it('asks nobody before it is confirmed', async () => {
    const [first, second] = [talk.peer.addActor('first'), talk.peer.addActor('second')];
    const list = `Account address\n${first.name}@${talk.peer.host}\n${second.name}@${talk.peer.host}\nghost@${talk.peer.host}\n`;
    const log = talk.peer.log.length;
    expect((await upload(list)).location).to.equal(path);
    expect((await talk.person.get(path)).text)
      .to.contain('3 accounts can be followed')
      .and.contain(`@${first.name}@`);
    expect(await work()).to.deep.equal({ followed: 0 });
    expect(talk.peer.log.length).to.equal(log);
    expect((await talk.person.post(`${path}/start`, {}, path)).location).to.equal(path);
    expect((await talk.person.get(path)).text).to.contain('0 of 3 accounts asked');
    expect((await upload(list)).text).to.contain('A list is being followed already');
    expect(await work()).to.deep.equal({ followed: 2 });
    await talk.run();
    expect([await stateOf(first.iri), await stateOf(second.iri)]).to.deep.equal(['pending', 'pending']);
    // Side by side: which of them arrives first is left to chance.
    expect(talk.peer.ofType('Follow').map(({ json }) => [json.actor, json.object])).to.have.deep.members([
      [talk.paulaIri, first.iri],
      [talk.paulaIri, second.iri],
    ]);
    const done = (await talk.person.get(path)).text;
    expect(done).to.contain('2 accounts were asked').and.contain('Nobody answers at that address now');
    expect(await work(), 'nothing is left').to.deep.equal({ followed: 0 });
  });

  it('tries again what failed, when asked', async () => {
    const ghost = talk.peer.addActor('ghost');
    await talk.person.post(`${path}/start`, {}, path);
    expect(await work()).to.deep.equal({ followed: 1 });
    expect(await stateOf(ghost.iri)).to.equal('pending');
    await talk.person.post(`${path}/drop`, {}, path);
    expect(await rows()).to.equal(undefined);
  });

  it('knows whom one follows already, a few at a time, and stops when told', async () => {
    const many = Array.from({ length: 12 }, (_one, n) => talk.other.addActor(`m${n}`));
    const list = [`first@${talk.peer.host}`, ...many.map(({ name }) => `${name}@${talk.other.host}`)].join('\n');
    await upload(list);
    expect((await talk.person.get(path)).text).to.contain('You follow another one already');
    await talk.person.post(`${path}/start`, {}, path);
    expect(await work()).to.deep.equal({ followed: 10 });
    expect((await talk.person.get(path)).text).to.contain('11 of 13 accounts asked');
    await talk.person.post(`${path}/drop`, {}, path);
    expect(await work()).to.deep.equal({ followed: 0 });
  });

  it('leaves alone what came in its place while its accounts were looked up', async () => {
    await upload(`old@${talk.other.host}`);
    await talk.person.post(`${path}/start`, {}, path);
    const old = await findImport(talk.app.house.store, talk.paulaIri);
    await talk.person.post(`${path}/drop`, {}, path);
    await upload(`new@${talk.other.host}`);
    await talk.person.post(`${path}/start`, {}, path);
    if (!old) throw new Error('there was no list');
    await followRows(talk.ctx(), old, [{ address: `old@${talk.other.host}`, actor: null }]);
    expect(await rows()).to.deep.equal([{ address: `new@${talk.other.host}`, state: 'waiting' }]);
    await talk.person.post(`${path}/drop`, {}, path);
  });

  it('stops with the account of whoever started it', async () => {
    const never = talk.other.addActor('never');
    const hosters = `/my/collectives/${talk.hoster._id}/partners/following/import`;
    await upload(`never@${talk.other.host}`, talk.member, hosters);
    await talk.member.post(`${hosters}/start`, {}, hosters);
    const started = (await findImport(talk.app.house.store, talk.iri))?.startedBy ?? '';
    const people = talk.app.house.store.collection<{ _id: string; disabledAt: Date | null }>('people');
    await people.updateOne({ _id: started }, { $set: { disabledAt: new Date() } });
    expect(await work()).to.deep.equal({ followed: 0 });
    expect(await findFollowing(talk.app.house.store, followKey(talk.iri, never.iri))).to.equal(null);
    await people.updateOne({ _id: started }, { $set: { disabledAt: null } });
  });

  it('goes on only as long as whoever started it may', async () => {
    const late = talk.other.addActor('late');
    const hosters = `/my/collectives/${talk.hoster._id}/partners/following/import`;
    await upload(`late@${talk.other.host}`, talk.member, hosters);
    await talk.member.post(`${hosters}/start`, {}, hosters);
    const members = talk.app.house.store.collection('collectives');
    await members.updateOne({ _id: talk.hoster._id }, { $set: { members: [] } });
    expect(await work()).to.deep.equal({ followed: 0 });
    expect(await findFollowing(talk.app.house.store, followKey(talk.iri, late.iri))).to.equal(null);
    expect((await findImport(talk.app.house.store, talk.iri))?.rows[0]?.reason).to.equal('partners.import.refused');
  });
});
