// Reports across servers, with an independent peer: in every form in which others send them, bounded and from their own actor
// only; and out in the name of the instance.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Actor } from '../../server/context.js';
import { makeReport } from '../../server/moderation/actions.js';
import { reportsIn } from '../../server/moderation/queries.js';
import { maxOpen } from '../../server/moderation/rules.js';
import type { Report } from '../../server/moderation/schema.js';
import { remotePostsIn } from '../../server/partners/queries.js';
import { projectDir } from '../../server/paths.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Post } from '../../server/posts/schema.js';
import { actorFor, buildPerson, contextFor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import {
  addCollective,
  type FederatedApp,
  followBy,
  nothingStored,
  startFederatedApp,
  startPeer,
} from './federatedApp.js';

type Json = Record<string, unknown>;

describe('reports across servers', () => {
  let app: FederatedApp;
  let peer: Peer;
  let other: Peer;
  let instance: PeerActor;
  let mallory: PeerActor;
  let hoster: Collective;
  let hosterIri: string;
  let post: Post;

  before(async () => {
    peer = await startPeer();
    other = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host, other.host] });
    peer.now = app.house.now;
    other.now = app.house.now;
    instance = peer.addActor('instance');
    mallory = other.addActor('mallory');
    hoster = await addCollective(app);
    hosterIri = `${app.baseUrl}/actors/${hoster.handle}`;
    post = await publishPost(app.ctx(), hoster._id, { fr: 'Une nouvelle', en: 'Some news' });
    // Both keys are known before anything is refused.
    await followBy(app, hosterIri, [
      [peer, instance],
      [other, mallory],
    ]);
  });

  beforeEach(async () => {
    await reportsIn(app.house.store).deleteMany({});
  });

  const all = (): Promise<Report[]> => reportsIn(app.house.store).find({}).toArray();
  const flag = (change: Json = {}): Json => ({
    '@context': 'https://www.w3.org/ns/activitystreams',
    id: peer.nextId(),
    type: 'Flag',
    actor: instance.iri,
    content: 'spam',
    object: [hosterIri, `${app.baseUrl}/objects/${post._id}`],
    ...change,
  });
  async function send(activity: Json, from = peer, signer = instance): Promise<number> {
    return (await from.post(signer, `${app.baseUrl}/inbox`, activity)).status;
  }

  /** A fixture as if our peer had sent it about our hoster. */
  function fixture(software: string): Json {
    const text = readFileSync(join(projectDir, 'test/fixtures/activities', software, 'flag.json'), 'utf8');
    const { actor } = JSON.parse(text) as { actor: string };
    const moved = text
      .replaceAll(`"${actor}"`, `"${instance.iri}"`)
      .replaceAll(new URL(actor).origin, peer.origin)
      .replaceAll('https://us.example/actors/ecluse', hosterIri)
      .replaceAll('https://us.example/objects/0190a', `${app.baseUrl}/objects/${post._id}`)
      .replaceAll('https://us.example', app.baseUrl);
    return JSON.parse(moved) as Json;
  }

  describe('received', () => {
    for (const [software, count, words] of [
      ['mastodon', 3, 'Please take a look'],
      ['misskey', 1, '-----\nspam'],
      ['gotosocial', 2, 'dark souls'],
      ['pleroma', 2, 'hate speech'],
    ] as const) {
      it(`are read as ${software} sends them`, async () => {
        expect(await send(fixture(software))).to.equal(202);
        const [report, ...others] = await all();
        expect(others).to.deep.equal([]);
        expect(report).to.deep.include({
          source: 'server',
          host: peer.host,
          status: 'open',
          reason: null,
          about: null,
        });
        expect(report?.objects).to.have.length(count);
        expect(report?.objects[0]).to.equal(hosterIri);
        if (count > 1) expect(report?.objects[1]).to.equal(`${app.baseUrl}/objects/${post._id}`);
        expect(report?.comment).to.contain(words);
        expect(report?.events?.map(({ type }) => type)).to.deep.equal(['report.made']);
      });
    }

    it('are kept once, however often they arrive', async () => {
      const activity = flag();
      expect(await send(activity)).to.equal(202);
      expect(await send(activity)).to.equal(202);
      const passing = flag({ id: undefined });
      expect(await send(passing)).to.equal(202);
      expect(await send(passing)).to.equal(202);
      expect(await all()).to.have.length(2);
    });

    it('count from the actor that signed alone: a forged one leaves nothing', async () => {
      expect(await nothingStored(app, () => send(flag(), other, mallory))).to.equal(403);
      const theirs = flag({ actor: mallory.iri });
      expect(await nothingStored(app, () => send(theirs, other, mallory))).to.equal(403);
    });

    it('about others’ things alone are acknowledged and forgotten', async () => {
      for (const object of [mallory.iri, [mallory.iri, `${other.origin}/notes/1`], [], null, 7]) {
        const status = await nothingStored(app, () => send(flag({ object })));
        expect(status, JSON.stringify(object)).to.be.oneOf([202, 400]);
      }
    });

    it('keep of a mixed list what is ours, fifty at most, and of the comment what can be shown', async () => {
      const many = Array.from({ length: 80 }, (_one, index) => `${app.baseUrl}/objects/${index}`);
      const content = `one\u202e two\u0007${'x'.repeat(4000)}`;
      expect(await send(flag({ object: [mallory.iri, ...many, `${app.baseUrl}.evil.example/x`], content }))).to.equal(
        202,
      );
      const [report] = await all();
      expect(report?.objects).to.deep.equal(many.slice(0, 50));
      expect(report?.comment)
        .to.have.length(3000)
        .and.match(/^one twoxxx/);
    });

    it('of one server are no more than moderators can read: the rest is told to wait', async () => {
      for (let sent = 0; sent < maxOpen.server; sent++) expect(await send(flag())).to.equal(202);
      expect(await nothingStored(app, () => send(flag()))).to.equal(429);
      const theirs = { ...flag({ actor: mallory.iri, id: other.nextId() }) };
      expect(await send(theirs, other, mallory)).to.equal(202);
      await reportsIn(app.house.store).updateOne({ host: peer.host }, { $set: { status: 'closed' } });
      expect(await send(flag())).to.equal(202);
    });

    it('with other activities’ lists change nothing: those still name one object', async () => {
      for (const type of ['Block', 'Delete', 'Follow']) {
        const status = await nothingStored(app, () => send(flag({ type })));
        expect(status, type).to.equal(400);
      }
    });
  });

  describe('sent', () => {
    let member: Actor;

    before(async () => {
      member = await actorFor(app.house, await buildPerson(app.house, { username: 'zqxreporter' }));
    });

    const report = (tellsTheirs: boolean, actor = member) =>
      makeReport(contextFor(app.house, actor), {
        about: mallory.iri,
        reason: 'spam',
        comment: 'Sends the same to everybody',
        contact: null,
        tellsTheirs,
      });

    it('go to their server in the name of the instance, to that inbox alone, and name nobody', async () => {
      other.received.length = 0;
      const made = await report(true);
      await app.run();
      const [sent, ...more] = other.ofType('Flag');
      expect(more).to.deep.equal([]);
      expect(sent?.signature).to.equal('valid');
      expect(sent?.path).to.equal('/users/mallory/inbox');
      expect(sent?.json).to.deep.include({
        actor: `${app.baseUrl}/actors/instance`,
        object: [mallory.iri],
        to: [mallory.iri],
        cc: [],
      });
      expect(sent?.json.content).to.contain('Sends the same to everybody');
      expect(sent?.body.toString()).not.to.contain('zqxreporter').and.not.to.contain(hoster.handle);
      expect(sent?.body.toString()).not.to.contain(made.personId ?? 'nobody');
      const kept = await activitiesIn(app.federation).findOne({ type: 'Flag' });
      expect(kept).to.deep.include({ listed: false, isPublic: false, toFollowers: false });
      expect((await other.get(`${app.baseUrl}/activities/${kept?._id}`)).status).to.equal(404);
    });

    it('stay here unless that was asked for', async () => {
      other.received.length = 0;
      await report(false);
      await app.run();
      expect(other.ofType('Flag')).to.deep.equal([]);
    });

    it('are made by members alone: a visitor learns nothing of whom we know', async () => {
      let code = '';
      await report(true, null).catch((error: { code: string }) => {
        code = error.code;
      });
      expect(code).to.equal('not-found');
    });

    it('carry the post too, when it is one that the reporter may read', async () => {
      other.received.length = 0;
      const iri = `${mallory.iri}/posts/1`;
      const document = { id: iri, type: 'Note', attributedTo: mallory.iri, content: '<p>x</p>' };
      const tell = (actor: Actor) =>
        makeReport(contextFor(app.house, actor), {
          ...{ about: iri, reason: 'illegal', comment: '', contact: null, tellsTheirs: true },
        }).then(
          () => 'made',
          (error: { code: string }) => error.code,
        );
      const write = async (to: string[]): Promise<void> => {
        const written = fromPost({ ...document, to }, [other.host], app.house.now());
        if (written === null) throw new Error('no post');
        await remotePostsIn(app.house.store).replaceOne({ _id: written._id }, written, { upsert: true });
      };
      await write([`${mallory.iri}/followers`]);
      expect(await tell(member)).to.equal('not-found');
      await write(['https://www.w3.org/ns/activitystreams#Public']);
      expect(await tell(null)).to.equal('not-found');
      expect(await tell(member)).to.equal('not-found');
      if (member?.kind !== 'person') throw new Error('nobody');
      const members = [{ personId: member.personId, role: 'member', since: app.house.now() }];
      await app.house.store.collection('collectives').updateOne({ _id: hoster._id }, { $set: { members } });
      expect(await tell(member)).to.equal('made');
      await app.run();
      expect(other.ofType('Flag')[0]?.json.object).to.deep.equal([mallory.iri, iri]);
    });
  });
});
