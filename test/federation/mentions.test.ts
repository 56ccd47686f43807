// Anybody elsewhere answers or names one of ours: what is kept, who reads it where, who may change or forge it, and how much.
import { expect } from 'chai';
import { setRule } from '../../server/instances/actions/domainRules.js';
import { readPolicy } from '../../server/instances/queries.js';
import { mentionsIn, pageMentions, remotePostsIn } from '../../server/partners/queries.js';
import { mentionsADay, postKey } from '../../server/partners/rules.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, createOf, type Json, noteBy, publicIri, startConversation } from './conversation.js';

describe('mentions and answers from anyone', () => {
  let at: Conversation;
  let alice: PeerActor;
  let mallory: PeerActor;
  let carol: PeerActor;
  let mentions: string;

  before(async () => {
    at = await startConversation();
    alice = at.peer.addActor('alice', { name: 'Alice' });
    mallory = at.peer.addActor('mallory');
    carol = at.other.addActor('carol');
    mentions = `/my/collectives/${at.hoster._id}/partners/mentions`;
  });

  const create = (actor: PeerActor, object: Json): Promise<number> => {
    const from = actor === carol ? at.other : at.peer;
    return at.send(actor, createOf(object, from.nextId()), from);
  };
  const kept = async (iri = at.iri): Promise<string[]> =>
    (await pageMentions(at.app.house.store, iri, undefined)).items.map(({ post }) => post.content);

  it('stand beneath our post, cleaned, with where they come from; and once in the mentions', async () => {
    const ours = await at.say('Qui vient ?');
    const answer = noteBy(alice, { inReplyTo: ours.object, content: '<p>Me <script>x()</script><b>too</b></p>' });
    expect(await create(alice, answer)).to.equal(202);
    expect(await create(alice, answer)).to.equal(202);
    const page = (await at.visitor.get(ours.page)).text;
    expect(page).to.contain('1 reply from the Fediverse').and.contain('Me <b>too</b>').and.not.contain('x()');
    expect(page).to.contain(`@alice@${at.peer.host}`).and.contain(`href="${answer.id}"`);
    expect(await kept()).to.have.length(1);
    expect((await at.member.get(mentions)).text).to.contain('Mentions <span class="tabs-count">1</span>');
    await at.member.post(`${mentions}/seen`, {}, mentions);
    expect((await at.member.get(mentions)).text).not.to.contain('tabs-count');
  });

  it('are for those addressed alone when not public', async () => {
    const ours = await at.say('Une question ?');
    const whisper = noteBy(alice, { inReplyTo: ours.object, to: [at.iri], cc: [], content: 'Between us' });
    expect(await create(alice, whisper)).to.equal(202);
    expect((await at.visitor.get(ours.page)).text).not.to.contain('Between us');
    const page = (await at.member.get(mentions)).text;
    expect(page).to.contain('Between us').and.contain('for you only');
    expect((await at.person.get('/me/partners/mentions')).text).not.to.contain('Between us');
    const key = postKey(whisper.id);
    const base = `/my/collectives/${at.hoster._id}/partners`;
    expect((await at.member.get(`${base}/posts/${key}`)).text).to.contain('Between us');
    expect((await at.person.get(`/me/partners/posts/${key}`)).status).to.equal(404);
  });

  it('reach a person who is named, and nobody who is not, and are no feed', async () => {
    const tag = [{ type: 'Mention', href: at.paulaIri, name: '@paula' }];
    expect(await create(carol, noteBy(carol, { tag, content: 'Hi Paula' }))).to.equal(202);
    expect((await at.person.get('/me/partners/mentions')).text).to.contain('Hi Paula');
    expect(await kept()).not.to.include('Hi Paula');
    expect((await at.person.get('/me/partners')).text).not.to.contain('Hi Paula');
  });

  const countKept = () => remotePostsIn(at.app.house.store).countDocuments({});
  const dropped: [string, () => Json][] = [
    ['names nobody of ours', () => noteBy(mallory)],
    ['answers nothing that is there', () => noteBy(mallory, { inReplyTo: `${at.app.url}/objects/none` })],
    [
      'is for followers of its author',
      () => noteBy(mallory, { to: [`${mallory.iri}/followers`], cc: [], tag: [{ type: 'Mention', href: at.iri }] }),
    ],
    ['names one who is not here', () => noteBy(mallory, { cc: [`${at.app.url}/actors/nobody`] })],
    ['names the instance', () => noteBy(mallory, { cc: [`${at.app.url}/actors/instance`] })],
  ];
  for (const [what, object] of dropped) {
    it(`are not kept when the post ${what}`, async () => {
      const count = await countKept();
      expect(await create(mallory, object())).to.equal(202);
      expect(await countKept()).to.equal(count);
    });
  }

  it('are believed from their author alone', async () => {
    const ours = await at.say('Qui parle ?');
    const forged = noteBy(alice, { inReplyTo: ours.object, content: 'Never said' });
    expect(await create(mallory, forged)).to.equal(403);
    expect(await at.send(carol, createOf(forged, at.other.nextId()), at.other)).to.equal(403);
    expect(await kept()).not.to.include('Never said');
    const byId = { id: at.peer.nextId(), type: 'Create', to: [publicIri], object: forged.id };
    at.peer.serveJson(new URL(forged.id).pathname, forged);
    expect(await at.send(mallory, byId)).to.equal(202);
    expect(await kept()).not.to.include('Never said');
  });

  it('change and go by their author, not by a stranger; gone stays gone', async () => {
    const ours = await at.say('Et ensuite ?');
    const answer = noteBy(alice, { inReplyTo: ours.object, content: 'First' });
    await create(alice, answer);
    const later = { ...answer, content: 'Second', updated: new Date(Date.now() + 60_000).toISOString() };
    const update = (object: Json): Json => ({ id: at.peer.nextId(), type: 'Update', object });
    expect(await at.send(mallory, update({ ...later, attributedTo: mallory.iri, content: 'Forged' }))).to.equal(403);
    expect(await at.send(alice, update(later))).to.equal(202);
    expect((await at.visitor.get(ours.page)).text)
      .to.contain('Second')
      .and.not.contain('Forged');
    const gone: Json = { id: at.peer.nextId(), type: 'Delete', object: answer.id };
    expect(await at.send(mallory, { ...gone, id: at.peer.nextId() })).to.equal(403);
    expect(await at.send(alice, gone)).to.equal(202);
    expect(await create(alice, answer)).to.equal(202);
    expect((await at.visitor.get(ours.page)).text).not.to.contain('Second');
    expect(await mentionsIn(at.app.house.store).countDocuments({ post: postKey(answer.id) })).to.equal(0);
  });

  it('stay deleted when they come after their Delete, which counts from their author alone (AP-42)', async () => {
    const ours = await at.say('Qui répond trop tard ?');
    const late = noteBy(carol, { inReplyTo: ours.object, content: 'Too late' });
    const other = noteBy(carol, { inReplyTo: ours.object, content: 'Still wanted' });
    const deletion = (id: string, object: string) => ({ id, type: 'Delete', object });
    expect(await at.send(carol, deletion(at.other.nextId(), late.id), at.other)).to.equal(202);
    expect(await at.send(mallory, deletion(at.peer.nextId(), other.id))).to.equal(403);
    expect(await create(carol, late)).to.equal(202);
    expect(await create(carol, other)).to.equal(202);
    expect(await kept())
      .to.include('Still wanted')
      .and.not.include('Too late');
  });

  it('are taken off the page by our side and put back, by members alone', async () => {
    const ours = await at.say('Qui décide ?');
    const answer = noteBy(alice, { inReplyTo: ours.object, content: 'Unwanted' });
    await create(alice, answer);
    const id = postKey(`${at.iri} ${postKey(answer.id)}`);
    expect((await at.person.post(`${mentions}/${id}/hide`, {}, '/me')).status).to.equal(404);
    expect((await at.person.post(`/me/partners/mentions/${id}/hide`, {}, '/me')).status).to.equal(404);
    expect((await at.member.post(`${mentions}/${id}/hide`, {}, mentions)).location).to.equal(mentions);
    expect((await at.visitor.get(ours.page)).text).not.to.contain('Unwanted');
    expect((await at.member.get(mentions)).text)
      .to.contain('Unwanted')
      .and.contain('taken off your page');
    await at.member.post(`${mentions}/${id}/show`, {}, mentions);
    expect((await at.visitor.get(ours.page)).text).to.contain('Unwanted');
  });

  it('stand beneath the same post when they answer an answer', async () => {
    const ours = await at.say('Un fil ?');
    const answer = noteBy(alice, { inReplyTo: ours.object, content: 'Level one' });
    await create(alice, answer);
    expect(await create(carol, noteBy(carol, { inReplyTo: answer.id, content: 'Level two' }))).to.equal(202);
    expect((await at.visitor.get(ours.page)).text)
      .to.contain('Level one')
      .and.contain('Level two');
  });

  it('from a limited server wait until somebody of ours lets them stand; from a blocked one they never come', async () => {
    const ours = await at.say('Qui est là ?');
    const host = new URL(at.other.origin).hostname;
    await setRule(at.ctx(), host, { kind: 'limit', publicReason: '', privateReason: '' });
    expect((await readPolicy(at.app.house.store)).kinds.size).to.equal(1);
    const answer = noteBy(carol, { inReplyTo: ours.object, content: 'Waiting' });
    expect(await create(carol, answer)).to.equal(202);
    expect((await at.visitor.get(ours.page)).text).not.to.contain('Waiting');
    expect((await at.member.get(mentions)).text).to.contain('that server is limited here');
    const id = postKey(`${at.iri} ${postKey(answer.id)}`);
    await at.member.post(`${mentions}/${id}/show`, {}, mentions);
    expect((await at.visitor.get(ours.page)).text).to.contain('Waiting');
    await at.app.house.store.collection('domainRules').deleteMany({});
  });

  it('end at a bound for each author within a day, and begin again the next', async () => {
    const flooder = at.peer.addActor('flooder');
    const flood = () => noteBy(flooder, { cc: [at.iri], content: 'Flood' });
    for (let index = 0; index < mentionsADay.author + 3; index++) expect(await create(flooder, flood())).to.equal(202);
    const { store } = at.app.house;
    expect(await mentionsIn(store).countDocuments({ author: flooder.iri })).to.equal(mentionsADay.author);
    expect(await store.collection<Json & { _id: string }>('received').countDocuments({ actor: flooder.iri })).to.equal(
      mentionsADay.author,
    );
    at.pass(25 * 60 * 60 * 1000);
    expect(await create(flooder, flood())).to.equal(202);
    at.pass(-25 * 60 * 60 * 1000);
    expect(await mentionsIn(store).countDocuments({ author: flooder.iri })).to.equal(mentionsADay.author + 1);
  });

  it('leave with an account that is deleted', async () => {
    const ours = await at.say('Qui part ?');
    const leaver = at.peer.addActor('leaver');
    await create(leaver, noteBy(leaver, { inReplyTo: ours.object, content: 'Bye' }));
    expect(await at.send(leaver, { id: at.peer.nextId(), type: 'Delete', object: leaver.iri })).to.equal(202);
    expect((await at.visitor.get(ours.page)).text).not.to.contain('Bye');
    expect(await mentionsIn(at.app.house.store).countDocuments({ author: leaver.iri })).to.equal(0);
  });
});
