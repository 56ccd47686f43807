// Polls of ours with an independent peer: it gets the Question as Mastodon knows it, votes as Mastodon, Pleroma and Misskey do,
// sees the counts grow and the end; and what does not count changes nothing (security.md AP-110 to AP-117).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { pruneActivities } from '../../federation/activities.js';
import type { Collective } from '../../server/collectives/schema.js';
import { setRule } from '../../server/instances/actions/domainRules.js';
import { projectDir } from '../../server/paths.js';
import { offerPolls, tellDuePolls, withdrawPoll } from '../../server/surveys/actions/polls.js';
import { closeSurvey } from '../../server/surveys/actions/running.js';
import { listPollResults, votesIn } from '../../server/surveys/pollQueries.js';
import type { FediPoll } from '../../server/surveys/pollSchema.js';
import { countAnswers } from '../../server/surveys/queries.js';
import type { Survey } from '../../server/surveys/schema.js';
import { buildSurvey, choiceSection } from '../server/surveys/surveySupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';
const sections = [choiceSection({ one: 'single', any: 'multiple' })];

describe('polls of ours, from another server,', () => {
  let app: FederatedApp;
  let peer: Peer;
  let far: Peer;
  let hoster: Collective;
  let survey: Survey;
  let poll: FediPoll;
  let iri: string;
  let owner: string;

  before(async () => {
    peer = await startPeer();
    far = await startPeer(0, '127.0.0.2');
    app = await startFederatedApp({ privateHosts: [peer.host, far.host] });
    peer.now = app.house.now;
    far.now = app.house.now;
    hoster = await addCollective(app, { handle: 'ecluse' });
    owner = `${app.baseUrl}/actors/ecluse`;
    const follower = peer.addActor('follower');
    await peer.post(follower, `${app.baseUrl}/inbox`, peer.follow(follower, owner));
    await app.run();
  });
  beforeEach(async () => {
    const closesAt = new Date(app.house.now().getTime() + 7 * 24 * 3_600_000);
    survey = await buildSurvey(app.ctx(), hoster, [hoster], { sections, closesAt, names: 'anonymous' });
    poll = await offer('one');
    iri = `${app.baseUrl}/objects/${poll._id}`;
    await app.run();
  });

  async function offer(question: string): Promise<FediPoll> {
    const [offered] = await offerPolls(app.ctx(), survey._id, { questions: [question], endsAt: null });
    if (!offered) throw new Error('no poll');
    return offered;
  }
  const tell = () => tellDuePolls(app.ctx());
  const lastOf = (type: string, from = peer): Json => {
    const found = from.ofType(type).findLast(({ json }) => (json.object as Json | undefined)?.id === iri);
    return (found?.json.object ?? {}) as Json;
  };
  const counts = async (one = poll): Promise<string> => {
    const found = (await listPollResults(app.house.store, survey._id)).find((result) => result.poll._id === one._id);
    return `${found?.options.map(({ count }) => count).join(' ')} of ${found?.voters}`;
  };
  let serial = 0;
  const newVoter = (from = peer): PeerActor => {
    serial += 1;
    return from.addActor(`voter${serial}`);
  };
  function vote(voter: PeerActor, name: string, change: Json = {}, to = iri): Json {
    serial += 1;
    const id = `${voter.iri}#votes/${serial}`;
    const object = { id, type: 'Note', name, attributedTo: voter.iri, inReplyTo: to, to: owner, ...change };
    const context = 'https://www.w3.org/ns/activitystreams';
    return { '@context': context, id: `${id}/activity`, type: 'Create', actor: voter.iri, to: owner, object };
  }
  const send = async (voter: PeerActor, activity: Json, from = peer): Promise<number> =>
    (await from.post(voter, `${app.baseUrl}/inbox`, activity)).status;

  it('arrive as a Question that everybody may read, with its options, its end, and who learns what', async () => {
    const question = lastOf('Create');
    expect(question.type).to.equal('Question');
    expect(question.to).to.deep.equal([publicIri]);
    expect(question.oneOf).to.deep.equal(
      ['Oui / Yes', 'Non / No'].map((name) => ({ type: 'Note', name, replies: { type: 'Collection', totalItems: 0 } })),
    );
    expect(question.votersCount).to.equal(0);
    expect(question.endTime).to.equal(poll.endsAt.toISOString());
    expect(question).to.not.have.property('closed');
    expect(question.content).to.contain('Agreed?').and.contain(`tells ${app.house.site.host} your account`);
    expect(await peer.getJson(iri)).to.include({ id: iri, type: 'Question' });
  });

  for (const software of ['mastodon', 'pleroma', 'misskey']) {
    it(`take a vote as ${software} sends it, and once`, async () => {
      const voter = newVoter();
      const text = readFileSync(join(projectDir, 'test/fixtures/polls', `${software}.json`), 'utf8');
      const ours = text
        .replaceAll(`https://${software}.example/users/alice`, voter.iri)
        .replaceAll(`https://${software}.example`, peer.origin)
        .replaceAll('https://us.example/objects/poll', iri)
        .replaceAll('https://us.example/actors/ecluse', owner);
      const activity = JSON.parse(ours) as Json;
      expect(await send(voter, activity)).to.equal(202);
      expect(await send(voter, activity)).to.equal(202);
      expect(await counts()).to.equal('1 0 of 1');
      const received = app.house.store.collection<{ _id: string; raw: string }>('received');
      expect((await received.findOne({ _id: String(activity.id) }))?.raw).to.equal('');
    });
  }

  it('count one for each option where several may be chosen', async () => {
    const any = await offer('any');
    await app.run();
    const voter = newVoter();
    const to = `${app.baseUrl}/objects/${any._id}`;
    for (const name of ['Oui / Yes', 'Non / No', 'Non / No']) await send(voter, vote(voter, name, {}, to));
    expect(await counts(any)).to.equal('1 1 of 1');
  });

  it('take all choices at once, as GoToSocial sends them, and only votes of the sender in one poll so', async () => {
    const any = await offer('any');
    await app.run();
    const voter = newVoter();
    const other = newVoter();
    const text = readFileSync(join(projectDir, 'test/fixtures/activities/gotosocial/votes-at-once.json'), 'utf8');
    const at = (who: PeerActor, to: string) =>
      JSON.parse(
        text
          .replaceAll('https://gts.example/users/dog', who.iri)
          .replaceAll('https://us.example/objects/0190a', to)
          .replaceAll('https://us.example/actors/ecluse', owner)
          .replaceAll('Monday', 'Oui / Yes')
          .replaceAll('Friday', 'Non / No'),
      ) as Json & { id: string; object: [Json, Json] };
    const many = at(voter, `${app.baseUrl}/objects/${any._id}`);
    expect(await send(voter, many)).to.equal(202);
    expect(await send(voter, many)).to.equal(202);
    expect(await counts(any)).to.equal('1 1 of 1');
    const received = app.house.store.collection<{ _id: string; raw: string }>('received');
    expect((await received.findOne({ _id: many.id }))?.raw).to.equal('');
    // One answer only where one may be chosen.
    expect(await send(voter, { ...at(voter, iri), id: `${voter.iri}#second` })).to.equal(202);
    expect(await counts()).to.equal('1 0 of 1');

    const { object, ...frame } = at(other, `${app.baseUrl}/objects/${any._id}`);
    const [first, second] = object;
    for (const [objects, status] of [
      [[first, { ...second, attributedTo: voter.iri }], 400],
      [[first, { ...second, inReplyTo: iri }], 400],
      [[first, { ...second, content: 'In words' }], 400],
      [[first, { ...second, id: 'https://elsewhere.example/votes/2' }], 400],
      [[first, `${other.iri}#votes/2`], 400],
      [[first, { ...second, name: undefined }], 400],
      [Array.from({ length: 21 }, (_one, index) => ({ ...first, id: `${other.iri}#votes/${index}` })), 400],
      [[first, second].map((one) => ({ ...one, inReplyTo: `${app.baseUrl}/objects/none` })), 202],
    ] as const) {
      const activity = { ...frame, id: peer.nextId(), object: objects };
      expect(await send(other, activity), JSON.stringify(objects)).to.equal(status);
      expect(await send(other, { ...activity, type: 'Update' })).to.equal(400);
    }
    expect(await counts(any)).to.equal('1 1 of 1');
    expect(await app.house.store.collection('received').countDocuments({ actor: other.iri })).to.equal(0);
  });

  it('take no second vote, no option that is not there, nothing empty, late, in words, or in another’s name', async () => {
    const voter = newVoter();
    const other = newVoter();
    expect(await send(voter, vote(voter, 'Non / No'))).to.equal(202);
    expect(await send(voter, vote(voter, 'Oui / Yes'))).to.equal(202);
    expect(await send(other, vote(other, 'Peut-être'))).to.equal(202);
    expect(await send(other, vote(other, ''))).to.equal(202);
    expect(await send(other, vote(other, 'Oui / Yes', { content: '<p>Oui / Yes</p>' }))).to.equal(202);
    expect(await send(other, vote(other, 'Oui / Yes', { attributedTo: voter.iri }))).to.equal(403);
    expect(await send(other, { ...vote(other, 'Oui / Yes'), type: 'Update' })).to.equal(202);
    expect(await counts()).to.equal('0 1 of 1');
    await closeSurvey(app.ctx(), survey._id);
    expect(await send(other, vote(other, 'Oui / Yes'))).to.equal(202);
    expect(await counts()).to.equal('0 1 of 1');
    expect(await countAnswers(app.house.store, survey)).to.equal(0);
  });

  it('let nobody else raise their counts, change or end them', async () => {
    const voter = newVoter();
    const options = [{ type: 'Note', name: 'Oui / Yes', replies: { type: 'Collection', totalItems: 999 } }];
    const forged = { id: iri, type: 'Question', attributedTo: owner, oneOf: options, closed: '2026-01-01T00:00:00Z' };
    const change = { type: 'Update', actor: voter.iri, to: [publicIri] };
    const frame = { '@context': 'https://www.w3.org/ns/activitystreams', id: peer.nextId(), ...change };
    expect(await send(voter, { ...frame, object: forged })).to.equal(403);
    const own = { ...forged, attributedTo: voter.iri };
    expect(await send(voter, { ...frame, id: peer.nextId(), object: own })).to.equal(403);
    const gone = { ...frame, id: peer.nextId(), type: 'Delete', object: iri };
    expect(await send(voter, gone)).to.equal(403);
    expect(await counts()).to.equal('0 0 of 0');
  });

  it('tell their counts to followers and to the servers of voters, some minutes later, then their end', async () => {
    const voter = newVoter(far);
    await send(voter, vote(voter, 'Oui / Yes'), far);
    await tell();
    await app.run();
    expect(lastOf('Update')).to.deep.equal({});
    app.pass(11);
    await tell();
    await app.run();
    for (const from of [peer, far]) {
      const question = lastOf('Update', from);
      expect(question.votersCount).to.equal(1);
      expect((question.oneOf as Json[])[0]?.replies).to.deep.equal({ type: 'Collection', totalItems: 1 });
      expect(Object.keys(question)).to.not.include('closed').and.not.include('updated');
    }
    await closeSurvey(app.ctx(), survey._id);
    await tell();
    await app.run();
    expect(lastOf('Update').closed).to.be.a('string');
    expect((await peer.getJson(iri)).closed).to.be.a('string');
    // What is read at its address stays what was said last.
    app.pass(61 * 24 * 60);
    expect(await pruneActivities(app.federation)).to.be.at.least(1);
    expect(await peer.getJson(iri))
      .to.include({ votersCount: 1 })
      .and.have.property('closed');
    app.pass(-61 * 24 * 60);
  });

  it('lose a vote that its author deletes, or whose author goes, until they end', async () => {
    const voter = newVoter();
    const cast = vote(voter, 'Oui / Yes');
    await send(voter, cast);
    const other = newVoter();
    await send(other, vote(other, 'Oui / Yes'));
    const frame = { '@context': 'https://www.w3.org/ns/activitystreams', type: 'Delete' };
    const byOther = { ...frame, id: peer.nextId(), actor: other.iri, object: (cast.object as Json).id };
    await send(other, byOther);
    expect(await counts()).to.equal('2 0 of 2');
    await send(voter, { ...frame, id: peer.nextId(), actor: voter.iri, object: (cast.object as Json).id });
    expect(await counts()).to.equal('1 0 of 1');
    await send(other, { ...frame, id: peer.nextId(), actor: other.iri, object: other.iri });
    expect(await counts()).to.equal('0 0 of 0');
  });

  it('keep the votes that they ended with, whatever their authors delete, undo or move afterwards (AP-114)', async () => {
    const voter = newVoter();
    const cast = vote(voter, 'Oui / Yes');
    const other = newVoter();
    await send(voter, cast);
    await send(other, vote(other, 'Non / No'));
    await closeSurvey(app.ctx(), survey._id);
    await tell();
    expect(await counts()).to.equal('1 1 of 2');
    const frame = { '@context': 'https://www.w3.org/ns/activitystreams', actor: voter.iri };
    const target = newVoter();
    for (const late of [
      { type: 'Delete', object: (cast.object as Json).id },
      { type: 'Undo', object: cast },
      { type: 'Update', object: { ...(cast.object as Json), name: 'Non / No' } },
      { type: 'Move', object: voter.iri, target: target.iri },
      { type: 'Delete', object: voter.iri },
    ]) {
      expect(await send(voter, { ...frame, id: peer.nextId(), ...late }), late.type).to.equal(202);
      expect(await counts(), late.type).to.equal('1 1 of 2');
    }
    await app.run();
    expect((await peer.getJson(iri)).votersCount).to.equal(2);
  });

  it('never say who voted: what we serve and send names no voter', async () => {
    const voter = newVoter();
    await send(voter, vote(voter, 'Oui / Yes'));
    app.pass(11);
    await tell();
    await app.run();
    const said = await app.house.store.collection<{ _id: string; json: string }>('activities').find({}).toArray();
    expect(said.some(({ json }) => json.includes(voter.iri))).to.equal(false);
    expect(JSON.stringify(peer.received.map(({ json }) => json))).to.not.contain(`${voter.iri}"`);
  });

  it('end with a Tombstone when they are taken back', async () => {
    const voter = newVoter();
    await send(voter, vote(voter, 'Oui / Yes'));
    await withdrawPoll(app.ctx(), survey._id, poll._id);
    await app.run();
    expect(lastOf('Delete')).to.include({ id: iri, type: 'Tombstone', formerType: 'Question' });
    expect((await peer.get(iri)).status).to.equal(410);
    expect(await votesIn(app.house.store).countDocuments({ pollId: poll._id })).to.equal(0);
  });

  it('take none from servers that are limited, and lose those of servers that are blocked', async () => {
    const voter = newVoter(far);
    await send(voter, vote(voter, 'Oui / Yes'), far);
    const reasons = { publicReason: 'Spam', privateReason: '' };
    await setRule(app.ctx(), '127.0.0.2', { kind: 'limit', ...reasons });
    const limited = newVoter(far);
    expect(await send(limited, vote(limited, 'Oui / Yes'), far)).to.equal(202);
    expect(await counts()).to.equal('1 0 of 1');
    await setRule(app.ctx(), '127.0.0.2', { kind: 'block', ...reasons });
    await app.announce();
    const blocked = newVoter(far);
    expect(await send(blocked, vote(blocked, 'Oui / Yes'), far)).to.equal(403);
    expect(await counts()).to.equal('0 0 of 0');
  });
});
