// What becomes of a host's people when the instance no longer deals with it.
import { expect } from 'chai';
import { fromPost } from '../../../federation/wire/remotePost.js';
import { receivePost } from '../../../server/partners/actions/feed.js';
import { followActor, receiveFollowAnswer } from '../../../server/partners/actions/following.js';
import { forgetActorsOf, keepRemoteActor } from '../../../server/partners/actions.js';
import { findRemoteActor, followingsIn, pageFeed } from '../../../server/partners/queries.js';
import { actorIri } from '../../../server/partners/rules.js';
import { buildTestHouse, contextFor, systemActor } from '../../support/appSupport.js';
import { buildCollective } from '../collectives/collectiveSupport.js';

describe('a host that is refused from now on', () => {
  it('is followed no more, and what its people wrote leaves every feed; others stay', async () => {
    const house = await buildTestHouse();
    const ctx = contextFor(house, systemActor);
    const collective = await buildCollective(house, { published: true });
    const reader = actorIri(house.site, collective.handle);
    for (const host of ['bad.example', 'good.example']) {
      const iri = `https://${host}/users/ana`;
      await keepRemoteActor(ctx, {
        _id: iri,
        type: 'Person',
        host,
        handle: `ana@${host}`,
        name: 'Ana',
        url: iri,
        inbox: `${iri}/inbox`,
        sharedInbox: null,
        followers: `${iri}/followers`,
        keys: [],
        fetchedAt: house.now(),
        goneAt: null,
      });
      await followActor(ctx, { kind: 'collective', id: collective._id }, { actor: iri });
      const { followIri } = (await followingsIn(house.store).findOne({ followed: iri })) ?? { followIri: '' };
      await receiveFollowAnswer(ctx, { answer: 'accept', followed: iri, followIri, follower: null });
      const to = ['https://www.w3.org/ns/activitystreams#Public'];
      const note = { id: `${iri}/1`, type: 'Note', attributedTo: iri, to, content: `<p>${host}</p>` };
      const post = fromPost(note, [], house.now());
      if (!post) throw new Error('no post');
      await receivePost(ctx, post, iri);
    }
    expect((await pageFeed(house.store, reader, {})).items).to.have.length(2);

    expect(await forgetActorsOf(ctx, 'bad.example')).to.equal(1);

    const { items } = await pageFeed(house.store, reader, {});
    expect(items.map(({ entry }) => entry.from)).to.deep.equal(['https://good.example/users/ana']);
    const states = await followingsIn(house.store)
      .find({}, { sort: { followed: 1 } })
      .toArray();
    expect(states.map(({ state }) => state)).to.deep.equal(['undone', 'accepted']);
    expect(await findRemoteActor(house.store, 'https://bad.example/users/ana')).to.equal(null);
  });
});
