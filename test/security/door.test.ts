// The door as a whole: where it sends people, under which name, what a link opens, and how soon a right ends.
import { expect } from 'chai';
import { deliverDue, deliveriesIn } from '../../federation/delivery.js';
import { changeRole, removeMember } from '../../server/collectives/actions.js';
import { withLink } from '../../server/notices/links.js';
import { mailsIn } from '../../server/notices/queries.js';
import { followsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { changeInstanceRole, disablePerson } from '../../server/people/actions/access.js';
import { invitePerson, revokeInvitation } from '../../server/people/actions/invitations.js';
import { startReset } from '../../server/people/actions/passwordChange.js';
import { updateProfile } from '../../server/people/actions/profile.js';
import { signLink } from '../../server/secrets.js';
import { buildPerson, contextFor, forgetLimits, signIn, systemActor, testPassword } from '../support/appSupport.js';
import { nothingStored } from '../support/oracles.js';
import { copyOf, raw } from './requests.js';
import { missingId, startTwinHouse, type TwinHouse } from './tenants.js';

describe('the door', function () {
  this.timeout(60_000);
  let app: TwinHouse;

  before(async () => {
    app = await startTwinHouse();
  });

  const elsewhere = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https:evil.example',
    'https://evil.example/',
    'http://127.0.0.1.evil.example/',
    '%2f%2fevil.example',
    '/%2f%2fevil.example/..',
    '/..//evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/@evil.example',
    '.evil.example',
    '@evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/x\r\nLocation: https://evil.example',
    '/\u0000/evil.example',
    '/ /evil.example',
    '/\u2028/evil.example',
    '／／evil.example',
    '/?next=//evil.example',
    '/#//evil.example',
  ];

  /** Where a browser would be after following it. */
  const landing = (location: string | null) => new URL(location ?? '', `${app.url}/sign-in`).origin;

  it('never sends anybody to another site, whatever next and back say', async () => {
    for (const next of elsewhere) {
      const client = app.client();
      const answer = await client.post(
        '/sign-in',
        { login: app.people.plain.username, password: testPassword, next },
        `/sign-in?next=${encodeURIComponent(next)}`,
      );
      expect(answer.status, next).to.be.oneOf([303, 422]);
      if (answer.location) expect(landing(answer.location), next).to.equal(app.url);
      const signedIn = await copyOf(app, app.clients.plain).get(`/sign-in?next=${encodeURIComponent(next)}`);
      if (signedIn.location) expect(landing(signedIn.location), next).to.equal(app.url);
      const query = `to=en&back=${encodeURIComponent(next)}`;
      const language = await app.client().get(`/language?${query}`);
      expect(landing(language.location), next).to.equal(app.url);
      const posted = await copyOf(app, app.clients.plain).post('/language', { to: 'en', back: next }, '/me');
      expect(landing(posted.location), next).to.equal(app.url);
      expect([...language.headers.keys()].join()).not.to.include('evil');
      await forgetLimits(app.house);
    }
  });

  it('never sends anybody to another site by the address itself', async () => {
    const paths = [
      '//evil.example',
      '//evil.example/me',
      '/\\evil.example',
      '/me//evil.example',
      '/%2f%2fevil.example',
      '/@alpha/..//evil.example',
      'http://evil.example/me',
      '/me?x=//evil.example',
      '/services/..%2f..%2f%2fevil.example',
    ];
    for (const path of paths) {
      for (const accept of ['text/html', 'application/activity+json']) {
        const answer = await raw(app, 'GET', path, { accept });
        expect(answer.status, path).to.be.lessThan(500);
        if (answer.headers.location) expect(landing(answer.headers.location), path).to.equal(app.url);
        expect(answer.text, path).not.to.match(/(?:href|action|src|content)="(?:https?:)?\/\/evil/);
      }
    }
  });

  it('makes no address for a name that somebody else chose: not in mails, not in pages', async () => {
    const { host } = new URL(app.url);
    const forwarded = {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      'x-forwarded-proto': 'https',
      'x-original-url': '/admin',
      'x-rewrite-url': '/admin',
    };
    const client = app.client();
    const csrf = (await client.csrf('/forgot')) ?? '';
    const fields = { _csrf: csrf, email: app.people.plain.email };
    expect((await client.postRaw('/forgot', fields, forwarded)).status).to.equal(200);
    await app.drain();
    const mail = await mailsIn(app.house.store).findOne({ to: app.people.plain.email, kind: 'reset' });
    if (!mail) throw new Error('no mail');
    const { text, html } = withLink(app.house, mail);
    expect(text).to.include(`${app.url}/reset/`);
    expect(text + html).not.to.include('evil');
    for (const path of [
      '/',
      '/@alpha',
      '/changes.atom',
      '/catalogue.json',
      '/.well-known/chatonsinfos/alpha.properties',
      '/actors/alpha',
      '/.well-known/host-meta',
      '/no-such-page',
    ]) {
      const answer = await raw(app, 'GET', path, { host, ...forwarded, accept: 'text/html' });
      expect(answer.text, path).not.to.include('evil');
      expect(JSON.stringify(answer.headers), path).not.to.include('evil');
    }
    const other = await nothingStored(app.house.store, () =>
      raw(app, 'POST', '/forgot', { host: 'evil.example' }, 'email=x'),
    );
    expect(other.status).to.equal(421);
  });

  it('opens with a link only what the link is for, once, and to nobody else', async () => {
    const { house } = app;
    const ctx = contextFor(house, systemActor);
    const person = await buildPerson(house, { username: 'linked' });
    const reset = await startReset(ctx, person._id);
    const invitation = await invitePerson(ctx, {
      email: 'one@example.org',
      instanceRole: 'administrator',
      collective: null,
      language: 'fr',
    });
    const link = (purpose: string, id: string) => signLink(house.secret, purpose, id);
    const purposes = ['setup', 'invitation', 'reset', 'email-change'];
    const pages: Record<string, string> = {
      setup: 'setup',
      invitation: 'invitations',
      reset: 'reset',
      'email-change': 'email-changes',
    };
    for (const page of purposes) {
      for (const made of [...purposes, 'device', 'session']) {
        for (const id of [reset._id, invitation._id, person._id, missingId]) {
          const isRight =
            (page === 'reset' && made === 'reset' && id === reset._id) ||
            (page === 'invitation' && made === page && id === invitation._id);
          const path = `/${pages[page]}/${link(made, id)}`;
          const answer = await app.client().get(path);
          expect(answer.status, `${page} with a link for ${made}`).to.equal(isRight ? 200 : 410);
        }
      }
    }
    const path = `/reset/${link('reset', reset._id)}`;
    const clients = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = app.client();
        return { client, csrf: (await client.csrf(path)) ?? '' };
      }),
    );
    const answers = await Promise.all(
      clients.map(({ client, csrf }, n) => client.postRaw(path, { _csrf: csrf, password: `a new password ${n}` })),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([303, ...Array.from({ length: 11 }, () => 410)]);
    expect((await app.client().get(path)).status).to.equal(410);

    const invited = `/invitations/${link('invitation', invitation._id)}`;
    const member = copyOf(app, app.clients.plain);
    expect((await member.post(`${invited}/join`, {}, '/me')).status).to.equal(403);
    await revokeInvitation(ctx, invitation._id);
    expect((await app.client().get(invited)).status).to.equal(410);
  });

  it('ends a right with the next request: role, membership, account, in every session', async () => {
    const { house, alpha, people } = app;
    const ctx = contextFor(house, systemActor);
    const base = `/my/collectives/${alpha.collective._id}`;
    const sameMember = app.client();
    await signIn(sameMember, people.memberA);
    for (const client of [app.clients.memberA, sameMember]) expect((await client.get(base)).status).to.equal(200);
    const csrf = (await app.clients.memberA.csrf(`${base}/posts/new`)) ?? '';
    await removeMember(ctx, alpha.collective._id, people.memberA._id);
    for (const client of [app.clients.memberA, sameMember]) expect((await client.get(base)).status).to.equal(404);
    const post = { _csrf: csrf, 'text.fr': 'encore', 'text.en': '', step: 'publish', version: '0' };
    const late = await nothingStored(house.store, () => app.clients.memberA.postRaw(`${base}/posts/new`, post));
    expect(late.status).to.equal(404);

    const second = await buildPerson(house, { username: 'second' });
    const { addMember } = await import('../../server/collectives/actions.js');
    await addMember(ctx, alpha.collective._id, { personId: second._id, role: 'representative' });
    expect((await app.clients.representativeA.get(`${base}/settings`)).status).to.equal(200);
    await changeRole(ctx, alpha.collective._id, { personId: people.representativeA._id, role: 'member' });
    expect((await app.clients.representativeA.get(`${base}/settings`)).status).to.equal(403);

    expect((await app.clients.moderator.get('/admin')).status).to.equal(200);
    await changeInstanceRole(ctx, people.moderator._id, null);
    expect((await app.clients.moderator.get('/admin')).status).to.equal(404);

    await disablePerson(ctx, people.plain._id);
    expect((await app.clients.plain.get('/me')).location).to.match(/^\/sign-in/);
    const refused = await app.client().post('/sign-in', { login: people.plain.username, password: testPassword });
    expect(refused.status).to.equal(422);
    const stolen = await startResetOf(people.plain._id);
    expect(stolen).to.equal('closed');
  });

  it('sends nothing more of what an account had said before it was closed, only what takes it back (AP-133)', async () => {
    const { house, federation } = app;
    const ctx = contextFor(house, systemActor);
    const person = await buildPerson(house, { username: 'silenced' });
    const profile = { bio: { fr: '', en: '' }, publicProfile: true, handle: 'silenced' };
    await updateProfile(ctx, person._id, { ...profile, displayName: 'Before' });
    const [follower, followed] = ['https://far.example/users/fan', `${app.url}/actors/silenced`];
    await followsIn(house.store).insertOne({
      ...{ _id: followKey(follower, followed), follower, followed, ownerKind: 'person', ownerId: person._id },
      ...{ followIri: `${follower}/follow`, state: 'accepted', deliverTo: `${follower}/inbox` },
      ...{ requestedAt: house.now(), decidedAt: house.now() },
    });
    await app.drain();
    await deliveriesIn(federation).deleteMany({});
    const sent: string[] = [];
    const { post } = federation.fetch;
    federation.fetch.post = async (_url, body) => {
      sent.push((JSON.parse(Buffer.from(body).toString()) as { type: string }).type);
      return { status: 202, retryAfter: null };
    };
    const { handle: _handle, ...again } = profile;
    await updateProfile(ctx, person._id, { ...again, displayName: 'Slander' });
    await app.drain();
    await disablePerson(ctx, person._id);
    await deliverDue(federation);
    expect(sent).to.deep.equal([]);
    const [held] = await deliveriesIn(federation).find({}).toArray();
    expect(held?.state).to.equal('failed');
    expect(held?.lastError).to.equal('no longer public: silenced');
    await app.drain();
    await deliverDue(federation);
    expect(sent).to.deep.equal(['Delete']);
    federation.fetch.post = post;
  });

  async function startResetOf(personId: string): Promise<string> {
    const refusal = await startReset(contextFor(app.house, systemActor), personId).catch(
      (error: { code: string }) => error.code,
    );
    return typeof refusal === 'string' ? refusal : 'started';
  }

  it('does not leave a way back to who was put out: invitations of theirs open nothing more', async () => {
    const { house, beta } = app;
    const ctx = contextFor(house, systemActor);
    const { addMember } = await import('../../server/collectives/actions.js');
    const rogue = await buildPerson(house, { username: 'rogue' });
    await addMember(ctx, beta.collective._id, { personId: rogue._id, role: 'representative' });
    const client = app.client();
    await signIn(client, rogue);
    const members = `/my/collectives/${beta.collective._id}/members`;
    expect(
      (await client.post(`${members}/invite`, { email: 'rogue2@example.org', role: 'representative' }, members)).status,
    ).to.equal(303);
    const invitation = await house.store
      .collection<{ _id: string; email: string }>('invitations')
      .findOne({ email: 'rogue2@example.org' });
    const path = `/invitations/${signLink(house.secret, 'invitation', invitation?._id ?? '')}`;
    expect((await app.client().get(path)).status).to.equal(200);
    await removeMember(ctx, beta.collective._id, rogue._id);
    expect((await app.client().get(path)).status).to.equal(410);
    const guest = app.client();
    const csrf = (await guest.csrf('/sign-in')) ?? '';
    const account = { username: 'rogue2', displayName: 'Rogue', password: 'a password long enough' };
    expect((await guest.postRaw(path, { _csrf: csrf, ...account })).status).to.equal(410);
  });

  it('tells of no account by the page that asks for a new password, nor by what is stored or mailed at once', async () => {
    const { house } = app;
    await forgetLimits(house);
    const known = await app.client().post('/forgot', { email: app.people.administrator.email });
    const unknown = await app.client().post('/forgot', { email: 'nobody-at-all@example.org' });
    const strip = (text: string) => text.replace(/value="[^"]*"/g, '');
    expect(unknown.status).to.equal(known.status);
    expect(strip(unknown.text)).to.equal(strip(known.text));
    expect([...unknown.headers.keys()].sort()).to.deep.equal([...known.headers.keys()].sort());
  });
});
