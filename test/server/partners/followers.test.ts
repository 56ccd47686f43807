// Followers who wait for a hoster's answer: the page, the deeds, who may decide, and the same refusals through every door.
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { newId } from '../../../server/ids.js';
import {
  acceptFollow,
  forgetRemoteActor,
  keepRemoteActor,
  pruneFollows,
  pruneRemoteActors,
  receiveFollow,
  rejectFollow,
  removeFollower,
} from '../../../server/partners/actions.js';
import { findFollow, findRemoteActor, listFollowerInboxes, remoteActorsIn } from '../../../server/partners/queries.js';
import { partnerRoutes } from '../../../server/partners/routes.js';
import { actorIri, followKey } from '../../../server/partners/rules.js';
import type { RemoteActor } from '../../../server/partners/schema.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestHouse,
} from '../../support/appSupport.js';
import { buildCollective, refusalOf } from '../collectives/collectiveSupport.js';

let serial = 0;

function buildFollower(overrides: Partial<RemoteActor> = {}): RemoteActor {
  serial += 1;
  const iri = `https://peer.example/users/u${serial}`;
  return {
    _id: iri,
    type: 'Person',
    host: 'peer.example',
    handle: `u${serial}@peer.example`,
    name: `Somebody ${serial}`,
    url: `https://peer.example/@u${serial}`,
    inbox: `${iri}/inbox`,
    sharedInbox: 'https://peer.example/inbox',
    keys: [],
    fetchedAt: new Date(),
    goneAt: null,
    ...overrides,
  };
}

