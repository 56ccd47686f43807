import { expect } from 'chai';
import { z } from 'zod';
import type { House } from '../../../server/house.js';
import { Routes } from '../../../server/http/routes.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { readForms } from '../../support/visitor.js';

const text = 'Une longue réponse\navec « deux » lignes & des <signes>';

describe('a form that was filled in while its session ended', () => {
  let house: TestHouse;
  let app: TestApp;
  let person: Person;
  let client: Client;
  const seen: unknown[] = [];

  const rooms = (given: House) =>
    new Routes(given)
      .post(
        '/letters',
        {
          access: 'signedIn',
          body: z.object({ a: z.record(z.string(), z.string()), tags: z.string() }),
          retry: (visit) => void visit.res.send('again'),
        },
        (visit) => {
          seen.push(visit.body);
          visit.res.send('done');
        },
      )
      .post('/doors', { access: 'signedIn', body: z.object({ password: z.string() }), retry: () => {} }, () => {})
      .post('/deeds', { access: 'signedIn' }, () => {});

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes, rooms]);
    person = await buildPerson(house);
  });
  beforeEach(async () => {
    seen.length = 0;
    client = app.client();
    await signIn(client, person);
  });

  const fields = { 'a.why': text, tags: 'x', _csrf: 'old' };
  /** The form of the page, as a browser sends it untouched. */
  const formOf = (html: string) => {
    const form = readForms(html, 'http://localhost:3000/').find(({ action }) => action.endsWith('/letters'));
    return form ? Object.fromEntries(form.values) : null;
  };

  it('comes back with what was typed, and passes once it is sent again', async () => {
    const page = await client.postRaw('/letters', fields);
    expect(page.status).to.equal(403);
    expect(page.text).to.include('Nothing is lost').and.include(`sent as ${person.displayName}`);
    expect(page.text).to.include('avec « deux » lignes &amp; des &lt;signes&gt;');
    const again = formOf(page.text);
    expect(again).to.include({ 'a.why': text, tags: 'x' });
    expect((await client.postRaw('/letters', again ?? {})).text).to.equal('done');
    expect(seen).to.deep.equal([{ a: { why: text }, tags: 'x' }]);
  });

  it('asks to sign in first, stores nothing for somebody unknown, and passes under the new session', async () => {
    const gone = app.client();
    const sessions = await house.store.collection('sessions').countDocuments();
    const page = await gone.postRaw('/letters', fields);
    expect(page.status).to.equal(403);
    expect(page.text).to.include('target="_blank"').and.include('Sign in in another tab');
    expect(await house.store.collection('sessions').countDocuments()).to.equal(sessions);
    expect(gone.cookies.size).to.equal(0);
    await signIn(gone, person);
    const second = await gone.postRaw('/letters', formOf(page.text) ?? {});
    expect(second.status).to.equal(403);
    expect((await gone.postRaw('/letters', formOf(second.text) ?? {})).text).to.equal('done');
  });

  it('never comes back from another site, to a program, with a secret in it, or where nothing was typed', async () => {
    const elsewhere = await client.postRaw('/letters', fields, {
      'sec-fetch-site': 'cross-site',
      origin: 'https://evil.example',
    });
    expect(elsewhere.text).to.not.include('Une longue');
    expect(elsewhere.status).to.equal(403);
    const program = await client.postRaw('/letters', fields, { accept: 'application/json' });
    expect(JSON.parse(program.text)).to.include({ error: 'not-allowed' });
    const secret = await client.postRaw('/doors', { password: 'hush hush hush', _csrf: 'old' });
    expect(secret.text).to.not.include('hush');
    for (const path of ['/deeds', '/letters']) {
      expect((await client.postRaw(path, { _csrf: 'old' })).text).to.not.include('Nothing is lost');
    }
  });
});
