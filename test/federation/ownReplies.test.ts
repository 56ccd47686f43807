// People answer in their own name, and what was written to one of ours alone is answered to its author alone: what is sent,
// who reads it here, and what is left when the account goes.
import { expect } from 'chai';
import { postKey } from '../../server/partners/rules.js';
import { listOwnPosts, postsOf } from '../../server/posts/queries.js';
import { testPassword } from '../support/appSupport.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, createOf, type Json, noteBy, publicIri, startConversation } from './conversation.js';

describe('replies', () => {
  let at: Conversation;
  let alice: PeerActor;

  before(async () => {
    at = await startConversation();
    alice = at.peer.addActor('alice', { name: 'Alice' });
  });

  const last = (type: string): Json => at.peer.ofType(type).at(-1)?.json as Json;
  async function ask(change: Json): Promise<{ id: string; page: (base: string) => string }> {
    const note = noteBy(alice, change);
    expect(await at.send(alice, createOf(note, at.peer.nextId()))).to.equal(202);
    return { id: note.id, page: (base) => `${base}/posts/${postKey(note.id)}` };
  }

  describe('by a person', () => {
    let answered: string;
    let object: Json;

    it('are a Note of that person, to its author and followers, with a page of its own', async () => {
      const asked = await ask({ cc: [at.paulaIri], content: 'Paula?' });
      answered = asked.page('/me/partners');
      expect((await at.person.get(answered)).text).to.contain('in your own name');
      expect((await at.person.post(`${answered}/reply`, { text: 'Yes **me**' }, answered)).location).to.equal(answered);
      await at.run();
      object = last('Create').object as Json;
      expect(object).to.deep.include({ type: 'Note', attributedTo: at.paulaIri, inReplyTo: asked.id, to: [publicIri] });
      expect(object.cc).to.deep.equal([`${at.paulaIri}/followers`, alice.iri]);
      expect(at.peer.ofType('Create').at(-1)?.signature).to.equal('valid');
      const page = String(object.url).replace(at.app.url, '');
      expect(page).to.match(/^\/@paula\/posts\//);
      expect((await at.visitor.get(page)).text)
        .to.contain('Yes <strong>me</strong>')
        .and.contain(asked.id);
      expect((await at.person.get(answered)).text).to.contain('Yes <strong>me</strong>');
      const json = await fetch(object.id as string, { headers: { accept: 'application/activity+json' } });
      expect(await json.json()).to.include({ id: object.id, type: 'Note' });
    });

    it('go to the group too in which the answered stands', async () => {
      const group = at.peer.addActor('announcements', { type: 'Group' });
      expect(await at.send(group, at.peer.follow(group, at.paulaIri))).to.equal(202);
      const asked = await ask({ cc: [at.paulaIri, group.iri, `${at.peer.origin}/users/nobody`] });
      const page = asked.page('/me/partners');
      expect((await at.person.post(`${page}/reply`, { text: 'Here too' }, page)).location).to.equal(page);
      await at.run();
      const said = last('Create');
      expect(said.cc).to.deep.equal([`${at.paulaIri}/followers`, alice.iri, group.iri]);
    });

    it('are corrected and deleted by that person alone', async () => {
      const id = (object.id as string).split('/').at(-1);
      const edit = `/me/posts/${id}/edit`;
      expect((await at.member.get(edit)).status).to.equal(404);
      expect((await at.person.get('/me/posts')).text).to.contain(edit);
      const fields = { step: 'publish', 'text.fr': '', 'text.en': 'Yes, us', version: '1' };
      expect((await at.member.post(edit, fields, '/me')).status).to.equal(404);
      expect((await at.member.post(`/my/collectives/${at.hoster._id}/posts/${id}/delete`, {}, '/me')).status).to.equal(
        404,
      );
      expect((await at.person.get(edit)).text)
        .to.contain('Correct a reply')
        .and.to.contain(`href="${answered}"`);
      const { post } = await at.say('No reply');
      const plain = await at.member.get(`/my/collectives/${at.hoster._id}/posts/${post._id}/edit`);
      expect(plain.text).to.contain('Correct a post').and.not.to.contain('Correct a reply');
      expect((await at.person.post(edit, fields)).location).to.equal(answered);
      await at.run();
      expect(last('Update').object).to.include({ id: object.id, content: '<p>Yes, us</p>' });
      expect((await at.person.post(`/me/posts/${id}/delete`)).location).to.equal(answered);
      await at.run();
      expect(last('Delete').object).to.include({ id: object.id, type: 'Tombstone' });
      expect((await at.visitor.get(`/@paula/posts/${id}`)).status).to.equal(410);
    });

    it('may be answered like those of a hoster', async () => {
      await at.person.post(`${answered}/reply`, { text: 'Again' }, answered);
      await at.run();
      const own = last('Create').object as Json;
      await ask({ inReplyTo: own.id, content: 'Answer to Paula' });
      const page = String(own.url).replace(at.app.url, '');
      expect((await at.visitor.get(page)).text).to.contain('Answer to Paula');
      expect((await at.member.get(`/my/collectives/${at.hoster._id}/partners/mentions`)).text).not.to.contain(
        'to Paula',
      );
    });
  });

  describe('to what was for us alone', () => {
    it('go to its author alone, are in no list of ours, and are taken back there too', async () => {
      const base = `/my/collectives/${at.hoster._id}/partners`;
      const asked = await ask({ to: [at.iri], cc: [], content: 'Between us?' });
      const page = asked.page(base);
      expect((await at.member.get(page)).text).to.contain('goes to its author alone');
      await at.member.post(`${page}/reply`, { text: 'Secret @paula' }, page);
      await at.run();
      const sent = last('Create');
      expect([sent.to, sent.cc]).to.deep.equal([[alice.iri], []]);
      const own = sent.object as Json;
      expect([own.to, own.cc]).to.deep.equal([[alice.iri], []]);
      const id = (own.id as string).split('/').at(-1);
      for (const open of [`/@ecluse/posts/${id}`, own.id as string, sent.id as string]) {
        const headers = { accept: open.startsWith('http') ? 'application/activity+json' : 'text/html' };
        expect((await at.visitor.get(open.replace(at.app.url, ''), headers)).status, open).to.equal(404);
      }
      for (const open of ['/@ecluse/posts', '/@ecluse/posts.atom', '/@ecluse', '/actors/ecluse/outbox?page=1']) {
        expect((await at.visitor.get(open)).text, open).not.to.contain('Secret');
      }
      expect((await at.member.get(page)).text)
        .to.contain('Secret')
        .and.contain('For the author only');
      await at.member.post(`/my/collectives/${at.hoster._id}/posts/${id}/delete`);
      await at.run();
      const gone = last('Delete');
      expect([gone.to, gone.cc, (gone.object as Json).id]).to.deep.equal([[alice.iri], [], own.id]);
    });

    it('are not possible where it was written for others', async () => {
      const asked = await ask({ to: [alice.iri], cc: [at.iri], content: 'Copied' });
      expect((await at.person.post(`${asked.page('/me/partners')}/reply`, { text: 'x' }, '/me')).status).to.equal(404);
    });
  });

  describe('when a person goes', () => {
    it('are erased with the account, and others are asked to forget them', async () => {
      const before = await listOwnPosts(at.app.house.store, at.paula._id, 10);
      expect(before).to.have.length(2);
      expect((await at.person.post('/me/delete', { current: testPassword })).status).to.equal(303);
      await at.run();
      const gone = at.peer.ofType('Delete').map(({ json }) => (json.object as Json).id);
      expect(gone).to.include.members(before.map(({ _id }) => `${at.app.url}/objects/${_id}`));
      const left = await postsOf(at.app.house.store).findOne({ _id: before[0]?._id ?? '' });
      expect(left?.text).to.deep.equal({ fr: '', en: '' });
      expect(left).not.to.have.property('inReplyTo');
      expect(left?.authorPersonId).to.equal('');
      expect(JSON.stringify(await at.app.house.store.collection('activities').find({}).toArray())).not.to.contain(
        'Again',
      );
    });
  });
});
