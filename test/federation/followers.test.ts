// A person with a public profile decides who follows from elsewhere, as a hoster does: the same deeds and the same page.
import { expect } from 'chai';
import { listNeeds } from '../../server/notices/needs.js';
import { findFollow } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { getPerson } from '../../server/people/queries.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, type Json, startConversation } from './conversation.js';

describe('followers of a person', () => {
  let talk: Conversation;
  let alice: PeerActor;
  let bob: PeerActor;
  const page = '/me/partners/followers';
  const profile = { displayName: 'Paula', 'bio.fr': '', 'bio.en': '', handle: 'paula', publicProfile: 'on' };

  before(async () => {
    talk = await startConversation();
    alice = talk.peer.addActor('alice');
    bob = talk.peer.addActor('bob');
  });

  const stateOf = async (actor: PeerActor): Promise<string | undefined> =>
    (await findFollow(talk.app.house.store, followKey(actor.iri, talk.paulaIri)))?.state;
  const ask = (actor: PeerActor): Promise<number> =>
    talk.send(actor, { ...talk.peer.follow(actor, talk.paulaIri), actor: actor.iri });
  const answers = (type: string): Json[] => talk.peer.ofType(type).map(({ json }) => json.object as Json);

  it('are accepted at once until the person says otherwise, and that is published', async () => {
    expect(await ask(bob)).to.equal(202);
    expect(await stateOf(bob)).to.equal('accepted');
    expect((await talk.peer.getJson(talk.paulaIri)).manuallyApprovesFollowers).to.equal(false);
    await talk.person.post('/me/profile', { ...profile, decidesFollowers: 'on' });
    expect((await talk.person.get('/me/profile')).text).to.match(/name="decidesFollowers"[^>]*checked/);
    expect((await talk.peer.getJson(talk.paulaIri)).manuallyApprovesFollowers).to.equal(true);
  });

  it('wait on a page of the person alone, who is told', async () => {
    expect(await ask(alice)).to.equal(202);
    await talk.run();
    expect(await stateOf(alice)).to.equal('requested');
    const person = await getPerson(talk.app.house.store, talk.paula._id);
    const ctx = { ...talk.ctx(), actor: null };
    expect((await listNeeds(ctx, person, 'en')).map(({ href }) => href)).to.include(page);
    const shown = (await talk.person.get(page)).text;
    expect(shown).to.contain('alice@').and.contain('bob@');
    const id = followKey(alice.iri, talk.paulaIri);
    expect((await talk.member.post(`${page}/${id}/accept`, {}, '/me')).status).to.equal(404);
    expect(await stateOf(alice)).to.equal('requested');
    expect((await talk.person.post(`${page}/${id}/accept`, {}, page)).location).to.equal(page);
    await talk.run();
    expect(await stateOf(alice)).to.equal('accepted');
    expect(answers('Accept').map(({ actor, object }) => [actor, object])).to.deep.include([alice.iri, talk.paulaIri]);
  });

  it('can be removed, which their server is told', async () => {
    const id = followKey(bob.iri, talk.paulaIri);
    await talk.person.post(`${page}/${id}/remove`, {}, page);
    await talk.run();
    expect(await stateOf(bob)).to.equal('rejected');
    expect(answers('Reject').map(({ actor }) => actor)).to.deep.equal([bob.iri]);
    expect((await talk.person.get(page)).text).not.to.contain('bob@');
  });
});