describe('followers of a hoster', () => {
  let house: TestHouse;
  let hoster: Collective;
  let ctx: Context;

  beforeEach(async () => {
    house = await buildTestHouse();
    const person = await buildPerson(house, { password: null });
    hoster = await buildCollective(house, {
      acceptsFollowers: 'by-hand',
      members: [{ personId: person._id, role: 'representative' }],
    });
    ctx = contextFor(house, await actorFor(house, person));
  });

  const ref = () => ({ kind: 'collective' as const, id: hoster._id });
  const system = (): Context => contextFor(house, systemActor);

  async function ask(follower = buildFollower(), followIri = `${follower._id}/follows/${newId()}`): Promise<string> {
    await keepRemoteActor(system(), follower);
    const iri = actorIri(house.site, hoster.handle);
    const acceptsAtOnce = hoster.acceptsFollowers === 'at-once';
    await receiveFollow(system(), {
      followIri,
      follower,
      followed: { iri, kind: 'collective', ownerId: hoster._id, acceptsAtOnce },
    });
    return followKey(follower._id, iri);
  }

  async function stored(id: string) {
    const follow = await findFollow(house.store, id);
    return { state: follow?.state, events: follow?.events?.map((event) => event.type) };
  }

  it('wait where decisions are made by hand, each step with its news', async () => {
    const first = await ask();
    expect(await stored(first)).to.deep.equal({ state: 'requested', events: ['follow.requested'] });
    await acceptFollow(ctx, ref(), first);
    expect(await stored(first)).to.deep.equal({ state: 'accepted', events: ['follow.requested', 'follow.accepted'] });
    await removeFollower(ctx, ref(), first);
    expect((await stored(first)).state).to.equal('rejected');
    const second = await ask();
    await rejectFollow(ctx, ref(), second);
    expect(await stored(second)).to.deep.equal({ state: 'rejected', events: ['follow.requested', 'follow.rejected'] });
  });

  it('are told of once, whatever they repeat', async () => {
    const follower = buildFollower();
    const id = await ask(follower, 'https://peer.example/f/1');
    await Promise.all(Array.from({ length: 10 }, () => ask(follower, 'https://peer.example/f/1')));
    await ask(follower, 'https://peer.example/f/2');
    expect(await stored(id)).to.deep.equal({ state: 'requested', events: ['follow.requested'] });
    expect((await findFollow(house.store, id))?.followIri).to.equal('https://peer.example/f/2');
  });

  it('are decided upon by those who represent the hoster only', async () => {
    const id = await ask();
    const member = await buildPerson(house, { password: null });
    const stranger = await buildPerson(house, { password: null });
    await house.store
      .collection<Collective>('collectives')
      .updateOne(
        { _id: hoster._id },
        { $push: { members: { personId: member._id, role: 'member', since: house.now() } } },
      );
    for (const deed of [acceptFollow, rejectFollow, removeFollower]) {
      expect(await refusalOf(deed(contextFor(house, await actorFor(house, member)), ref(), id))).to.match(
        /^not-allowed /,
      );
      expect(await refusalOf(deed(contextFor(house, await actorFor(house, stranger)), ref(), id))).to.equal(
        'not-found error.notFound',
      );
      expect(await refusalOf(deed(contextFor(house, null), ref(), id))).to.equal('not-found error.notFound');
    }
    const other = await buildCollective(house, { members: [{ personId: stranger._id, role: 'representative' }] });
    expect(
      await refusalOf(
        acceptFollow(contextFor(house, await actorFor(house, stranger)), { kind: 'collective', id: other._id }, id),
      ),
    ).to.equal('not-found error.notFound');
    expect((await stored(id)).state).to.equal('requested');
  });

  it('cannot be decided upon twice', async () => {
    const id = await ask();
    const outcomes = await Promise.all([acceptFollow, rejectFollow].map((deed) => refusalOf(deed(ctx, ref(), id))));
    expect(outcomes.sort()).to.deep.equal(['conflict partners.error.decidedMeanwhile', 'done']);
    expect((await stored(id)).events?.length).to.equal(2);
  });

  it('end when their actor is gone, and are forgotten a month later', async () => {
    const follower = buildFollower();
    const id = await ask(follower);
    await acceptFollow(ctx, ref(), id);
    await forgetRemoteActor(system(), follower._id);
    expect((await stored(id)).state).to.equal('undone');
    expect(await pruneFollows(system())).to.equal(0);
    house.pass(31 * 24 * 3600_000);
    expect(await pruneFollows(system())).to.equal(1);
  });

  it('leave nothing behind of actors that nobody needs any more', async () => {
    const idle = buildFollower();
    const follower = buildFollower();
    for (const actor of [idle, follower]) await keepRemoteActor(system(), { ...actor, fetchedAt: house.now() });
    await acceptFollow(ctx, ref(), await ask({ ...follower, fetchedAt: house.now() }));
    expect(await pruneRemoteActors(system())).to.equal(0);
    house.pass(31 * 24 * 3600_000);
    expect(await pruneRemoteActors(system())).to.equal(1);
    expect(await findRemoteActor(house.store, idle._id)).to.equal(null);
    expect((await findRemoteActor(house.store, follower._id))?._id).to.equal(follower._id);
  });

  it('are written to where their server now says', async () => {
    const follower = buildFollower();
    await acceptFollow(ctx, ref(), await ask(follower));
    await keepRemoteActor(system(), { ...follower, sharedInbox: null, inbox: 'https://peer.example/moved' });
    const { inboxes } = await listFollowerInboxes(house.store, actorIri(house.site, hoster.handle), null, 10);
    expect(inboxes).to.deep.equal(['https://peer.example/moved']);
  });

  it('keep where they moved and what their server calls them, written while they are described anew', async () => {
    const follower = buildFollower();
    await keepRemoteActor(system(), follower);
    // As an older version wrote it.
    await remoteActorsIn(house.store).updateOne(
      { _id: follower._id },
      { $unset: { acct: '', acctAt: '', movedAt: '', movedTo: '' } },
    );
    const [user = ''] = follower.handle.split('@');
    const acct = `${user}@name.example`;
    const meanwhile = { movedAt: house.now(), movedTo: 'https://peer.example/new', acct, acctAt: house.now() };
    await Promise.all([
      keepRemoteActor(system(), { ...follower, name: 'Renamed' }),
      remoteActorsIn(house.store).updateOne({ _id: follower._id }, { $set: meanwhile }),
    ]);
    const kept = await findRemoteActor(house.store, follower._id);
    expect(kept).to.deep.include({ ...meanwhile, name: 'Renamed', handle: acct });
  });

  it('stand on a page with what may be done about each', async () => {
    const app = await startTestApp(house, [peopleRoutes, partnerRoutes]);
    const person = await buildPerson(house);
    await house.store
      .collection<Collective>('collectives')
      .updateOne(
        { _id: hoster._id },
        { $push: { members: { personId: person._id, role: 'representative', since: house.now() } } },
      );
    const client = app.client();
    const path = `/my/collectives/${hoster._id}/followers`;
    expect((await client.get(path)).location).to.match(/^\/sign-in/);
    await signIn(client, person);
    expect((await client.get(path)).text).to.contain('No followers yet');

    const id = await ask(buildFollower({ name: '<b>Mallory</b>\u202e' }));
    const page = await client.get(path);
    expect(page.text).to.contain('&lt;b&gt;Mallory').and.contain(`${path}/${id}/accept`);
    expect(page.text).not.to.contain('<b>Mallory');
    const done = await client.post(`${path}/${id}/accept`, {}, path);
    expect(done.location).to.equal(path);
    expect((await client.get(path)).text).to.contain('1 account follows you');
    expect((await client.postRaw(`${path}/${id}/remove`, {})).status).to.equal(403);
    await client.post(`${path}/${id}/remove`, {}, path);
    expect((await stored(id)).state).to.equal('rejected');
    expect((await client.post(`${path}/${id}/remove`, {}, path)).status).to.equal(409);

    const stranger = app.client();
    await signIn(stranger, await buildPerson(house));
    expect((await stranger.get(path)).status).to.equal(404);
    expect((await client.get('/my/collectives/x/followers')).status).to.equal(404);
  });
});
