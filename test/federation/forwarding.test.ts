// Answers to ours that are passed on to our followers (ActivityPub §7.1.2): the very bytes, once, and never back.
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { proven } from '../support/peer/signing.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;

const everybody = 'https://www.w3.org/ns/activitystreams#Public';

describe('an answer from elsewhere to one of ours', () => {
  let app: FederatedApp;
  /** Where the answer comes from; somebody there follows too. */
  let origin: Peer;
  let reader: Peer;
  let alice: PeerActor;
  let hosterIri: string;
  let noteIri: string;

  before(async () => {
    origin = await startPeer();
    // Hosts are told apart with their port.
    reader = await startPeer();
    app = await startFederatedApp({ privateHosts: [origin.host, reader.host] });
    for (const peer of [origin, reader]) peer.now = app.house.now;
    const hoster = await addCollective(app);
    hosterIri = `${app.baseUrl}/actors/${hoster.handle}`;
    alice = origin.addActor('alice');
    const bob = reader.addActor('bob');
    await origin.post(alice, inbox(), origin.follow(alice, hosterIri));
    await reader.post(bob, inbox(), reader.follow(bob, hosterIri));
    await publishPost(app.ctx(), hoster._id, { fr: 'Qui vient jeudi ?', en: '' });
    await app.run();
    const create = await activitiesIn(app.federation).findOne({ type: 'Create', actor: hoster.handle });
    noteIri = create?.objectIri ?? '';
  });

  beforeEach(async () => {
    await app.run();
    origin.received.length = 0;
    reader.received.length = 0;
  });

  const inbox = (): string => `${app.baseUrl}/inbox`;
  let serial = 0;

  function reply(change: Json = {}, type = 'Create'): Json {
    serial += 1;
    const id = `${origin.origin}/notes/${serial}`;
    const audience = { to: [everybody], cc: [hosterIri, `${hosterIri}/followers`] };
    const note = { id, type: 'Note', attributedTo: alice.iri, inReplyTo: noteIri, content: '<p>Moi.</p>', ...audience };
    return {
      '@context': ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/data-integrity/v1'],
      id: origin.nextId(),
      type,
      actor: alice.iri,
      ...audience,
      object: { ...note, ...change },
    };
  }

  const signed = (activity: Json): Json => proven(activity, alice.proofKeyId, alice.proofKey);

  async function bring(activity: Json | string): Promise<void> {
    expect((await origin.post(alice, inbox(), activity)).status).to.equal(202);
    await app.run();
  }

  it('reaches the followers in the bytes in which it came, in our envelope, once, and does not go back', async () => {
    // Spaces and order are the sender's: another writer of JSON would not make these bytes.
    const bytes = JSON.stringify(signed(reply()), null, 1);
    await bring(bytes);
    expect(reader.received.map(({ body }) => body.toString())).to.deep.equal([bytes]);
    const [arrived] = reader.received;
    expect(arrived?.signature).to.equal('valid');
    expect(String(arrived?.headers.signature ?? arrived?.headers['signature-input'])).to.contain(hosterIri);
    await bring(bytes);
    expect(reader.received).to.have.length(1);
    expect(origin.received).to.deep.equal([]);
  });

  it('is followed by its correction, by answers to it, and by its deletion', async () => {
    const create = signed(reply());
    await bring(create);
    const note = create.object as Json;
    const update = signed(reply({ id: note.id, content: '<p>Nous.</p>' }, 'Update'));
    await bring(update);
    const nested = signed(reply({ inReplyTo: note.id }));
    await bring(nested);
    const { '@context': context, id: _id, ...rest } = reply({}, 'Delete');
    const deletion = { '@context': context, ...rest, id: origin.nextId(), object: { id: note.id, type: 'Tombstone' } };
    await bring(signed(deletion));
    expect(reader.received.map(({ json }) => [json.type, json.id])).to.deep.equal([
      ['Create', create.id],
      ['Update', update.id],
      ['Create', nested.id],
      ['Delete', deletion.id],
    ]);
    const kept = await activitiesIn(app.federation)
      .find({ type: 'Forward', objectIri: String(note.id) })
      .toArray();
    expect(
      kept.filter(({ json }) => json.includes('Moi')),
      'its words are kept',
    ).to.deep.equal([]);
  });

  const followers = (): string => `${hosterIri}/followers`;
  const cases: [string, () => Json][] = [
    ['without a proof that others could check', () => reply()],
    [
      'that is not addressed to our followers',
      () => {
        const activity = reply({ to: [everybody], cc: [hosterIri] });
        return signed({ ...activity, cc: [hosterIri] });
      },
    ],
    ['to something that is not ours', () => signed(reply({ inReplyTo: `${reader.origin}/notes/1` }))],
    ['that is no answer', () => signed(reply({ inReplyTo: null }))],
    ['to something of ours that does not exist', () => signed(reply({ inReplyTo: `${app.baseUrl}/objects/none` }))],
    [
      'to one of ours, for the followers of another of ours',
      () => signed({ ...reply({ cc: [`${app.baseUrl}/actors/instance/followers`] }), cc: [] }),
    ],
    [
      'that deletes what was never passed on',
      () => signed({ ...reply({}, 'Delete'), object: `${origin.origin}/notes/other`, cc: [followers()] }),
    ],
  ];
  for (const [which, make] of cases) {
    it(`stays here: one ${which}`, async () => {
      await bring(make());
      expect(reader.received).to.deep.equal([]);
      expect(origin.received).to.deep.equal([]);
    });
  }

  it('is passed on 600 times an hour for one of ours, whatever servers it comes from, but still taken back', async () => {
    const first = signed(reply());
    await bring(first);
    expect(reader.received).to.have.length(1);
    const to = `to ${hosterIri.slice(hosterIri.lastIndexOf('/') + 1)}`;
    app.federation.forwardLimit.add(to, 600);
    await bring(signed(reply()));
    expect(reader.received).to.have.length(1);
    const { '@context': context, id: _id, ...rest } = reply({}, 'Delete');
    const { id } = first.object as Json;
    const gone = { '@context': context, ...rest, id: origin.nextId(), object: { id, type: 'Tombstone' } };
    await bring(signed(gone));
    expect(reader.received.map(({ json }) => json.type)).to.deep.equal(['Create', 'Delete']);
    for (let count = 0; count < 601; count++) app.federation.forwardLimit.giveBack(to);
  });

  it('is passed on 120 times an hour for one server, then no more', async () => {
    app.pass(60);
    for (let count = 0; count < 120; count++) app.federation.forwardLimit.take(origin.host);
    await bring(signed(reply()));
    expect(reader.received).to.deep.equal([]);
  });
});
