// Votes of ours in polls elsewhere: what is sent to whom, once; and the counts, as the poll's own server says.
import { expect } from 'chai';
import { findRemotePost, remotePostsIn } from '../../server/partners/queries.js';
import { postKey } from '../../server/partners/rules.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, createOf, type Json, noteBy, startConversation } from './conversation.js';

describe('votes in polls elsewhere', () => {
  let at: Conversation;
  let alice: PeerActor;
  let base: string;

  before(async () => {
    at = await startConversation();
    alice = at.peer.addActor('alice');
    base = `/my/collectives/${at.hoster._id}/partners`;
  });

  const option = (name: string, totalItems = 0): Json => ({
    type: 'Note',
    name,
    replies: { type: 'Collection', totalItems },
  });
  const inHours = (hours: number): string => new Date(Date.now() + hours * 60 * 60 * 1000).toISOString();

  /** A poll that names the hoster and paula. */
  async function poll(change: Json = {}): Promise<{ question: Json & { id: string }; page: string; own: string }> {
    const question = noteBy(alice, {
      type: 'Question',
      content: 'Lunch?',
      oneOf: [option('Soup'), option('Salad')],
      endTime: inHours(2),
      cc: [at.iri, at.paulaIri],
      ...change,
    });
    expect(await at.send(alice, createOf(question, at.peer.nextId()))).to.equal(202);
    const path = `/posts/${postKey(question.id)}`;
    return { question, page: base + path, own: `/me/partners${path}` };
  }
  const sentFor = (question: Json): Json[] =>
    at.peer.ofType('Create').flatMap(({ json, signature }) => {
      const object = json.object as Json;
      return object.inReplyTo === question.id && signature === 'valid' ? [json] : [];
    });

  it('say before who will learn it; go to the author alone as a Note with a name, once; and are remembered', async () => {
    const { question, page } = await poll();
    const form = (await at.member.get(page)).text;
    expect(form).to.contain('type="radio"').and.contain(`The server ${at.peer.host} will learn who voted`);
    expect((await at.member.post(`${page}/vote`, { choices: '1' }, page)).location).to.equal(page);
    await at.run();
    const [vote, ...more] = sentFor(question);
    expect(more).to.deep.equal([]);
    expect([vote?.to, vote?.cc]).to.deep.equal([[alice.iri], []]);
    const object = vote?.object as Json;
    expect(object).to.deep.include({ type: 'Note', name: 'Salad', attributedTo: at.iri, to: [alice.iri] });
    expect(object).not.to.have.property('content');
    const shown = (await at.member.get(page)).text;
    expect(shown).to.contain('you voted').and.contain('<bdi>Salad</bdi>').and.not.contain('type="radio"');
    const again = await at.member.post(`${page}/vote`, { choices: '0' }, '/me');
    expect([again.status, again.text.includes('voted in this poll already')]).to.deep.equal([422, true]);
    await at.run();
    expect(sentFor(question)).to.have.length(1);
    for (const open of ['/@ecluse', '/@ecluse/posts', '/actors/ecluse/outbox?page=1']) {
      expect((await at.visitor.get(open)).text, open).not.to.contain('Salad');
    }
    const path = new URL(vote?.id as string).pathname;
    expect((await at.visitor.get(path, { accept: 'application/activity+json' })).status).to.equal(404);
  });

  it('are one Note for each choice where several are possible', async () => {
    const { question, own } = await poll({ oneOf: undefined, anyOf: [option('A'), option('B'), option('C')] });
    expect((await at.person.get(own)).text).to.contain('type="checkbox"');
    const csrf = (await at.person.csrf(own)) ?? '';
    const body = new URLSearchParams({ _csrf: csrf });
    for (const choice of ['0', '1', '2']) body.append('choices', choice);
    const cookie = [...at.person.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie, origin: at.app.url, 'sec-fetch-site': 'same-origin' };
    const answer = await fetch(`${at.app.url}${own}/vote`, { method: 'POST', body, headers, redirect: 'manual' });
    expect(answer.status).to.equal(303);
    // One after the other: deliveries about one vote keep their order.
    for (let round = 0; round < 3; round++) {
      await at.run();
      at.pass(5000);
    }
    const sent = sentFor(question).map(({ object }) => object as Json);
    expect(sent.map(({ name }) => name)).to.deep.equal(['A', 'B', 'C']);
    expect(new Set(sent.map(({ id }) => id)).size).to.equal(3);
    expect(sent.every(({ attributedTo }) => attributedTo === at.paulaIri)).to.equal(true);
  });

  it('are refused with the form again when nothing or too much is chosen, and not offered when the poll is over', async () => {
    const { question, page } = await poll();
    const nothing = await at.member.post(`${page}/vote`, {}, page);
    expect(nothing.status).to.equal(422);
    expect(nothing.text).to.contain('Choose an answer.').and.contain('type="radio"');
    expect((await at.member.post(`${page}/vote`, { choices: '7' }, page)).status).to.equal(422);
    at.pass(3 * 60 * 60 * 1000);
    expect((await at.member.get(page)).text).not.to.contain('type="radio"');
    const late = await at.member.post(`${page}/vote`, { choices: '0' }, '/me');
    expect([late.status, late.text.includes('This poll is closed')]).to.deep.equal([422, true]);
    at.pass(-3 * 60 * 60 * 1000);
    await at.run();
    expect(sentFor(question)).to.deep.equal([]);
  });

  it('are not for strangers', async () => {
    const { page } = await poll();
    expect((await at.person.post(`${page}/vote`, { choices: '0' }, '/me')).status).to.equal(404);
    const { own } = await poll({ cc: [at.iri], to: [] });
    expect((await at.person.post(`${own}/vote`, { choices: '0' }, '/me')).status).to.equal(404);
  });

  it('count as the poll’s own server says when the page is opened some minutes later, asked once; a dead server harms nothing', async () => {
    const { question, page } = await poll();
    const path = new URL(question.id).pathname;
    at.peer.serveJson(path, { ...question, oneOf: [option('Soup', 41), option('Salad', 17)] });
    const asked = () => at.peer.log.filter((line) => line === `GET ${path}`).length;
    expect((await at.member.get(page)).text).to.contain('41 votes');
    await at.member.get(page);
    expect(asked(), 'with its conversation').to.equal(1);
    at.peer.serveJson(path, { ...question, oneOf: [option('Soup', 42), option('Salad', 18)] });
    at.pass(6 * 60 * 1000);
    expect((await at.member.get(page)).text)
      .to.contain('42 votes')
      .and.contain('18 votes');
    await at.member.get(page);
    expect(asked()).to.equal(2);
    at.pass(6 * 60 * 1000);
    at.peer.pages.set(path, (_req, res) => void res.writeHead(500).end());
    expect((await at.member.get(page)).text).to.contain('42 votes');
    at.pass(6 * 60 * 1000);
    at.peer.serveJson(path, {
      ...question,
      attributedTo: `${at.peer.origin}/users/mallory`,
      oneOf: [option('Soup', 99)],
    });
    expect((await at.member.get(page)).text)
      .to.contain('42 votes')
      .and.not.contain('99 votes');
    at.pass(-18 * 60 * 1000);
  });

  it('keep counting after a correction, by an Update of the same date', async () => {
    const { question } = await poll();
    const updated = inHours(1);
    const update = (soup: number): Json => ({
      id: at.peer.nextId(),
      type: 'Update',
      object: { ...question, updated, oneOf: [option('Soup', soup), option('Salad')] },
    });
    for (const soup of [3, 8]) expect(await at.send(alice, update(soup))).to.equal(202);
    const { poll: kept } = (await findRemotePost(at.app.house.store, question.id)) ?? {};
    expect(kept?.options[0]).to.deep.equal({ name: 'Soup', votes: 8 });
    expect(await remotePostsIn(at.app.house.store).countDocuments({ iri: question.id })).to.equal(1);
  });
});
