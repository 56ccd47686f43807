// Reports from the form of a visitor to the last step of a moderator, over HTTP.
import { expect } from 'chai';
import { drainEvents } from '../../../jobs/drainEvents.js';
import { addMember, createCollective } from '../../../server/collectives/actions.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { forgetReporter, pruneReports, receiveReport, stepReport } from '../../../server/moderation/actions.js';
import { reportsIn } from '../../../server/moderation/queries.js';
import { maxOpen } from '../../../server/moderation/rules.js';
import type { Report } from '../../../server/moderation/schema.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { mailsIn } from '../../../server/notices/queries.js';
import { collectOwnData } from '../../../server/people/actions/ownData.js';
import type { Person } from '../../../server/people/schema.js';
import { publishPost } from '../../../server/posts/actions.js';
import { findPost } from '../../../server/posts/queries.js';
import type { Post } from '../../../server/posts/schema.js';
import { eventfulCollections } from '../../../server/store/schema.js';
import { actorFor, buildPerson, type Client, contextFor, signIn, systemActor } from '../../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../../support/wholeApp.js';
import { refusalOf } from '../collectives/collectiveSupport.js';

describe('reports', function () {
  this.timeout(60_000);
  let app: WholeApp;
  let hoster: Collective;
  let post: Post;
  let moderator: Person;
  let reporter: Person;
  let mo: Client;
  let ray: Client;

  before(async () => {
    app = await startWholeApp();
    const ctx = contextFor(app.house, systemActor);
    const names = { name: { fr: 'L’Écluse', en: 'The Lock' }, legalForm: 'ASSOCIATION' } as const;
    hoster = await createCollective(ctx, { handle: 'ecluse', ...names, published: true });
    await createCollective(ctx, { handle: 'hidden', ...names, published: false });
    moderator = await buildPerson(app.house, { username: 'mo', displayName: 'Mo', instanceRole: 'moderator' });
    reporter = await buildPerson(app.house, { username: 'ray', displayName: 'Ray Reporter' });
    [mo, ray] = [app.client(), app.client()];
    await signIn(mo, moderator);
    await signIn(ray, reporter);
  });

  beforeEach(async () => {
    const { store } = app.house;
    for (const name of ['reports', 'limits', 'mails']) await store.collection(name).deleteMany({});
    const text = { fr: 'Achetez <b>nos</b> montres', en: '' };
    post = await publishPost(contextFor(app.house, systemActor), hoster._id, text);
  });

  const all = (): Promise<Report[]> => reportsIn(app.house.store).find({}).toArray();
  const form = (about: string) => `/report?about=${encodeURIComponent(about)}`;
  const filled = { reason: 'spam', comment: 'Look <i>here</i>', contact: '' };
  const send = (client: Client, about: string, change: Record<string, string> = {}) =>
    client.post('/report', { about, ...filled, ...change }, form(about));

  async function drain(): Promise<void> {
    const { store, log, now } = app.house;
    const receive = (event: Parameters<typeof noticeEvent>[1]) => noticeEvent({ house: app.house }, event);
    const consumers = [{ name: 'notices', receive }];
    await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
  }

  describe('are made', () => {
    it('by a visitor, from a link on the page, with an address or without', async () => {
      const path = `/@ecluse/posts/${post._id}`;
      const visitor = app.client();
      const page = await visitor.get(path);
      expect(page.text).to.contain(`href="${form(path)}"`.replaceAll('&', '&amp;'));
      expect((await visitor.get(form(path))).text)
        .to.contain('The Lock')
        .and.contain('Your e-mail address');
      const answer = await send(visitor, path, { contact: 'Vera@Example.org' });
      expect(answer.location).to.equal('/report/thanks');
      expect((await visitor.get('/report/thanks')).text).to.contain('the report has arrived');
      const [report] = await all();
      const { baseUrl } = app.house.site;
      expect(report).to.deep.include({
        ...{ source: 'visitor', personId: null, contact: 'Vera@example.org', reason: 'spam', status: 'open' },
        objects: [`${baseUrl}/actors/ecluse`, `${baseUrl}/objects/${post._id}`],
        ...{ about: null, tellsTheirs: false },
      });
    });

    it('by a person, whose name the moderators see; no other address is kept of them', async () => {
      await send(ray, '/@ecluse', { contact: 'elsewhere@example.org', tellsTheirs: 'on' });
      const [report] = await all();
      expect(report).to.include({ source: 'person', personId: reporter._id, contact: null, tellsTheirs: false });
      expect((await mo.get(`/admin/reports/${report?._id}`)).text).to.contain('Ray Reporter');
    });

    it('about what everybody sees only', async () => {
      const missing = [
        '/@hidden',
        '/@nobody',
        '/admin',
        `/@ecluse/posts/${hoster._id}`,
        'https://other.example/users/a',
      ];
      for (const about of missing) {
        expect((await ray.get(form(about))).status, about).to.equal(404);
        expect((await ray.post('/report', { about, ...filled }, form('/@ecluse'))).status, about).to.equal(404);
      }
      expect((await app.client().get('/report')).location).to.equal('/about');
      expect(await all()).to.deep.equal([]);
    });

    it('with a reason; what was typed comes back, with what is wrong', async () => {
      const answer = await send(app.client(), '/@ecluse', { reason: '', comment: 'Typed', contact: 'no address' });
      expect(answer.status).to.equal(422);
      expect(answer.text).to.contain('Choose a reason.').and.contain('Typed').and.contain('value="no address"');
      expect(await all()).to.deep.equal([]);
    });

    it('a few times an hour from one place, and not once more', async () => {
      const visitor = app.client();
      for (let index = 0; index < 5; index++) expect((await send(visitor, '/@ecluse')).status).to.equal(303);
      const sixth = await send(visitor, '/@ecluse', { comment: 'Kept words' });
      expect(sixth.status).to.equal(429);
      expect(sixth.text).to.contain('Too many reports').and.contain('Kept words');
      expect((await send(ray, '/@ecluse')).status).to.equal(303);
      expect(await all()).to.have.length(6);
    });

    it('by no more visitors than moderators can read', async () => {
      await send(app.client(), '/@ecluse');
      const [report] = await all();
      if (!report) throw new Error('no report');
      const { events: _events, ...plain } = report;
      const copies = Array.from({ length: maxOpen.visitor - 1 }, (_one, index) => ({
        ...plain,
        ...{ _id: `copy${index}`, dedupeKey: `copy${index}` },
      }));
      await reportsIn(app.house.store).insertMany(copies);
      expect((await send(app.client(), '/@ecluse')).status).to.equal(429);
      expect((await send(ray, '/@ecluse')).status).to.equal(303);
    });
  });

  describe('are told of', () => {
    it('by one mail to each who moderates, that says nothing of them; of a flood, the first', async () => {
      await send(ray, '/@ecluse', { comment: 'zqxsecret' });
      await send(ray, '/@ecluse', { comment: 'zqxsecret' });
      await drain();
      await drain();
      const mails = await mailsIn(app.house.store).find({}).toArray();
      expect(mails.map(({ to }) => to)).to.deep.equal([moderator.email]);
      const [first] = await reportsIn(app.house.store)
        .find({}, { sort: { _id: 1 } })
        .toArray();
      expect(mails[0]?.link).to.deep.equal({ path: `/admin/reports/${first?._id}` });
      expect(JSON.stringify(mails)).not.to.contain('zqxsecret').and.not.to.contain('Ray').and.not.to.contain('ecluse');
      app.house.pass(16 * 60_000);
      await send(ray, '/@ecluse');
      await drain();
      expect(await mailsIn(app.house.store).countDocuments()).to.equal(2);
    });
  });

  describe('are looked after', () => {
    async function made(): Promise<{ report: Report; path: string }> {
      await send(ray, `/@ecluse/posts/${post._id}`);
      const [report] = await reportsIn(app.house.store)
        .find({}, { sort: { _id: -1 } })
        .toArray();
      if (!report) throw new Error('no report');
      return { report, path: `/admin/reports/${report._id}` };
    }
    const version = async (id: string) => String((await reportsIn(app.house.store).findOne({ _id: id }))?.version ?? 0);

    it('by moderators alone', async () => {
      const { path } = await made();
      for (const address of [path, '/admin/reports']) expect((await ray.get(address)).status).to.equal(404);
      expect((await ray.post(`${path}/take`, { version: '1' }, '/me')).status).to.equal(404);
      const ctx = contextFor(app.house, await actorFor(app.house, reporter));
      expect(await refusalOf(stepReport(ctx, path.split('/').at(-1) ?? '', 1, { what: 'taken' }))).to.equal(
        'not-found error.notFound',
      );
    });

    it('from the queue to a close with its outcome, and again; each step stands there', async () => {
      const { report, path } = await made();
      const queue = await mo.get('/admin/reports');
      expect(queue.text)
        .to.contain(path)
        .and.contain('One report'.replace('One', '1'))
        .and.contain('Advertising or spam');
      expect(queue.text).to.match(/reports <span class="tabs-count">1</i);
      const page = await mo.get(path);
      expect(page.text)
        .to.contain('Achetez &lt;b&gt;nos&lt;/b&gt; montres')
        .and.contain('Look &lt;i&gt;here&lt;/i&gt;');
      expect((await mo.post(`${path}/take`, { version: '1' }, path)).location).to.equal(path);
      expect((await mo.get('/admin/reports')).text).to.contain('looked after by Mo');
      expect((await mo.post(`${path}/note`, { text: 'Wrote to <them>' }, path)).location).to.equal(path);
      const noted = await mo.get(path);
      expect(noted.text).to.contain('Wrote to &lt;them&gt;').and.contain('Taken in charge');
      expect((await mo.post(`${path}/close`, { version: await version(report._id) }, path)).text).to.contain(
        'Choose an outcome.',
      );
      const close = { version: await version(report._id), outcome: 'handled', closing: 'Settled' };
      expect((await mo.post(`${path}/close`, close, path)).location).to.equal('/admin/reports');
      expect((await mo.get('/admin/reports')).text).to.contain('Nothing is waiting');
      expect((await mo.get('/admin/reports?status=closed')).text)
        .to.contain(path)
        .and.contain('Handled');
      expect((await mo.get(path)).text)
        .to.contain('Settled')
        .and.contain('Open again');
      await mo.post(`${path}/reopen`, { version: await version(report._id) }, path);
      await mo.post(`${path}/release`, { version: await version(report._id) }, path);
      const stored = await reportsIn(app.house.store).findOne({ _id: report._id });
      expect(stored).to.include({ status: 'open', assignedTo: null, outcome: null, closedAt: null });
      expect(stored?.steps.map(({ what }) => what)).to.deep.equal(['taken', 'noted', 'closed', 'reopened', 'released']);
    });

    it('by one of two who press at the same time; the other is told, and no note is lost', async () => {
      const { report, path } = await made();
      const other = await buildPerson(app.house, { displayName: 'Nor', instanceRole: 'administrator' });
      const actors = await Promise.all([moderator, other].map((one) => actorFor(app.house, one)));
      const answers = await Promise.all(
        actors.map((actor) =>
          refusalOf(stepReport(contextFor(app.house, actor), report._id, 1, { what: 'taken' })).catch(() => 'done'),
        ),
      );
      expect(answers.sort()).to.deep.equal(['conflict moderation.error.changedMeanwhile', 'done']);
      await Promise.all(['a', 'b', 'c'].map((text) => mo.post(`${path}/note`, { text }, path)));
      const stored = await reportsIn(app.house.store).findOne({ _id: report._id });
      expect(stored?.steps.map(({ what }) => what)).to.deep.equal(['taken', 'noted', 'noted', 'noted']);
      const late = await mo.post(`${path}/close`, { version: '2', outcome: 'nothing', closing: 'My words' }, path);
      expect(late.status).to.equal(422);
      expect(late.text).to.contain('has changed meanwhile').and.contain('My words');
    });

    it('by deleting a reported post, and no other', async () => {
      const { report, path } = await made();
      const ctx = contextFor(app.house, systemActor);
      const innocent = await publishPost(ctx, hoster._id, { fr: 'Bonjour', en: '' });
      const wrong = await mo.post(`${path}/remove-post`, { version: '1', post: innocent._id }, path);
      expect(wrong.status).to.equal(422);
      expect((await findPost(app.house.store, innocent._id))?.deletedAt).to.equal(null);
      const done = await mo.post(`${path}/remove-post`, { version: '1', post: post._id }, path);
      expect(done.location).to.equal(path);
      const gone = await findPost(app.house.store, post._id);
      expect(gone?.deletedAt).not.to.equal(null);
      expect(gone?.events?.at(-1)?.type).to.equal('post.deleted');
      const page = await mo.get(path);
      expect(page.text)
        .to.contain('It can no longer be read here')
        .and.contain('Post deleted')
        .and.not.contain('montres');
      expect(await version(report._id)).to.equal('2');
    });
  });

  describe('are forgotten', () => {
    it('180 days after they were closed; an open one stays', async () => {
      await send(ray, '/@ecluse');
      await send(ray, '/@ecluse');
      const [one] = await all();
      const actor = await actorFor(app.house, moderator);
      const close = { what: 'closed', outcome: 'nothing', text: '' } as const;
      await stepReport(contextFor(app.house, actor), one?._id ?? '', 1, close);
      const later = (days: number) => ({
        ...contextFor(app.house, systemActor),
        now: new Date(app.house.now().getTime() + days * 24 * 3_600_000),
      });
      expect(await pruneReports(later(179))).to.equal(0);
      expect(await pruneReports(later(181))).to.equal(1);
      expect((await all()).map(({ status }) => status)).to.deep.equal(['open']);
    });

    it('as to who made them, when that person goes; until then they stand in the own data', async () => {
      const ctx = contextFor(app.house, systemActor);
      const leaving = await buildPerson(app.house, { username: 'leaving' });
      await addMember(ctx, hoster._id, { personId: leaving._id, role: 'member' });
      const client = app.client();
      await signIn(client, leaving);
      await send(client, '/@ecluse', { comment: 'Mine' });
      await send(app.client(), '/@ecluse', { contact: leaving.email });
      const data = await collectOwnData(ctx, leaving);
      expect(JSON.stringify(data.reports)).to.contain('Mine');
      await forgetReporter(ctx, leaving);
      for (const report of await all()) expect(report).to.include({ personId: null, contact: null });
    });

    it('of a server keep its name only', async () => {
      const ctx = contextFor(app.house, systemActor);
      const { baseUrl } = app.house.site;
      await receiveReport(ctx, {
        ...{ host: 'other.example', objects: [`${baseUrl}/actors/ecluse`, `${baseUrl}/objects/x`], comment: '' },
        ...{ activityIri: 'https://other.example/flags/1', raw: Buffer.from('{}') },
      });
      const [report] = await all();
      const page = await mo.get(`/admin/reports/${report?._id}`);
      expect(page.text).to.contain('other.example').and.contain('No comment.').and.contain('No reason given');
      expect(page.text).to.contain(`href="/objects/x"`);
    });
  });
});
