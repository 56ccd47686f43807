// A person goes: of who it was nothing is left, in no collection, no page, no file and no activity, but what the page
// before said.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { addMember } from '../../server/collectives/actions.js';
import { pending } from '../../server/events.js';
import type { FailedEvent } from '../../server/instances/schema.js';
import { acceptInvitation, invitePerson, joinByInvitation } from '../../server/people/actions/invitations.js';
import { findPersonByUsername } from '../../server/people/queries.js';
import type { Person } from '../../server/people/schema.js';
import { signLink } from '../../server/secrets.js';
import { type Client, contextFor, forgetLimits, signIn, systemActor, testPassword } from '../support/appSupport.js';
import { everythingStored } from '../support/oracles.js';
import { addressesOf, crawl } from './crawl.js';
import { copyOf, raw } from './requests.js';
import { startTwinHouse, type TwinHouse } from './tenants.js';

const word = 'zqxgone';

describe('a person who goes', function () {
  this.timeout(60_000);
  let app: TwinHouse;
  let person: Person;
  let client: Client;
  let paths: string[];

  before(async () => {
    app = await startTwinHouse();
    await live();
  });

  /** A life in the house, with the word wherever a person may leave something. */
  async function live(): Promise<void> {
    const { house, alpha, beta } = app;
    const ctx = contextFor(house, systemActor);
    const place = (id: string) => ({
      instanceRole: null,
      collective: { id, role: 'member' as const },
      language: 'fr' as const,
    });
    const first = await invitePerson(ctx, { email: `${word}.first@example.org`, ...place(alpha.collective._id) });
    const account = { username: `${word}name`, displayName: `${word} Display`, password: testPassword };
    await acceptInvitation(contextFor(house, null), first._id, account);
    person = (await findPersonByUsername(house.store, account.username)) as Person;
    const second = await invitePerson(ctx, { email: person.email, ...place(beta.collective._id) });
    await joinByInvitation(contextFor(house, null), second._id, person._id);
    client = app.client({ headers: { 'user-agent': `Firefox/1 Linux ${word}` } });
    await client.post('/sign-in', { login: `${word}name`, password: 'wrong password' });
    await signIn(client, person);
    const profile = {
      displayName: `${word} Shown`,
      'bio.fr': `${word} bio`,
      'bio.en': `${word} bio`,
      publicProfile: 'on',
      handle: 'chosenname',
    };
    expect((await client.post('/me/profile', profile)).status).to.equal(303);
    await client.post(
      '/me/security/email',
      { proof: testPassword, email: `${word}.second@example.org` },
      '/me/security',
    );
    const change = await house.store.collection('emailChanges').findOne({ personId: person._id });
    const path = `/email-changes/${signLink(house.secret, 'email-change', change?._id ?? '')}`;
    expect((await client.post(path)).status).to.equal(303);
    await client.post('/forgot', { email: `${word}.second@example.org` });
    const base = `/my/collectives/${alpha.collective._id}`;
    const post = { 'text.fr': 'Parole du collectif', 'text.en': '', step: 'publish', version: '0' };
    expect((await client.post(`${base}/posts/new`, post)).status).to.equal(303);
    expect(
      (await client.post(`${base}/services/new`, { 'name.fr': 'Agenda', 'name.en': '', software: '' })).status,
    ).to.equal(303);
    await client.post(
      `${base}/chatonsinfos/files`,
      { text: 'file.class=organization\norganization.name=Twin\n' },
      `${base}/chatonsinfos`,
    );
    await addMember(ctx, alpha.draft._id, { personId: person._id, role: 'member' });
    await app.drain();
    const event = pending(
      { type: 'person.securityChanged', personId: person._id, what: 'email', oldEmail: `${word}.first@example.org` },
      house.now(),
    );
    const parked = { collection: 'people', docId: person._id, type: event.type, attempts: 12, nextAt: house.now() };
    await house.store.collection<FailedEvent>('failedEvents').insertOne({
      _id: event.eventId,
      ...parked,
      lastError: `Error: no mail to ${word}.first@example.org`,
      parkedAt: house.now(),
      event,
    });
    await app.drain();
    paths = [
      ...addressesOf(app),
      '/@chosenname',
      '/actors/chosenname',
      '/actors/chosenname/outbox?page=true',
      `/admin/people/${person._id}`,
    ];
  }

  async function meetings(reader: Client, pagesOnly = true): Promise<string[]> {
    const seen = await crawl(app, reader, paths, { pagesOnly });
    return seen
      .filter(({ text, headers }) => `${JSON.stringify([...headers])}${text}`.includes(word))
      .map(({ path }) => path);
  }

  it('was everywhere before', async () => {
    const stored = JSON.parse(await everythingStored(app.house.store)) as [string, unknown[]][];
    const holding = stored.filter(([, documents]) => JSON.stringify(documents).includes(word)).map(([name]) => name);
    expect(holding.sort()).to.include.members(['emailChanges', 'failedEvents', 'invitations', 'mails', 'people']);
    expect(await meetings(app.clients.visitor)).to.include('/@chosenname');
    expect((await meetings(app.clients.administrator)).length).to.be.greaterThan(3);
    expect((await raw(app, 'GET', '/actors/chosenname', { accept: 'application/activity+json' })).text).to.include(
      word,
    );
  });

  it('leaves nothing in the store', async () => {
    expect((await client.post('/me/delete', { current: 'wrong password' })).status).to.equal(422);
    expect((await client.post('/me/delete', { current: testPassword })).location).to.equal('/');
    await app.drain();
    const stored = JSON.parse(await everythingStored(app.house.store)) as [string, object[]][];
    const left = stored.flatMap(([name, documents]) =>
      documents
        .filter((one) => JSON.stringify(one).includes(word))
        .map((one) => `${name}: ${JSON.stringify(one).slice(0, 500)}`),
    );
    expect(left).to.deep.equal([]);
  });

  it('leaves nothing on any page, in any feed, over ActivityPub, nor in a file', async () => {
    for (const role of ['visitor', 'representativeA', 'memberB', 'administrator'] as const) {
      expect(await meetings(copyOf(app, app.clients[role]), role !== 'visitor'), role).to.deep.equal([]);
    }
    const actor = await raw(app, 'GET', '/actors/chosenname', { accept: 'application/activity+json' });
    expect(actor.status).to.equal(410);
    expect(JSON.parse(actor.text)).to.include({ type: 'Tombstone' });
    const files = readdirSync(app.engine.dataDir, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.to.include(word);
  });

  it('is out at once, everywhere, and the name is not free', async () => {
    // The search above opened more forms as a visitor than one address may in an hour.
    await forgetLimits(app.house);
    expect((await client.get('/me')).location).to.match(/^\/sign-in/);
    const again = await app.client().post('/sign-in', { login: `${word}name`, password: testPassword });
    expect(again.status).to.equal(422);
    const taken = await copyOf(app, app.clients.plain).post('/me/profile', {
      displayName: 'Paul',
      'bio.fr': '',
      'bio.en': '',
      publicProfile: 'on',
      handle: 'chosenname',
    });
    expect(taken.status).to.equal(422);
  });

  it('leaves what was said: the post of the hoster and the lines of its history, without a name', async () => {
    const posts = await app.client().get(`/@${app.alpha.collective.handle}/posts`);
    expect(posts.text).to.include('Parole du collectif');
    const history = await copyOf(app, app.clients.representativeA).get(
      `/my/collectives/${app.alpha.collective._id}/history`,
    );
    expect(history.text).to.include('Agenda');
  });
});
