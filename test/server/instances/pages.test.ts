import { expect } from 'chai';
import { pending } from '../../../server/events.js';
import type { JobPlan } from '../../../server/house.js';
import type { FailedEvent, JobRun } from '../../../server/instances/schema.js';
import { readSettings } from '../../../server/instances/settings.js';
import type { Doc } from '../../../server/store/store.js';
import { buildPerson, type Client, signIn } from '../../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../../support/wholeApp.js';

describe('the pages of the administration', () => {
  let app: WholeApp;
  let asked: string[];
  const plans: JobPlan[] = [
    { name: 'prune', cron: '0 40 3 * * *', nextAt: new Date('2026-05-22T01:40:00Z'), isRunning: false },
    { name: 'drainEvents', cron: '*/10 * * * * *', nextAt: null, isRunning: true },
  ];

  beforeEach(async () => {
    asked = [];
    const runNow = async (name: string) => asked.push(name) > 0 && name === 'prune';
    app = await startWholeApp({ engine: { jobs: { list: () => plans, runNow } } });
  });

  async function enter(
    instanceRole: 'administrator' | 'moderator' | null,
    language: 'fr' | 'en' = 'en',
  ): Promise<Client> {
    const client = app.client({ language });
    await signIn(client, await buildPerson(app.house, { instanceRole, password: 'un mot de passe assez long' }));
    return client;
  }

  it('do not exist for those who do not administer, and ask strangers to sign in', async () => {
    const someone = await enter(null);
    const moderator = await enter('moderator');
    for (const path of ['/admin/settings', '/admin/jobs', '/admin/deliveries']) {
      expect((await app.client().get(path)).location, path).to.equal(`/sign-in?next=${encodeURIComponent(path)}`);
      expect((await someone.get(path)).status, path).to.equal(404);
      expect((await moderator.get(path)).status, path).to.equal(404);
    }
    expect((await someone.get('/admin')).status).to.equal(404);
    const overview = await moderator.get('/admin');
    expect(overview.status).to.equal(200);
    expect(overview.text).not.to.include('/admin/settings');
  });

  it('say what needs attention: no mail, an address of this machine, jobs that fail, events put aside', async () => {
    await app.house.store.collection<JobRun>('jobRuns').insertOne({
      _id: 'prune',
      slot: app.house.now(),
      fence: 1,
      startedAt: app.house.now(),
      finishedAt: app.house.now(),
      durationMs: 1234,
      result: null,
      error: 'no space left on <device>',
      failuresInRow: 3,
      wanted: false,
    });
    await park();
    const client = await enter('administrator');
    const { text } = await client.get('/admin');
    for (const words of [
      'Sending mail is not set up',
      'nobody can reach it from elsewhere',
      'One job fails again and again',
      'One event could not be handed on',
    ]) {
      expect(text).to.include(words);
    }
    const jobs = await client.get('/admin/jobs');
    expect(jobs.text).to.include('no space left on &lt;device&gt;');
    expect(jobs.text).to.include('1,234 milliseconds');
    expect(jobs.text).to.include('post.published');
  });

  it('warn when there was no backup for two days', async () => {
    const client = await enter('administrator');
    expect((await client.get('/admin')).text).not.to.include('No backup for more than two days');
    app.house.pass(50 * 3_600_000);
    expect((await client.get('/admin')).text).to.include('No backup for more than two days');
  });

  it('change name, texts and words of the instance', async () => {
    const client = await enter('administrator', 'fr');
    const fields = {
      name: 'ROSEAU',
      'tagline.fr': 'Des services proches',
      'tagline.en': '',
      'description.fr': 'Qui nous sommes',
      'description.en': 'Who we are',
      contactEmail: 'bonjour@roseau.example',
      timeZone: 'Europe/Brussels',
      'words.hoster.fr': 'tige',
      'words.hoster.en': 'stem',
      'words.hosters.fr': 'tiges',
      'words.hosters.en': 'stems',
      'words.round.fr': '',
      'words.round.en': '',
      'words.rounds.fr': '',
      'words.rounds.en': '',
    };
    expect((await client.post('/admin/settings', fields)).location).to.equal('/admin/settings');
    expect(await readSettings(app.house.store)).to.deep.include({
      name: 'ROSEAU',
      timeZone: 'Europe/Brussels',
      contactEmail: 'bonjour@roseau.example',
      tagline: { fr: 'Des services proches', en: '' },
    });
    expect((await client.get('/')).text).to.include('Tiges');
  });

  it('show the settings again as they were typed, with what is wrong', async () => {
    const client = await enter('administrator');
    const answer = await client.post('/admin/settings', {
      name: '',
      timeZone: 'Mars/Olympus',
      contactEmail: 'no address',
      'tagline.fr': 'kept',
    });
    expect(answer.status).to.equal(422);
    expect(answer.text).to.include('value="kept"');
    expect(answer.text).to.include('value="no address"');
    expect((await readSettings(app.house.store)).name).to.equal('Chatière');
  });

  it('run a job when asked, and say when it is running already', async () => {
    const client = await enter('administrator');
    expect((await client.post('/admin/jobs/prune/run', {}, '/admin/jobs')).location).to.equal('/admin/jobs');
    expect((await client.get('/admin/jobs')).text).to.include('The job has begun');
    await client.post('/admin/jobs/drainEvents/run', {}, '/admin/jobs');
    expect((await client.get('/admin/jobs')).text).to.include('running already');
    expect(asked).to.deep.equal(['prune', 'drainEvents']);
  });

  it('let an event go again, back into its document', async () => {
    const event = await park();
    await app.house.store.collection<Doc>('posts').insertOne({ _id: 'p1' });
    const client = await enter('administrator');
    await client.post(`/admin/jobs/events/${event.eventId}/retry`, {}, '/admin/jobs');
    const post = await app.house.store.collection<Doc & { events: unknown[] }>('posts').findOne({ _id: 'p1' });
    expect(post?.events).to.deep.equal([event]);
    expect(await app.house.store.collection('failedEvents').countDocuments()).to.equal(0);
  });

  it('say so when what an event is about is gone, and let it be given up', async () => {
    const event = await park();
    const client = await enter('administrator');
    const refused = await client.post(`/admin/jobs/events/${event.eventId}/retry`, {}, '/admin/jobs');
    expect(refused.status).to.equal(410);
    await client.post(`/admin/jobs/events/${event.eventId}/drop`, {}, '/admin/jobs');
    expect(await app.house.store.collection('failedEvents').countDocuments()).to.equal(0);
    expect((await client.post(`/admin/jobs/events/${event.eventId}/drop`, {}, '/admin/jobs')).status).to.equal(404);
  });

  async function park() {
    const event = pending({ type: 'post.published', postId: 'p1' }, app.house.now());
    await app.house.store.collection<FailedEvent>('failedEvents').insertOne({
      _id: event.eventId,
      collection: 'posts',
      docId: 'p1',
      type: event.type,
      attempts: 12,
      nextAt: app.house.now(),
      lastError: 'outbox: no such post',
      parkedAt: app.house.now(),
      event,
    });
    return event;
  }
});
