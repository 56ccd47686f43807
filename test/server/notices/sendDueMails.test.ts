import { expect } from 'chai';
import { pending } from '../../../server/events.js';
import type { Bounce } from '../../../server/formats/bounce.js';
import { receiveBounce } from '../../../server/notices/actions/bounces.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { queueMail, toPerson } from '../../../server/notices/actions/queue.js';
import { pruneMails, retryMail, sendDueMails } from '../../../server/notices/actions/sendDueMails.js';
import { type MailTransport, type OutgoingMail, openTransport } from '../../../server/notices/actions/transport.js';
import { stopAddress } from '../../../server/notices/links.js';
import { listNeeds } from '../../../server/notices/needs.js';
import { findMail, mailsIn } from '../../../server/notices/queries.js';
import { noticeRoutes } from '../../../server/notices/routes.js';
import { stateOfMail } from '../../../server/notices/rules.js';
import type { Mail } from '../../../server/notices/schema.js';
import { startReset } from '../../../server/people/actions/passwordChange.js';
import { getPerson } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
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
import { expectRefusal, linkTo } from '../people/peopleSupport.js';
import { type SmtpSink, startSmtpSink } from './smtpSink.js';

const minute = 60_000;
const day = 24 * 60 * minute;

/** A mail server that does what the test says. */
function transportThat(answer: (mail: OutgoingMail) => Promise<void> | void): MailTransport & { sent: OutgoingMail[] } {
  const sent: OutgoingMail[] = [];
  return {
    sent,
    send: async (mail) => {
      await answer(mail);
      sent.push(mail);
    },
    close: () => {},
  };
}

