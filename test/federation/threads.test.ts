// A member opens a post of which nothing else is known here: what stands around it is read from its own servers, bounded, and
// a server that is slow or lies changes nothing for the reader.
import { expect } from 'chai';
import { remotePostsIn } from '../../server/partners/queries.js';
import { postKey } from '../../server/partners/rules.js';
import { deletePost } from '../../server/posts/actions.js';
import { postsOf } from '../../server/posts/queries.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, createOf, type Json, noteBy, publicIri, startConversation } from './conversation.js';

describe('the conversation around a post from elsewhere', () => {
  let talk: Conversation;
  let alice: PeerActor;
  let carol: PeerActor;

  before(async () => {
    talk = await startConversation();
    alice = talk.peer.addActor('alice');
    carol = talk.other.addActor('carol');
  });

  const pathOf = (iri: string): string => new URL(iri).pathname;
  const serve = (peer: Conversation['peer'], note: Json & { id: string }): Json & { id: string } => {
    peer.serveJson(pathOf(note.id), { '@context': 'https://www.w3.org/ns/activitystreams', ...note });
    return note;
  };
  const open = async (iri: string, query = ''): Promise<string> =>
    (await talk.member.get(`/my/collectives/${talk.hoster._id}/partners/posts/${postKey(iri)}${query}`)).text;
  const gets = (peer: Conversation['peer'], iri: string): number =>
    peer.log.filter((line) => line === `GET ${pathOf(iri)}`).length;

  /** A post by alice that names the hoster, and so stands among its mentions. */
  async function receive(change: Json): Promise<Json & { id: string }> {
    const note = noteBy(alice, { tag: [{ type: 'Mention', href: talk.iri, name: '@ecluse' }], ...change });
    serve(talk.peer, note);
    expect(await talk.send(alice, createOf(note, talk.peer.nextId()))).to.equal(202);
    return note;
  }

  it('brings what the post answers, up to five of them, each from its own server', async () => {
    const chain: (Json & { id: string })[] = [];
    for (let step = 0; step < 7; step++) {
      chain.push(serve(talk.other, noteBy(carol, { content: `Above ${step}.`, inReplyTo: chain.at(-1)?.id ?? null })));
    }
    const note = await receive({ content: 'The reply', inReplyTo: chain[6]?.id });
    const page = await open(note.id);
    for (const step of [2, 3, 4, 5, 6]) expect(page).to.contain(`Above ${step}.`);
    expect(page).not.to.contain('Above 1.');
    expect(page.indexOf('Above 5.')).to.be.lessThan(page.indexOf('Above 6.'));
    expect(page, 'where to go on reading').to.contain(`href="${chain[1]?.id}"`);
    expect(await open(note.id)).to.contain('Above 2.');
    expect(gets(talk.other, chain[6]?.id ?? ''), 'asked once in a while').to.equal(1);
  });

  it('links to what it answers when that cannot be read, or is not for everybody', async () => {
    const secret = serve(talk.other, noteBy(carol, { content: 'Among us', to: [alice.iri], cc: [] }));
    const note = await receive({ inReplyTo: secret.id });
    const page = await open(note.id);
    expect(page).not.to.contain('Among us');
    expect(page).to.contain(`href="${secret.id}"`);
    expect(await remotePostsIn(talk.app.house.store).findOne({ iri: secret.id })).to.equal(null);
  });

  it('brings answers listed by its own server, and only what answers it', async () => {
    const note = noteBy(alice, {});
    const answer = serve(talk.other, noteBy(carol, { content: 'Listed answer', inReplyTo: note.id }));
    const inContext = serve(talk.other, noteBy(carol, { content: 'From the context', inReplyTo: note.id }));
    const stray = serve(talk.other, noteBy(carol, { content: 'About something else' }));
    const forged = serve(talk.other, { ...noteBy(alice, { content: 'Forged' }), id: `${carol.iri}/posts/forged` });
    const next = `${alice.iri}/replies/2`;
    talk.peer.serveJson(pathOf(next), { id: next, type: 'CollectionPage', items: [answer.id, stray.id, forged.id] });
    const context = `${alice.iri}/contexts/1`;
    talk.peer.serveJson(pathOf(context), { id: context, type: 'OrderedCollection', orderedItems: [inContext.id] });
    const replies = { type: 'Collection', first: { type: 'CollectionPage', items: [], next } };
    await receive({ ...note, tag: [{ type: 'Mention', href: talk.iri }], replies, context });
    const page = await open(note.id);
    expect(page).to.contain('Listed answer').and.to.contain('From the context');
    expect(page).not.to.contain('About something else');
    expect(page).not.to.contain('Forged');
    expect(await remotePostsIn(talk.app.house.store).findOne({ iri: stray.id })).to.equal(null);
  });

  it('believes no collection on another server', async () => {
    const note = noteBy(alice, {});
    const answer = serve(talk.other, noteBy(carol, { content: 'Smuggled', inReplyTo: note.id }));
    talk.other.serveJson('/list', { type: 'Collection', items: [answer.id] });
    await receive({ ...note, tag: [{ type: 'Mention', href: talk.iri }], replies: `${talk.other.origin}/list` });
    expect(await open(note.id)).not.to.contain('Smuggled');
    expect(talk.other.log).not.to.include('GET /list');
  });

  it('looks again when asked, not more often than each minute', async () => {
    const note = noteBy(alice, {});
    const list = `${alice.iri}/replies/again`;
    talk.peer.serveJson(pathOf(list), { type: 'Collection', items: [] });
    await receive({ ...note, tag: [{ type: 'Mention', href: talk.iri }], replies: list });
    expect(await open(note.id)).to.contain('?look&#x3D;again');
    const late = serve(talk.other, noteBy(carol, { content: 'Written later', inReplyTo: note.id }));
    talk.peer.serveJson(pathOf(list), { type: 'Collection', items: [late.id] });
    expect(await open(note.id, '?look=again')).not.to.contain('Written later');
    talk.pass(61_000);
    expect(await open(note.id), 'by itself only after a while').not.to.contain('Written later');
    expect(await open(note.id, '?look=again')).to.contain('Written later');
  });

  it('asks nobody about what was written to us alone', async () => {
    const above = serve(talk.other, noteBy(carol, { content: 'Public above' }));
    const note = await receive({ to: [talk.iri], cc: [], inReplyTo: above.id });
    const page = await open(note.id);
    expect(page).not.to.contain('Public above');
    expect(page).to.contain(`href="${above.id}"`).and.not.to.contain('look&#x3D;again');
    expect(gets(talk.other, above.id)).to.equal(0);
    expect(gets(talk.peer, note.id)).to.equal(0);
  });

  it('shows what is there when a server keeps it waiting, and the rest on the next look', async () => {
    const above = noteBy(carol, { content: 'Slow above', to: [publicIri] });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    talk.other.pages.set(pathOf(above.id), (_req, res) => {
      void held.then(() =>
        res.writeHead(200, { 'content-type': 'application/activity+json' }).end(JSON.stringify(above)),
      );
    });
    const note = await receive({ content: 'Quick below', inReplyTo: above.id });
    const start = Date.now();
    const page = await open(note.id);
    expect(Date.now() - start).to.be.lessThan(6000);
    expect(page).to.contain('Quick below').and.to.contain('have not answered yet');
    release();
    for (let tries = 0; tries < 40; tries++) {
      if (await remotePostsIn(talk.app.house.store).findOne({ iri: above.id })) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await open(note.id)).to.contain('Slow above');
  });

  it('shows what was said here among it: above what answers it, and beneath what it answers, to whom it was said', async () => {
    const asked = await receive({ content: 'Who lends a disk?' });
    const openPage = (iri: string) => `/my/collectives/${talk.hoster._id}/partners/posts/${postKey(iri)}`;
    await talk.member.post(`${openPage(asked.id)}/reply`, { text: 'We do.' }, openPage(asked.id));
    await talk.run();
    const [ours] = await postsOf(talk.app.house.store).find({ 'inReplyTo.iri': asked.id }).toArray();
    const object = `${talk.app.url}/objects/${ours?._id}`;
    const answer = noteBy(carol, { content: 'So do we.', inReplyTo: object, cc: [talk.iri] });
    expect(await talk.send(carol, createOf(answer, talk.other.nextId()), talk.other)).to.equal(202);
    const page = await open(answer.id);
    const places = ['Who lends a disk?', 'We do.', 'So do we.'].map((words) => page.indexOf(words));
    expect(places, 'all three').not.to.include(-1);
    expect(places, 'in this order').to.deep.equal([...places].sort((a, b) => a - b));
    expect(page).to.contain(`/@${talk.hoster.handle}/posts/${ours?._id}`).and.not.to.contain('is not shown here');

    const beneath = async () => (await talk.person.get(`/me/partners/posts/${postKey(asked.id)}`)).text;
    expect(await beneath(), 'to others of this instance too').to.contain('We do.');
    const twice = (await open(asked.id)).split('We do.').length - 1;
    expect(twice, 'once to whom it belongs').to.equal(1);
    await postsOf(talk.app.house.store).updateOne({ _id: ours?._id ?? '' }, { $set: { isPrivate: true } });
    expect(await beneath(), 'not what was for its author alone').not.to.contain('We do.');
    expect(await open(answer.id), 'but to whom it belongs').to.contain('We do.');
    await deletePost(talk.ctx(), talk.hoster._id, ours?._id ?? '');
    expect(await open(answer.id)).not.to.contain('We do.');
  });
});
