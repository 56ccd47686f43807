import { expect } from 'chai';
import { deleteCollective, removeMember } from '../../../server/collectives/actions.js';
import { getCollective } from '../../../server/collectives/queries.js';
import type { Context } from '../../../server/context.js';
import { deletePost, publishPost, purgePostsOf, updatePost } from '../../../server/posts/actions.js';
import { countPublicPosts, findPost, getPost, listPublicPosts } from '../../../server/posts/queries.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../../support/appSupport.js';
import { buildMember, eventsOf, refusalOf } from '../collectives/collectiveSupport.js';

describe('posts', () => {
  let house: TestHouse;
  let ctx: Context;
  let collectiveId: string;
  const text = { fr: 'Bonjour @sam@social.example', en: '' };

  before(async () => {
    house = await buildTestHouse();
  });
  beforeEach(async () => {
    const member = await buildMember(house, 'member');
    ctx = member.ctx;
    collectiveId = member.collective._id;
  });
  const later = () => {
    house.pass(60_000);
    return { ...ctx, now: house.now() };
  };

  it('publishes what a member writes, with its news in the same document', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    const stored = await findPost(house.store, post._id);
    expect(stored?.mentions).to.deep.equal(['sam@social.example']);
    expect(stored?.authorPersonId).to.equal(ctx.actor?.kind === 'person' && ctx.actor.personId);
    const events = await eventsOf(house, 'posts', post._id);
    expect(events.map(({ type, at }) => ({ type, at }))).to.deep.equal([{ type: 'post.published', at: ctx.now }]);
  });

  it('refuses a stranger as if the collective did not exist, and a draft that has no readers', async () => {
    const stranger = await buildMember(house, 'representative');
    expect(await refusalOf(publishPost(stranger.ctx, collectiveId, text))).to.equal('not-found error.notFound');
    expect(await refusalOf(publishPost(contextFor(house, null), collectiveId, text))).to.equal(
      'not-found error.notFound',
    );
    const draft = await buildMember(house, 'representative', { published: false });
    expect(await refusalOf(publishPost(draft.ctx, draft.collective._id, text))).to.equal(
      'closed posts.error.collectiveNotPublished',
    );
  });

  it('corrects a text, with a later date each time, and tells it', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    const first = await updatePost(ctx, collectiveId, post._id, { version: 1, text: { fr: 'b', en: '' } });
    expect(first.updatedAt).to.deep.equal(new Date(post.publishedAt.getTime() + 1));
    expect(first.mentions).to.deep.equal([]);
    const second = await updatePost(later(), collectiveId, post._id, { version: 2, text: { fr: 'c', en: '' } });
    expect(second.updatedAt).to.deep.equal(house.now());
    const types = (await eventsOf(house, 'posts', post._id)).map((event) => event.type);
    expect(types).to.deep.equal(['post.published', 'post.updated', 'post.updated']);
  });

  it('tells nothing when nothing was corrected', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    const same = await updatePost(later(), collectiveId, post._id, { version: 1, text });
    expect(same.updatedAt).to.equal(null);
    expect(await eventsOf(house, 'posts', post._id)).to.have.length(1);
  });

  it('refuses a correction from an older page', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    await updatePost(ctx, collectiveId, post._id, { version: 1, text: { fr: 'b', en: '' } });
    const refusal = await refusalOf(updatePost(ctx, collectiveId, post._id, { version: 1, text: { fr: 'c', en: '' } }));
    expect(refusal).to.equal('conflict posts.error.changedMeanwhile');
    expect((await findPost(house.store, post._id))?.text.fr).to.equal('b');
  });

  it('lets one of two corrections at the same moment through', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    const outcomes = await Promise.allSettled(
      ['b', 'c'].map((fr) => updatePost(ctx, collectiveId, post._id, { version: 1, text: { fr, en: '' } })),
    );
    expect(outcomes.map((one) => one.status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    expect(await eventsOf(house, 'posts', post._id)).to.have.length(2);
  });

  it('leaves nothing of a deleted post but its place, and tells it once', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    await deletePost(later(), collectiveId, post._id);
    const stone = await findPost(house.store, post._id);
    expect({ text: stone?.text, mentions: stone?.mentions, deletedAt: stone?.deletedAt }).to.deep.equal({
      text: { fr: '', en: '' },
      mentions: [],
      deletedAt: house.now(),
    });
    const types = (await eventsOf(house, 'posts', post._id)).map((event) => event.type);
    expect(types).to.deep.equal(['post.published', 'post.deleted']);
    for (const deed of [
      deletePost(ctx, collectiveId, post._id),
      updatePost(ctx, collectiveId, post._id, { version: 2, text }),
      getPost(house.store, collectiveId, post._id),
    ]) {
      expect(await refusalOf(deed)).to.equal('gone posts.error.deleted');
    }
  });

  it('does not let a member of one collective touch the post of another through their own', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    const other = await buildMember(house, 'representative');
    const { _id } = other.collective;
    expect(await refusalOf(deletePost(other.ctx, _id, post._id))).to.equal('not-found error.notFound');
    expect(await refusalOf(updatePost(other.ctx, _id, post._id, { version: 1, text }))).to.equal(
      'not-found error.notFound',
    );
    expect(await refusalOf(deletePost(other.ctx, collectiveId, post._id))).to.equal('not-found error.notFound');
    expect((await findPost(house.store, post._id))?.deletedAt).to.equal(null);
  });

  it('ends the right to speak with the role, whatever the actor in hand still says', async () => {
    const personId = ctx.actor?.kind === 'person' ? ctx.actor.personId : '';
    await removeMember(contextFor(house, systemActor), collectiveId, personId);
    expect(await refusalOf(publishPost(ctx, collectiveId, text))).to.equal('not-found error.notFound');
  });

  it('is silent in the bin, and forgotten with the collective', async () => {
    const post = await publishPost(ctx, collectiveId, text);
    const system = contextFor(house, systemActor);
    const { handle } = await getCollective(house.store, collectiveId);
    await deleteCollective(system, collectiveId, handle);
    expect(await refusalOf(publishPost(ctx, collectiveId, text))).to.equal('closed posts.error.collectiveNotPublished');
    await purgePostsOf(system, collectiveId);
    expect((await findPost(house.store, post._id))?.text).to.deep.equal({ fr: '', en: '' });
    expect(await countPublicPosts(house.store, collectiveId)).to.equal(0);
  });

  it('lists the newest first, page by page', async () => {
    for (const fr of ['1', '2', '3']) await publishPost(later(), collectiveId, { fr, en: '' });
    const texts = async (page: number) =>
      (await listPublicPosts(house.store, collectiveId, { page, limit: 2 })).map((post) => post.text.fr);
    expect(await texts(1)).to.deep.equal(['3', '2']);
    expect(await texts(2)).to.deep.equal(['1']);
  });
});
