// Secrets do their work and are seen nowhere else: not in logs at their most talkative, not in errors, figures, pages of
// others, exports, nor in the store that a backup would carry away.
import { expect } from 'chai';
import { deliverDue } from '../../federation/delivery.js';
import { createLog, withoutSecrets } from '../../server/log.js';
import { noticeEvent } from '../../server/notices/actions/noticeEvent.js';
import { sendDueMails } from '../../server/notices/actions/sendDueMails.js';
import { openTransport } from '../../server/notices/actions/transport.js';
import { invitePerson } from '../../server/people/actions/invitations.js';
import { startReset } from '../../server/people/actions/passwordChange.js';
import { openSetup } from '../../server/people/actions/setup.js';
import { signLink } from '../../server/secrets.js';
import type { Doc } from '../../server/store/store.js';
import { startSmtpSink } from '../server/notices/smtpSink.js';
import { buildPerson, contextFor, systemActor } from '../support/appSupport.js';
import { everythingStored } from '../support/oracles.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { raw } from './requests.js';

const sessionSecret = 'zqxsessionsecretzqxsessionsecretzqxsessionsecret';
const metricsToken = 'zqxmetricstokenzqxmetrics';
const smtpPassword = 'zqxsmtppassword';
const passwords = {
  first: 'zqx first password',
  wrong: 'zqx wrong password',
  second: 'zqx second password',
  third: 'zqx third password',
  guest: 'zqx guest password',
};

