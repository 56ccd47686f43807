// The pages of a group as people use them: an administrator opens it, a hoster writes to it, others answer, a moderator takes
// something out; what is refused says so and keeps what was typed.
import { expect } from 'chai';
import { federationConsumer } from '../../../federation/outbox.js';
import { fromPost } from '../../../federation/wire/remotePost.js';
import { drainEvents } from '../../../jobs/drainEvents.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { receiveGroupPost } from '../../../server/groups/actions/receive.js';
import { findAnnouncements, groupPostsIn, listThreads } from '../../../server/groups/queries.js';
import { reportsIn } from '../../../server/moderation/queries.js';
import { eventfulCollections } from '../../../server/store/schema.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../../support/wholeApp.js';
import { buildCollective } from '../collectives/collectiveSupport.js';

const admin = '/admin/announcements';
const elsewhere = 'https://elsewhere.example/users/sam';

describe('the pages of a group', () => {
  let app: WholeApp;
  let administrator: Client;
  let member: Client;
  let hoster: Collective;

  before(async () => {
    app = await startWholeApp({
      house: {
        lookUpActor: async (address) =>
          address === '@hoster@here'
            ? { outcome: 'local', handle: hoster.handle }
            : { outcome: 'failed', reason: 'not-found' },
      },
    });
    const ada = await buildPerson(app.house, { instanceRole: 'administrator' });
    const lou = await buildPerson(app.house, {});
    hoster = await buildCollective(app.house, { members: [{ personId: lou._id, role: 'member' }] });
    administrator = app.client({ language: 'en' });
    member = app.client({ language: 'en' });
    await signIn(administrator, ada);
    await signIn(member, lou);
  });

  const visitor = () => app.client({ language: 'en' });
  const ctx = () => contextFor(app.house, systemActor);

  async function drain(): Promise<void> {
    const { store, log, now } = app.house;
    await drainEvents({
      store,
      log,
      now,
      collections: eventfulCollections,
      consumers: [federationConsumer(app.federation)],
    });
  }

  const fields = (changes: Record<string, string> = {}) => ({
    handle: 'annonces',
    'name.fr': 'Annonces',
    'name.en': 'Announcements',
    'summary.fr': 'Ce qui change.',
    'summary.en': 'What changes.',
    hostersModerate: 'on',
    moderators: '',
    postingRestrictedToMods: 'on',
    version: '0',
    ...changes,
  });

  it('do not exist before it is switched on', async () => {
    expect((await visitor().get('/@annonces')).status).to.equal(404);
    expect((await member.get(admin)).status).to.equal(404);
    expect((await member.get(`/my/collectives/${hoster._id}/posts/new`)).text).not.to.contain('name="announce"');
    expect((await administrator.get(admin)).text)
      .to.contain('value="annonces"')
      .and.contain('Open the group');
  });

  it('come with what was typed when a name is missing, taken or not a name, or a moderator is not to be found', async () => {
    for (const [wrong, field] of [
      [{ 'name.fr': '', 'name.en': '' }, 'name-fr'],
      [{ handle: 'Ça va' }, 'handle'],
      [{ handle: hoster.handle }, 'handle'],
      [{ moderators: '@nobody@nowhere.example' }, 'moderators'],
      [{ moderators: Array.from({ length: 21 }, (_one, index) => `@m${index}@x.example`).join('\n') }, 'moderators'],
    ] as const) {
      const answer = await administrator.post(admin, fields(wrong));
      expect(answer.status).to.equal(422);
      expect(answer.text).to.contain('What changes.');
      expect(answer.text).to.match(new RegExp(`href="#[^"]*${field}`));
      expect(await findAnnouncements(app.house.store)).to.equal(null);
    }
  });

  it('open it, show an empty group, and let its address be copied', async () => {
    const answer = await administrator.post(admin, fields({ moderators: '@hoster@here' }));
    expect(answer.location).to.equal(admin);
    const group = await findAnnouncements(app.house.store);
    expect(group?.moderators).to.deep.equal([`${app.house.site.baseUrl}/actors/${hoster.handle}`]);
    const page = await visitor().get('/@annonces');
    expect(page.status).to.equal(200);
    expect(page.text)
      .to.contain(`@annonces@${app.house.site.host}`)
      .and.contain('No threads yet')
      .and.contain('What changes.');
    expect(page.headers.get('vary')).to.contain('Accept');
    expect((await visitor().get('/about')).text).to.contain('href="/@annonces"');
  });

  it('let a hoster write to it, look first, and have it in its own news as well', async () => {
    const path = `/my/collectives/${hoster._id}/posts/new`;
    expect((await member.get('/@annonces')).text).to.contain(`${path}?announce=on`);
    expect((await member.get(`${path}?announce=on`)).text).to.match(/name="announce"[^>]* checked/);
    const text = { 'text.fr': '', 'text.en': 'We **open** on Monday.', version: '0', announce: 'on' };
    const preview = await member.post(path, { ...text, step: 'preview' });
    expect(preview.text).to.match(/name="announce"[^>]* checked/);
    const done = await member.post(path, { ...text, step: 'publish' });
    await drain();
    const page = await visitor().get('/@annonces');
    expect(page.text).to.contain('We open on Monday.').and.contain('no comments');
    expect((await visitor().get(done.location ?? '')).text).to.contain('<strong>open</strong>');
    const feed = await visitor().get('/@annonces/threads.atom');
    expect(feed.headers.get('content-type')).to.contain('application/atom+xml');
    expect(feed.text).to.contain('We open on Monday.');
  });

  async function threadPath(): Promise<string> {
    const group = await findAnnouncements(app.house.store);
    const [first] = group ? await listThreads(app.house.store, group._id, 1) : [];
    return `/@annonces/threads/${first?._id}`;
  }

  it('show what others answer, cleaned, and let the hoster answer them', async () => {
    const group = await findAnnouncements(app.house.store);
    const [first] = group ? await listThreads(app.house.store, group._id, 1) : [];
    if (!group || !first) throw new Error('no thread');
    await app.house.store
      .collection('groups')
      .updateOne({ _id: group._id }, { $set: { moderators: [elsewhere] } } as object);
    const document = {
      id: `${elsewhere}/1`,
      type: 'Note',
      attributedTo: elsewhere,
      to: ['https://www.w3.org/ns/activitystreams#Public'],
      inReplyTo: first.iri,
      content: '<p>Which <script>alert(1)</script><img src="https://x.example/1.png"><b>hours</b>?</p>',
    };
    const post = fromPost(document, [app.house.site.host], app.house.now());
    const fresh = await findAnnouncements(app.house.store);
    if (!post || !fresh) throw new Error('no post');
    await receiveGroupPost(ctx(), fresh, {
      activityIri: `${post.iri}#c`,
      raw: '{}',
      author: elsewhere,
      post,
      postId: null,
    });
    const page = await visitor().get(await threadPath());
    expect(page.text)
      .to.contain('<b>hours</b>')
      .and.contain('1 comment')
      .and.not.contain('alert(1)')
      .and.not.contain('<img');
    const kept = await groupPostsIn(app.house.store).findOne({ iri: post.iri });
    const path = `/my/collectives/${hoster._id}/posts/new?answers=${kept?._id}`;
    expect((await member.get(await threadPath())).text).to.contain(`answers&#x3D;${kept?._id}`);
    expect((await member.get(path)).text).to.contain(`name="answers" value="${kept?._id}"`);
    const text = {
      'text.fr': 'De 9 h à 18 h.',
      'text.en': '',
      version: '0',
      step: 'publish',
      answers: kept?._id ?? '',
    };
    const done = await member.post(`/my/collectives/${hoster._id}/posts/new`, text);
    expect(done.location).to.equal(await threadPath());
    await drain();
    expect((await visitor().get(await threadPath())).text)
      .to.contain('De 9 h à 18 h.')
      .and.contain('2 comments');
    expect((await member.get(`/my/collectives/${hoster._id}/posts/new?answers=${'0'.repeat(64)}`)).status).to.equal(
      404,
    );
  });

  it('let anybody report what stands there, wherever it was written; visitors tell no other server', async () => {
    const comment = await groupPostsIn(app.house.store).findOne({ author: elsewhere });
    const guest = visitor();
    const form = `/report?about=${encodeURIComponent(comment?.iri ?? '')}`;
    expect((await guest.get(await threadPath())).text).to.contain(form.replace('=', '&#x3D;'));
    const page = await guest.get(form);
    expect(page.status).to.equal(200);
    expect(page.text).to.contain('Post in a group').and.not.contain('name="tellsTheirs"');
    const filled = { about: comment?.iri ?? '', reason: 'spam', comment: '', contact: '', tellsTheirs: 'on' };
    expect((await guest.post('/report', filled, form)).location).to.equal('/report/thanks');
    const report = await reportsIn(app.house.store).findOne({ objects: comment?.iri ?? '' });
    expect(report).to.deep.include({ source: 'visitor', about: null, tellsTheirs: false });
    const shown = (await administrator.get(`/admin/reports/${report?._id}`)).text;
    expect(shown, 'leads to where it can be taken out').to.contain(`${await threadPath()}#p-`);
    expect((await guest.get(`/report?about=${encodeURIComponent('https://elsewhere.example/n/99')}`)).status).to.equal(
      404,
    );
  });

  it('let a moderator of the instance take a comment out, then the thread, and say that it is gone', async () => {
    const path = await threadPath();
    const comment = await groupPostsIn(app.house.store).findOne({ author: elsewhere });
    const [, , , thread] = path.split('/');
    expect((await member.get(path)).text).not.to.contain('/remove');
    expect((await administrator.post(`${path}/posts/${comment?._id}/remove`, {}, path)).location).to.equal(path);
    const { text } = await visitor().get(path);
    expect(text).to.contain('1 comment');
    expect(text).not.to.contain('hours');
    expect((await administrator.post(`${path}/posts/${thread}/remove`, {}, path)).location).to.equal('/@annonces');
    expect((await visitor().get(path)).status).to.equal(410);
    expect((await visitor().get('/@annonces')).text).to.contain('No threads yet');
  });

  it('close it and open it again, and refuse a text for the closed group without losing it', async () => {
    const path = `/my/collectives/${hoster._id}/posts/new`;
    await administrator.post(`${admin}/close`, {}, admin);
    expect((await visitor().get('/@annonces')).text).to.contain('This group is closed');
    expect((await member.get(path)).text).not.to.contain('name="announce"');
    const late = { 'text.fr': 'Trop tard', 'text.en': '', version: '0', announce: 'on', step: 'publish' };
    const answer = await member.post(path, late);
    expect(answer.status).to.equal(422);
    expect(answer.text).to.contain('Trop tard').and.contain('This group is closed: publish without it.');
    await administrator.post(`${admin}/reopen`, {}, admin);
    expect((await visitor().get('/@annonces')).text).not.to.contain('This group is closed');
  });

  it('delete it only when its name is typed, for good', async () => {
    const wrong = await administrator.post(`${admin}/delete`, { handle: 'other' }, admin);
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.contain('That is not the name of this group.');
    expect((await administrator.post(`${admin}/delete`, { handle: 'annonces' }, admin)).location).to.equal(admin);
    expect((await visitor().get('/@annonces')).status).to.equal(410);
    expect((await visitor().get('/@annonces/threads.atom')).status).to.equal(410);
    expect((await administrator.post(admin, fields())).status).to.equal(422);
  });
});