describe('mails on their way', () => {
  let house: TestHouse;
  let person: Person;

  beforeEach(async () => {
    house = await buildTestHouse();
    person = await buildPerson(house, { username: 'camille', displayName: 'Camille', password: null });
  });

  const ctx = () => contextFor(house, systemActor);

  async function queue(): Promise<string> {
    await noticeEvent(
      { house },
      pending({ type: 'person.securityChanged', personId: person._id, what: 'password' }, house.now()),
    );
    const all = await mailsIn(house.store)
      .find({}, { sort: { _id: -1 } })
      .toArray();
    return all[0]?._id ?? '';
  }

  it('are sent once, with the same Message-ID at every try', async () => {
    const id = await queue();
    let fails = true;
    const transport = transportThat((mail) => {
      expect(mail.id).to.equal(`<${id}@localhost>`);
      if (fails) throw new Error('421 try later');
    });
    expect(await sendDueMails(house, transport)).to.deep.equal({ sent: 0, failed: 1, kept: 0 });
    expect(await sendDueMails(house, transport)).to.deep.equal({ sent: 0, failed: 0, kept: 0 });
    fails = false;
    house.pass(minute);
    expect(await sendDueMails(house, transport)).to.deep.equal({ sent: 1, failed: 0, kept: 0 });
    house.pass(day);
    expect(await sendDueMails(house, transport)).to.deep.equal({ sent: 0, failed: 0, kept: 0 });
    expect(transport.sent).to.have.lengthOf(1);
  });

  it('are sent once after three days without a mail server', async () => {
    await queue();
    const down = transportThat(() => {
      throw new Error('connect ECONNREFUSED');
    });
    for (let hours = 0; hours < 72; hours += 1) {
      await sendDueMails(house, down);
      house.pass(60 * minute);
    }
    house.pass(day);
    const up = transportThat(() => {});
    for (let n = 0; n < 5; n += 1) await sendDueMails(house, up);
    expect(up.sent).to.have.lengthOf(1);
  });

  it('are given up after days, with the reason, and go again when the administrator says so', async () => {
    const id = await queue();
    const down = transportThat(() => {
      throw new Error('connect ECONNREFUSED');
    });
    for (let n = 0; n < 12; n += 1) {
      await sendDueMails(house, down);
      house.pass(day);
    }
    const mail = await findMail(house.store, id);
    expect(mail).to.include({ attempts: 11, nextAt: null, lastError: 'connect ECONNREFUSED' });
    expect(mail?.failedAt).not.to.equal(null);
    const moderator = contextFor(
      house,
      await actorFor(house, await buildPerson(house, { instanceRole: 'moderator', password: null })),
    );
    await expectRefusal(retryMail(moderator, id), 'not-allowed');
    await expectRefusal(retryMail(contextFor(house, null), id), 'not-allowed');
    await expectRefusal(retryMail(ctx(), 'unknown'), 'not-found');
    await retryMail(ctx(), id);
    await expectRefusal(retryMail(ctx(), id), 'closed');
    const up = transportThat(() => {});
    await sendDueMails(house, up);
    expect(up.sent).to.have.lengthOf(1);
    await expectRefusal(retryMail(ctx(), id), 'closed', 'notices.error.onItsWay');
  });

  it('are taken by one of two processes, and by another when the first died', async () => {
    for (let n = 0; n < 10; n += 1) await queue();
    const slow = transportThat(() => new Promise((resolve) => setTimeout(resolve, 5)));
    const runs = await Promise.all(Array.from({ length: 4 }, () => sendDueMails(house, slow)));
    expect(runs.reduce((sum, run) => sum + run.sent, 0)).to.equal(10);
    expect(new Set(slow.sent.map((mail) => mail.id)).size).to.equal(10);
    const id = await queue();
    await mailsIn(house.store).updateOne(
      { _id: id },
      { $set: { nextAt: new Date(house.now().getTime() + 10 * minute) }, $inc: { attempts: 1 } },
    );
    expect((await sendDueMails(house, slow)).sent).to.equal(0);
    house.pass(10 * minute);
    expect((await sendDueMails(house, slow)).sent).to.equal(1);
  });

  it('leave a mail server alone that fails three times in a row', async () => {
    for (let n = 0; n < 10; n += 1) await queue();
    let tries = 0;
    const down = transportThat(() => {
      tries += 1;
      throw new Error('connect ECONNREFUSED');
    });
    await sendDueMails(house, down);
    expect(tries).to.equal(3);
  });

  it('are never sent with a header that was tampered with', async () => {
    const id = await queue();
    await mailsIn(house.store).updateOne(
      { _id: id },
      { $set: { to: 'camille@example.org\r\nBcc: everybody@example.org' } },
    );
    const transport = transportThat(() => {});
    await sendDueMails(house, transport);
    expect(transport.sent).to.deep.equal([]);
    expect((await findMail(house.store, id))?.failedAt).not.to.equal(null);
  });

  it('go after thirty days', async () => {
    await queue();
    await sendDueMails(house, null);
    house.pass(30 * day);
    expect(await pruneMails(house.store, house.now())).to.equal(0);
    house.pass(1);
    expect(await pruneMails(house.store, house.now())).to.equal(1);
  });

  describe('through a mail server', () => {
    let sink: SmtpSink;
    let transport: MailTransport;

    beforeEach(async () => {
      sink = await startSmtpSink();
      transport = await openTransport(sink.url, 'Chatière <noreply@chatiere.example>');
    });

    afterEach(async () => {
      transport.close();
      await sink.close();
    });

    it('are text and HTML, to one person, from the address that is set, asking for no automatic answer', async () => {
      person = await buildPerson(house, {
        username: 'zoe',
        displayName: 'Zoé\r\nBcc: everybody@example.org',
        password: null,
      });
      const reset = await startReset(ctx(), person._id);
      await noticeEvent({ house }, pending({ type: 'person.resetRequested', resetId: reset._id }, house.now()));
      expect(await sendDueMails(house, transport)).to.deep.equal({ sent: 1, failed: 0, kept: 0 });
      const [mail] = sink.received;
      expect(mail?.recipients).to.deep.equal(['zoe@example.org']);
      const [head = '', ...body] = (mail?.raw ?? '').split('\r\n\r\n');
      const headers = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
      const names = headers.map((line) => line.split(':')[0]?.toLowerCase());
      expect(names).not.to.include('bcc').and.not.to.include('cc');
      expect(names.filter((name) => name === 'to')).to.have.lengthOf(1);
      expect(headers).to.include('Auto-Submitted: auto-generated').and.to.include('To: zoe@example.org');
      expect(head).to.match(/Content-Type: multipart\/alternative/);
      const decoded = body
        .join('\n')
        .replace(/=\r?\n/g, '')
        .replaceAll('=3D', '=');
      expect(decoded).to.contain(linkTo(house, 'reset', reset._id));
      expect(decoded).not.to.contain('%%LINK%%');
    });

    it('carry the one click that stops them, when one may do without them (RFC 8058)', async () => {
      const draft = toPerson(house, person, 'digest', { count: 1 }, { path: '/my' });
      await queueMail(house, 'test', { ...draft, lines: [{ text: 'Answer', href: 'http://localhost:3000/my' }] });
      await queue();
      await sendDueMails(house, transport);
      const heads = sink.received.map(({ raw }) => (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' '));
      const [digest = '', account = ''] = heads.sort((a) => (a.includes('List-Unsubscribe') ? -1 : 1));
      const address = stopAddress(house, { kind: 'digest', personId: person._id });
      expect(digest.replaceAll(' ', '')).to.contain(`List-Unsubscribe:<${address}>`);
      expect(digest).to.contain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
      expect(account).not.to.contain('List-Unsubscribe');
    });

    it('are given up at once when the recipient does not exist, and tried again when the server is busy', async () => {
      const gone = await queue();
      sink.refuseWith = '550 no such user';
      await sendDueMails(house, transport);
      expect(await findMail(house.store, gone)).to.include({ nextAt: null, attempts: 1 });
      const busy = await queue();
      sink.refuseWith = '451 greylisted';
      await sendDueMails(house, transport);
      expect((await findMail(house.store, busy))?.nextAt).to.deep.equal(new Date(house.now().getTime() + minute));
      sink.refuseWith = null;
      house.pass(minute);
      expect(await sendDueMails(house, transport)).to.deep.equal({ sent: 1, failed: 0, kept: 0 });
    });
  });

  it('wait for another day beyond thirty, and are given up where administrators see it; never a summary', async () => {
    const transport = transportThat(() => {});
    const params = { organiser: 'O', collective: 'C', who: 'collective', rule: 'collective', end: 'none', count: 1 };
    const write = (
      n: number,
      kind: 'surveyOpened' | 'surveyReminder' | 'digest' | 'passwordChanged' = 'surveyOpened',
    ) =>
      queueMail(
        house,
        `cause ${kind} ${n}`,
        toPerson(house, person, kind, { ...params, title: `Survey ${n}` }, { path: '/my' }),
      );
    const leaveToday = async () => (await sendDueMails(house, transport)).sent;
    for (let n = 0; n < 125; n += 1) expect(await write(n)).to.equal(true);
    expect(await write(0, 'surveyReminder'), 'tomorrow it would be too late').to.equal(false);
    await write(0, 'digest');
    await write(0, 'passwordChanged');
    expect(await leaveToday()).to.equal(32);
    const administrator = await buildPerson(house, { instanceRole: 'administrator' });
    expect((await listNeeds(ctx(), administrator, 'en')).map(({ what }) => what)).to.deep.equal([
      { key: 'notices.need.mails', params: { count: 5 } },
    ]);
    const app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
    const client = app.client({ language: 'en' });
    await signIn(client, administrator);
    expect((await client.get('/admin/mails')).text)
      .to.contain('>held<')
      .and.to.contain('given up');
    const held = await mailsIn(house.store).findOne({ heldUntil: { $gt: house.now() } });
    expect((await client.get(`/admin/mails/${held?._id}`)).text).to.contain('leaves later, by itself');
    const days: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      house.pass(day);
      days.push(await leaveToday());
    }
    expect(days).to.deep.equal([30, 30, 30, 0]);
    expect(new Set(transport.sent.map(({ id }) => id))).to.have.property('size', 122);
  });

  it('that come back days later mark the address as those refused at once; a full mailbox, a delay or a stranger does not', async () => {
    const transport = transportThat(() => {});
    const back = (messageId: string | null, more: Partial<Bounce> = {}) =>
      receiveBounce(ctx(), { action: 'failed', status: '5.1.1', reason: '5.1.1 no such user', messageId, ...more });
    const idOf = (mail: string) => `${mail}@localhost`;
    const problem = async () => (await getPerson(house.store, person._id)).addressProblem;
    const waiting = await queue();
    expect(await back(idOf(waiting)), 'not sent yet').to.equal('ignored');
    await sendDueMails(house, transport);
    expect(transport.sent[0]?.id).to.equal(`<${idOf(waiting)}>`);
    expect(await back(null)).to.equal('ignored');
    expect(await back('somebody@else.example')).to.equal('ignored');
    expect(await back(idOf(waiting), { action: 'delayed', status: '4.4.1' })).to.equal('ignored');
    expect(await problem()).to.equal(undefined);
    expect(await back(idOf(waiting), { status: '5.2.2', reason: '5.2.2 full' })).to.equal('marked');
    expect(await problem()).to.equal(undefined);
    expect(stateOfMail((await findMail(house.store, waiting)) as Mail)).to.equal('failed');
    const second = await queue();
    await sendDueMails(house, transport);
    expect(await back(idOf(second))).to.equal('marked');
    expect(await back(idOf(second)), 'told twice').to.equal('ignored');
    expect(await problem()).to.deep.include({ email: person.email, reason: '5.1.1 no such user' });
    expect(await findMail(house.store, second)).to.include({ nextAt: null, lastError: '5.1.1 no such user' });
  });

  describe('without a mail server', () => {
    it('are kept for the administrator, whose page shows the link; once sent, the link is hidden', async () => {
      const app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
      const reset = await startReset(ctx(), person._id);
      await noticeEvent({ house }, pending({ type: 'person.resetRequested', resetId: reset._id }, house.now()));
      const link = linkTo(house, 'reset', reset._id);
      const [mail] = await mailsIn(house.store).find().toArray();
      const page = `/admin/mails/${mail?._id}`;
      const administrator = app.client();
      await signIn(administrator, await buildPerson(house, { instanceRole: 'administrator' }));
      expect((await administrator.get(page)).text).not.to.contain(link);
      expect(await sendDueMails(house, null)).to.deep.equal({ sent: 0, failed: 0, kept: 1 });
      expect((await administrator.get('/admin/mails')).text)
        .to.contain('to hand over')
        .and.to.contain(page);
      expect((await administrator.get(page)).text).to.contain(`http://localhost:3000${link}`);
      const transport = transportThat(() => {});
      await sendDueMails(house, transport);
      expect(transport.sent, 'a mail server set later does not send what was handed over').to.deep.equal([]);
      expect((await administrator.post(`${page}/retry`, {}, page)).location).to.equal('/admin/mails');
      await sendDueMails(house, transport);
      expect(transport.sent).to.have.lengthOf(1);
      expect((await administrator.get(page)).text).not.to.contain(link);
    });

    it('are nobody else’s business', async () => {
      const app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
      const id = await queue();
      for (const [role, status] of [
        [null, 404],
        ['moderator', 404],
      ] as const) {
        const client = app.client();
        await signIn(client, await buildPerson(house, { instanceRole: role }));
        expect((await client.get('/admin/mails')).status).to.equal(status);
        expect((await client.get(`/admin/mails/${id}`)).status).to.equal(status);
        expect((await client.post(`/admin/mails/${id}/retry`, {}, '/me/profile')).status).to.equal(status);
      }
      const administrator = app.client({ language: 'fr' });
      await signIn(administrator, await buildPerson(house, { instanceRole: 'administrator' }));
      expect((await administrator.get('/admin/mails/01890000-0000-7000-8000-000000000000')).status).to.equal(404);
      expect((await administrator.get('/admin/mails')).text).to.contain('Un courriel');
    });
  });
});
