import { expect } from 'chai';
import { createCollective } from '../../../server/collectives/actions.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { type DomainEvent, pending } from '../../../server/events.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { withLink } from '../../../server/notices/links.js';
import { mailsIn } from '../../../server/notices/queries.js';
import { letterKinds, type Mail } from '../../../server/notices/schema.js';
import { disablePerson } from '../../../server/people/actions/access.js';
import { confirmEmailChange, requestEmailChange } from '../../../server/people/actions/emailChange.js';
import { invitePerson, revokeInvitation } from '../../../server/people/actions/invitations.js';
import { requestReset, startReset } from '../../../server/people/actions/passwordChange.js';
import { updatePreferences } from '../../../server/people/actions/profile.js';
import { emailChangesIn, resetsIn } from '../../../server/people/queries.js';
import type { Person } from '../../../server/people/schema.js';
import {
  buildPerson,
  buildTestHouse,
  contextFor,
  systemActor,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { linkTo, waiting } from '../people/peopleSupport.js';

describe('mails about events', () => {
  let house: TestHouse;
  let camille: Person;
  let noor: Person;
  let pads: Collective;

  beforeEach(async () => {
    house = await buildTestHouse();
    camille = await buildPerson(house, { username: 'camille', displayName: 'Camille', language: 'fr' });
    noor = await buildPerson(house, { username: 'noor', displayName: 'Noor <b>', language: 'en', password: null });
    pads = await createCollective(contextFor(house, systemActor), {
      handle: 'pads',
      name: { fr: 'Les Pads', en: 'The Pads' },
      legalForm: 'ASSOCIATION',
      members: [
        { personId: camille._id, role: 'representative' },
        { personId: noor._id, role: 'member' },
      ],
    });
  });

  const ctx = () => contextFor(house, systemActor);
  const visitor = () => contextFor(house, null);
  const mails = async (): Promise<Mail[]> =>
    mailsIn(house.store)
      .find({}, { sort: { to: 1 } })
      .toArray();

  async function tell(event: DomainEvent): Promise<Mail[]> {
    await noticeEvent({ house }, pending(event, house.now()));
    return mails();
  }

  it('write once for an event and a recipient, also when it is handed on many times at once', async () => {
    await requestReset(visitor(), camille.email);
    const [event] = await waiting(house, 'resets', 'person.resetRequested');
    if (!event) throw new Error('no event');
    await Promise.all(Array.from({ length: 20 }, () => noticeEvent({ house }, event)));
    expect(await mails()).to.have.lengthOf(1);
  });

  it('invite in the language of the inviter, with the place', async () => {
    const invitation = await invitePerson(ctx(), {
      email: 'new@example.org',
      instanceRole: null,
      collective: { id: pads._id, role: 'member' },
      language: 'fr',
    });
    const [mail] = await tell({ type: 'person.invited', invitationId: invitation._id });
    expect(mail).to.include({
      to: 'new@example.org',
      personId: null,
      kind: 'collectiveInvitation',
      subject: 'Invitation à s’occuper de Les Pads',
    });
    expect(withLink(house, mail!).text).to.contain(
      `http://localhost:3000${linkTo(house, 'invitations', invitation._id)}`,
    );
    const plain = await invitePerson(ctx(), {
      email: 'plain@example.org',
      instanceRole: 'moderator',
      collective: null,
      language: 'en',
    });
    expect((await tell({ type: 'person.invited', invitationId: plain._id })).map((one) => one.subject)).to.include(
      'Invitation to Chatière',
    );
  });

  it('do not invite who was un-invited before the mail was written', async () => {
    const invitation = await invitePerson(ctx(), {
      email: 'new@example.org',
      instanceRole: null,
      collective: null,
      language: 'fr',
    });
    await revokeInvitation(ctx(), invitation._id);
    expect(await tell({ type: 'person.invited', invitationId: invitation._id })).to.deep.equal([]);
    expect(await tell({ type: 'person.invited', invitationId: 'unknown' })).to.deep.equal([]);
  });

  it('bring the link for a new password, differently when an administrator sends it', async () => {
    await requestReset(visitor(), camille.email);
    const [own] = await resetsIn(house.store).find({ personId: camille._id }).toArray();
    const [mail] = await tell({ type: 'person.resetRequested', resetId: own?._id ?? '' });
    expect(mail).to.include({ to: 'camille@example.org', kind: 'reset', language: 'fr' });
    expect(withLink(house, mail!).text).to.contain(linkTo(house, 'reset', own?._id ?? ''));
    const sent = await startReset(ctx(), noor._id);
    const all = await tell({ type: 'person.resetRequested', resetId: sent._id });
    expect(all.find((one) => one.to === noor.email)).to.include({ kind: 'resetByAdministrator', language: 'en' });
    await disablePerson(ctx(), noor._id);
    await mailsIn(house.store).deleteMany({});
    expect(await tell({ type: 'person.resetRequested', resetId: sent._id })).to.deep.equal([]);
  });

  it('confirm a new address at the new one, and tell the old one', async () => {
    await requestEmailChange(visitor(), camille._id, { email: 'new@example.org', proof: testPassword });
    const [change] = await emailChangesIn(house.store).find().toArray();
    const [asked] = await tell({ type: 'person.emailChangeRequested', changeId: change?._id ?? '' });
    expect(asked).to.include({ to: 'new@example.org', kind: 'emailChange' });
    await confirmEmailChange(visitor(), change?._id ?? '');
    const [done] = await waiting(house, 'people', 'person.securityChanged');
    await noticeEvent({ house }, done!);
    expect((await mails()).find((one) => one.kind === 'emailChanged')).to.include({
      to: 'camille@example.org',
      link: null,
    });
  });

  it('tell of a new password, whatever the choices', async () => {
    await updatePreferences(ctx(), camille._id, {
      language: 'en',
      timeZone: null,
      showsPictures: false,
      mailChoices: { sourceFailed: 'off', followRequested: 'off' },
    });
    const [mail] = await tell({ type: 'person.securityChanged', personId: camille._id, what: 'password' });
    expect(mail).to.include({
      to: camille.email,
      kind: 'passwordChanged',
      subject: 'Your password for Chatière has changed',
    });
  });

  it('tell the members, each in their language and by their choice, when the hoster’s file fails', async () => {
    await house.store
      .collection<{ _id: string; collectiveId: string; url: string }>('sources')
      .insertOne({ _id: 's', collectiveId: pads._id, url: 'https://pads.example/pads.properties' });
    const event: DomainEvent = { type: 'source.failed', sourceId: 's', collectiveId: pads._id };
    const both = await tell(event);
    expect(both.map((mail) => [mail.to, mail.subject])).to.deep.equal([
      ['camille@example.org', 'Les Pads : son fichier ChatonsInfos ne se lit plus'],
      ['noor@example.org', 'The Pads: its ChatonsInfos file cannot be read'],
    ]);
    expect(both[1]?.text).to.contain('Hello Noor <b>,').and.to.contain('https://pads.example/pads.properties');
    expect(both[1]?.html).to.contain('Hello Noor &lt;b&gt;,').and.not.to.contain('Noor <b>');
    await mailsIn(house.store).deleteMany({});
    await updatePreferences(ctx(), camille._id, {
      language: 'fr',
      timeZone: null,
      showsPictures: false,
      mailChoices: { sourceFailed: 'off', followRequested: 'at-once' },
    });
    await disablePerson(ctx(), noor._id);
    expect(await tell(event)).to.deep.equal([]);
  });

  it('tell the members of a follower who waits for a yes, and of no other', async () => {
    const follow = {
      follower: 'https://far.example/u/ana',
      followed: 'x',
      ownerKind: 'collective',
      ownerId: pads._id,
      followIri: 'x',
      state: 'requested',
      deliverTo: 'x',
      requestedAt: house.now(),
      decidedAt: null,
    };
    const follows = house.store.collection<typeof follow & { _id: string }>('follows');
    await follows.insertMany([
      { _id: 'waits', ...follow },
      { _id: 'accepted', ...follow, state: 'accepted' },
    ]);
    const both = await tell({ type: 'follow.requested', followId: 'waits' });
    expect(both.map((mail) => mail.to)).to.deep.equal(['camille@example.org', 'noor@example.org']);
    expect(both[0]?.text).to.contain('https://far.example/u/ana');
    expect(await tell({ type: 'follow.requested', followId: 'accepted' })).to.have.lengthOf(2);
    expect(await tell({ type: 'follow.requested', followId: 'unknown' })).to.have.lengthOf(2);
  });

  it('are not written about what is nobody’s mail', async () => {
    expect(await tell({ type: 'person.created', personId: camille._id })).to.deep.equal([]);
    expect(await tell({ type: 'service.published', serviceId: 's', collectiveId: pads._id })).to.deep.equal([]);
    expect(await tell({ type: 'post.published', postId: 'p' })).to.deep.equal([]);
  });

  it('hold no link that opens something, and no name of a person in the subject', async () => {
    await requestReset(visitor(), camille.email);
    const [own] = await resetsIn(house.store).find({ personId: camille._id }).toArray();
    const [mail] = await tell({ type: 'person.resetRequested', resetId: own?._id ?? '' });
    const token =
      linkTo(house, 'reset', own?._id ?? '')
        .split('.')
        .at(-1) ?? '';
    expect(token).to.have.lengthOf(27);
    expect(JSON.stringify(await mails())).not.to.contain(token);
    expect(mail?.subject).not.to.contain('Camille').and.not.to.contain('example.org');
  });

  it('lead nowhere but here, and load nothing from elsewhere', async () => {
    await tell({ type: 'person.securityChanged', personId: camille._id, what: 'password' });
    const [mail] = await mails();
    const { text, html } = withLink(house, mail!);
    const addresses = [...`${text} ${html}`.matchAll(/https?:\/\/[^\s"<]+/g)].map(
      ([address]) => new URL(address).origin,
    );
    expect(new Set(addresses)).to.deep.equal(new Set(['http://localhost:3000']));
    expect(html).not.to.match(/<(img|link|script|style|iframe)\b/);
    expect(text).not.to.contain('&');
  });

  it('have all their texts in both languages', () => {
    for (const language of ['fr', 'en'] as const) {
      for (const kind of letterKinds) {
        for (const part of ['subject', 'text', 'why'])
          expect(house.i18n.has(language, `mail.${kind}.${part}`), `${language} ${kind} ${part}`).to.equal(true);
        expect(house.i18n.has(language, `mail.${kind}.button`)).to.equal(kind !== 'emailChanged');
      }
    }
  });
});