describe('secrets', function () {
  this.timeout(60_000);
  let app: WholeApp;
  let logged = '';
  const secrets = new Map<string, string>();
  const answers: { path: string; role: string; text: string }[] = [];

  before(async () => {
    const log = createLog('trace', {
      write: (line) => {
        logged += line;
      },
    });
    app = await startWholeApp({ house: { log, secret: sessionSecret }, metricsToken });
    for (const [name, password] of Object.entries(passwords)) secrets.set(`password ${name}`, password);
    secrets.set('session secret', sessionSecret);
    secrets.set('metrics token', metricsToken);
    secrets.set('SMTP password', smtpPassword);
    await story();
    const keys = await app.house.store.collection<Doc & Record<string, string>>('actorKeys').find({}).toArray();
    expect(keys.length).to.be.greaterThan(0);
    for (const key of keys) {
      for (const name of ['rsaPrivate', 'ed25519Private']) {
        const body = (key[name] ?? '').split('\n').slice(1, -2).join('').slice(4, 60);
        expect(body.length).to.be.greaterThan(20);
        secrets.set(`${name} of ${key._id}`, body);
      }
    }
  });

  const linkOf = (purpose: string, id: string) => {
    const token = signLink(sessionSecret, purpose, id);
    // Without its last sign: 64 guesses are none.
    secrets.set(`link ${purpose} ${id}`, token.slice(token.lastIndexOf('.') + 1, -1));
    return token;
  };

  function watch(client: ReturnType<WholeApp['client']>, role: string) {
    const note = () => {
      for (const [name, value] of client.cookies) {
        if (name !== 'lang') secrets.set(`cookie ${name} of ${role} ${value.slice(0, 12)}`, decodeURIComponent(value));
      }
    };
    return {
      client,
      async get(path: string, headers: Record<string, string> = {}) {
        const answer = await client.get(path, headers);
        answers.push({ path, role, text: answer.text });
        note();
        const csrf = /name="_csrf" value="([^"]+)"/.exec(answer.text)?.[1];
        if (csrf) secrets.set(`token of ${role} ${csrf.slice(0, 8)}`, csrf);
        return answer;
      },
      async post(path: string, fields: Record<string, string> = {}, from = path) {
        const answer = await client.post(path, fields, from);
        answers.push({ path, role, text: answer.text });
        note();
        return answer;
      },
    };
  }

  /** All that people do with secrets, well and badly. */
  async function story(): Promise<void> {
    const { house } = app;
    const setup = new URL((await openSetup(house)) ?? '').pathname;
    secrets.set('set-up link', setup.slice(setup.lastIndexOf('.') + 1));
    const admin = watch(app.client(), 'administrator');
    await admin.get(setup);
    const account = { username: 'camille', displayName: 'Camille', email: 'camille@example.org', language: 'fr' };
    await admin.post(setup, { ...account, password: 'short', instanceName: '', collectiveName: '' });
    const done = await admin.post(setup, {
      ...account,
      password: passwords.first,
      instanceName: 'X',
      collectiveName: 'Pads',
    });
    expect(done.status).to.equal(303);
    await admin.get(setup);
    await admin.get('/me');
    const collective = await house.store.collection('collectives').findOne({});
    await admin.post(`/my/collectives/${collective?._id}/publish`, {}, '/me');

    const wrong = watch(app.client(), 'visitor');
    await wrong.post('/sign-in', { login: 'camille', password: passwords.wrong });
    await wrong.post('/sign-in', { login: 'zqx typed in the wrong field', password: passwords.first });
    await wrong.get(`/sign-in?password=${encodeURIComponent(passwords.first)}`);
    await admin.post('/me/security/password', { current: passwords.wrong, password: passwords.second }, '/me/security');
    await admin.post('/me/security/password', { current: passwords.first, password: passwords.second }, '/me/security');
    await admin.post('/me/security/email', { proof: passwords.second, email: 'new@example.org' }, '/me/security');
    await admin.post('/me/data', { current: passwords.second });

    const person = await house.store.collection('people').findOne({});
    const reset = await startReset(contextFor(house, systemActor), person?._id ?? '');
    const resetPath = `/reset/${linkOf('reset', reset._id)}`;
    await wrong.get(resetPath);
    await wrong.post(resetPath, { password: 'short' });
    await wrong.post(resetPath, { password: passwords.third });
    await wrong.get(resetPath);
    for (const mangled of [`${resetPath}x`, resetPath.slice(0, -1), resetPath.replace('.', '%2E')])
      await wrong.get(mangled);
    await wrong.post('/forgot', { email: 'camille@example.org' });
    const invitation = await invitePerson(contextFor(house, systemActor), {
      email: 'guest@example.org',
      instanceRole: null,
      collective: null,
      language: 'fr',
    });
    const invitationPath = `/invitations/${linkOf('invitation', invitation._id)}`;
    const guest = watch(app.client(), 'guest');
    await guest.get(invitationPath);
    await guest.post(invitationPath, { username: 'guest', displayName: 'Guest', password: passwords.guest });
    await guest.get('/me');
    const change = await house.store.collection('emailChanges').findOne({});
    const changePath = `/email-changes/${linkOf('email-change', change?._id ?? '')}`;
    await admin.get(changePath);
    await admin.post(changePath);

    await letMailsFail();
    const again = watch(app.client(), 'administrator');
    await again.post('/sign-in', { login: 'camille', password: passwords.third });
    for (const path of [
      '/admin',
      '/admin/people',
      '/admin/mails',
      '/admin/jobs',
      '/admin/deliveries',
      '/admin/settings',
      '/me/sessions',
    ]) {
      await again.get(path);
    }
    for (const { _id } of await house.store.collection('mails').find({}).toArray())
      await again.get(`/admin/mails/${_id}`);
    for (const { _id } of await house.store.collection('people').find({}).toArray())
      await again.get(`/admin/people/${_id}`);
    await again.post('/me/data', { current: passwords.third });
    await wire();
    await again.post('/sign-out', {}, '/me');
  }

  async function letMailsFail(): Promise<void> {
    const { house } = app;
    for (const name of ['people', 'invitations', 'resets', 'emailChanges']) {
      for (const doc of await house.store.collection<Doc & { events?: never[] }>(name).find({}).toArray()) {
        for (const event of doc.events ?? []) await noticeEvent({ house }, event);
      }
    }
    const refusing = await startSmtpSink();
    refusing.refuseWith = '550 5.1.1 no such user';
    const transports = [
      `smtp://user:${smtpPassword}@127.0.0.1:1/`,
      refusing.url.replace('smtp://', `smtp://user:${smtpPassword}@`),
    ];
    for (const url of transports) {
      const transport = await openTransport(url, 'chatiere@example.org');
      await sendDueMails(house, transport);
      transport.close();
      app.house.pass(3_600_000);
    }
    await refusing.close();
  }

  /** What servers and machines ask, with secrets where they do not belong. */
  async function wire(): Promise<void> {
    const asked: [string, string, Record<string, string>, string?][] = [
      ['GET', '/metrics', { authorization: 'Bearer wrong' }],
      ['GET', '/metrics', { authorization: `Bearer ${metricsToken}` }],
      ['GET', `/no-such-page?token=${metricsToken}`, {}],
      ['GET', '/%E0%A4%A', { authorization: `Bearer ${metricsToken}` }],
      ['GET', '/actors/instance', {}],
      ['GET', '/actors/pads', {}],
      ['GET', '/actors/pads/outbox?page=true', {}],
      ['GET', '/nodeinfo/2.1', {}],
      [
        'POST',
        '/inbox',
        { 'content-type': 'application/activity+json', authorization: `Bearer ${metricsToken}` },
        '{}',
      ],
    ];
    for (const [method, path, headers, body] of asked) {
      const answer = await raw(app, method, path, headers, body);
      answers.push({ path, role: 'wire', text: `${JSON.stringify(answer.headers)}\n${answer.text}` });
    }
    await deliverDue(app.federation);
    // Something of ours breaks in the middle of a request that carries secrets.
    const broken = await buildPerson(app.house, { username: 'broken', password: passwords.guest });
    await app.house.store
      .collection('people')
      .updateOne({ _id: broken._id }, { $set: { sessionEpoch: 'x' as never, credentials: null as never } });
    const client = watch(app.client(), 'broken');
    const answer = await client.post('/sign-in', { login: 'broken', password: passwords.guest });
    expect(answer.status).to.equal(500);
  }

  it('are in the story: each was used', () => {
    expect(secrets.size).to.be.greaterThan(18);
    expect(answers.length).to.be.greaterThan(45);
    expect(logged).to.match(/"level":50.*a request failed/);
    expect(logged).to.include('/reset/');
    expect(logged).to.include('a mail was not sent');
  });

  it('stand in no line of the log, even at its most talkative', () => {
    const found = [...secrets].filter(
      ([, secret]) => logged.includes(secret) || logged.includes(encodeURIComponent(secret)),
    );
    expect(found.map(([name]) => `${name}: ${lineWith(secrets.get(name) ?? '')}`)).to.deep.equal([]);
    expect(logged).not.to.match(/zqx(?!\w*\.example)/);
    expect(logged).not.to.match(/\$argon2id|BEGIN \w* ?PRIVATE/);
  });

  function lineWith(secret: string): string {
    return (logged.split('\n').find((line) => line.includes(secret)) ?? '').slice(0, 400);
  }

  it('stand in no answer, but a form’s own token and a link page’s own address', () => {
    const found = answers.flatMap(({ path, role, text }) =>
      [...secrets].flatMap(([name, secret]) => {
        if (!text.includes(secret)) return [];
        if (name.startsWith('token of') || path.includes(secret) || path.includes('%2E')) return [];
        return [`${name} at ${path} for ${role}`];
      }),
    );
    expect(found).to.deep.equal([]);
    for (const { path, text } of answers) expect(text, path).not.to.match(/\$argon2id|PRIVATE KEY/);
  });

  it('are shown to their owner’s session only: no form carries the token of another', () => {
    const tokens = [...secrets].filter(([name]) => name.startsWith('token of'));
    for (const [name, token] of tokens) {
      const roles = new Set(answers.filter(({ text }) => text.includes(token)).map(({ role }) => role));
      expect([...roles], name).to.have.length.at.most(1);
    }
  });

  it('are not in the store, which backups carry: no password, cookie or link that opens', async () => {
    const stored = await everythingStored(app.house.store, ['actorKeys']);
    const found = [...secrets].filter(([name, secret]) => !name.startsWith('token of') && stored.includes(secret));
    expect(found.map(([name]) => name)).to.deep.equal([]);
  });

  it('are looked for in time that grows with the line alone, since strangers write part of it', () => {
    for (const text of ['aa-', 'a+', 'a.', 'abcdef012345.', 'a://', 'Bearer ', '-----BEGIN PRIVATE KEY-----']) {
      const began = performance.now();
      withoutSecrets(text.repeat(Math.ceil(60_000 / text.length)));
      expect(performance.now() - began, text).to.be.lessThan(400);
    }
  });
});
