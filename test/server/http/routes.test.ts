import { expect } from 'chai';
import { z } from 'zod';
import { DomainError } from '../../../server/errors.js';
import type { House } from '../../../server/house.js';
import { personOf, Routes } from '../../../server/http/routes.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import { requiredLine } from '../../../server/shapes.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';

const body = z.object({ title: requiredLine(20), place: z.object({ town: requiredLine(20) }) });

/** A room with one route of each kind; what reached a handler is kept in `seen`. */
function sampleRoutes(seen: unknown[]): (house: House) => Routes {
  return (house) =>
    new Routes(house)
      .get('/open', { access: 'public' }, (visit) => {
        visit.res.send(visit.t('people.save'));
      })
      .get('/mine', { access: 'signedIn' }, (visit) => {
        visit.res.send(personOf(visit.ctx).username);
      })
      .get('/moderators', { access: 'moderator' }, (visit) => {
        visit.res.send('ok');
      })
      .get('/administrators', { access: 'administrator' }, (visit) => {
        visit.res.send('ok');
      })
      .get(
        '/things/:id',
        {
          access: 'public',
          params: z.object({ id: z.uuid() }),
          query: z.object({ page: z.coerce.number().optional() }),
        },
        (visit) => {
          visit.res.json({ id: visit.params.id, page: visit.query.page ?? null });
        },
      )
      .get('/@:name', { access: 'public' }, (visit) => visit.pass())
      .post(
        '/things',
        {
          access: 'signedIn',
          body,
          retry: (visit, form) => {
            visit.res.json(form);
          },
        },
        (visit) => {
          seen.push(visit.body);
          if (visit.body.title === 'taken') throw new DomainError('conflict', 'handle.taken', { field: 'title' });
          if (visit.body.title === 'forbidden') throw new DomainError('not-allowed', 'error.notFound');
          if (visit.body.title === 'Too many') throw new DomainError('too-many', 'error.notFound', { retryAfter: 60 });
          if (visit.body.title === 'bug') throw new Error('canary of a stack');
          visit.redirect('/mine', { key: 'people.saved' });
        },
      )
      .post('/bare', { access: 'signedIn', body }, (visit) => {
        seen.push(visit.body);
      })
      .post('/files', { access: 'signedIn', file: { field: 'file', maxBytes: 100 } }, (visit) => {
        visit.res.json({ name: visit.file?.fileName ?? null, size: visit.file?.bytes.length ?? null });
      });
}

describe('routes', () => {
  let house: TestHouse;
  let app: TestApp;
  let client: Client;
  let seen: unknown[];

  beforeEach(async () => {
    seen = [];
    house = await buildTestHouse();
    app = await startTestApp(house, [sampleRoutes(seen), peopleRoutes]);
    client = app.client();
    await signIn(client, await buildPerson(house, { username: 'camille' }));
  });

  const good = { title: 'A thing', 'place.town': 'Montargis' };
  const post = (fields: Record<string, string>, path = '/things') => client.post(path, fields, '/me/profile');

  it('let in by access; what somebody may not see does not exist', async () => {
    const visitor = app.client();
    const moderator = app.client();
    const administrator = app.client();
    await signIn(moderator, await buildPerson(house, { instanceRole: 'moderator' }));
    await signIn(administrator, await buildPerson(house, { instanceRole: 'administrator' }));
    const statuses = async (one: Client) =>
      Promise.all(
        ['/open', '/mine', '/moderators', '/administrators'].map(async (path) => (await one.get(path)).status),
      );
    expect(await statuses(visitor)).to.deep.equal([200, 303, 303, 303]);
    expect(await statuses(client)).to.deep.equal([200, 200, 404, 404]);
    expect(await statuses(moderator)).to.deep.equal([200, 200, 200, 404]);
    expect(await statuses(administrator)).to.deep.equal([200, 200, 200, 200]);
    expect((await visitor.get('/mine?tab=2')).location).to.equal('/sign-in?next=%2Fmine%3Ftab%3D2');
  });

  it('keep what depends on the reader out of caches', async () => {
    expect((await client.get('/mine')).headers.get('cache-control')).to.equal('no-store');
    expect((await client.get('/open')).headers.get('cache-control')).to.equal('no-store');
    expect((await app.client().get('/open')).headers.get('cache-control')).to.equal(null);
  });

  it('answer 404 to an id that is none, and refuse a question that makes no sense', async () => {
    const id = '01890000-0000-7000-8000-000000000000';
    expect(JSON.parse((await client.get(`/things/${id}?page=3`)).text)).to.deep.equal({ id, page: 3 });
    expect(JSON.parse((await client.get(`/things/${id}?page=3&_gl=1*abc`)).text)).to.deep.equal({ id, page: 3 });
    expect((await client.get('/things/1')).status).to.equal(404);
    expect((await client.get(`/things/${id}?page=x`)).status).to.equal(422);
    expect((await client.get(`/things/${id}?page=1&page=2`)).status).to.equal(422);
    expect((await client.get(`/things/${id}?__proto__.x=1`)).status).to.equal(422);
    expect((await client.get('/things/%E0%A4%A')).status).to.be.within(400, 499);
  });

  it('give the handler what the shape names, nested, and nothing else', async () => {
    const answer = await post({ ...good, role: 'administrator', 'place.owner': 'x' });
    expect(answer.location).to.equal('/mine');
    expect(seen).to.deep.equal([{ title: 'A thing', place: { town: 'Montargis' } }]);
  });

  it('refuse keys that could reach a prototype or an operator', async () => {
    for (const key of ['__proto__.x', 'constructor.prototype.x', 'place.$ne', '$where', 'a.b.c.d.e', 'place[town]']) {
      expect((await post({ ...good, [key]: 'x' })).status, key).to.equal(422);
    }
    expect(seen).to.deep.equal([]);
  });

  it('show the form again with what was typed and what is wrong, after the shape or the deed refused', async () => {
    const wrong = await post({ title: '', 'place.town': 'Montargis' });
    expect(wrong.status).to.equal(422);
    expect(JSON.parse(wrong.text)).to.deep.include({ values: { title: '', place: { town: 'Montargis' } } });
    expect(
      JSON.parse(wrong.text).errors.map((error: { field: string; message: { key: string } }) => [
        error.field,
        error.message.key,
      ]),
    ).to.deep.equal([['title', 'shape.required']]);
    const taken = await post({ ...good, title: 'taken' });
    expect(taken.status).to.equal(422);
    expect(JSON.parse(taken.text).errors).to.deep.equal([{ field: 'title', message: { key: 'handle.taken' } }]);
  });

  it('show the form again with its own status when there was too much of it, and what was typed when the form is not to be shown', async () => {
    const slow = await post({ ...good, title: 'Too many' });
    expect([slow.status, slow.headers.get('retry-after')]).to.deep.equal([429, '60']);
    expect(slow.headers.get('cache-control')).to.equal('no-store');
    expect(JSON.parse(slow.text).values).to.include({ title: 'Too many' });
    const refused = await post({ ...good, title: 'forbidden' });
    expect(refused.status).to.equal(403);
    expect(refused.text).to.include('Montargis');
  });

  it('turn a refusal without a form into a page with its status, and a fault into one that gives nothing away', async () => {
    expect((await post({ title: '' }, '/bare')).status).to.equal(422);
    expect((await post({ ...good, title: 'forbidden' })).status).to.equal(403);
    const fault = await post({ ...good, title: 'bug' });
    expect(fault.status).to.equal(500);
    expect(fault.text).not.to.contain('canary');
    expect(house.logged.join()).to.contain('canary of a stack');
  });

  it('say once what was done, on the very next page', async () => {
    await post(good);
    expect((await client.get('/me')).text).to.contain('Saved.');
    expect((await client.get('/me')).text).not.to.contain('Saved.');
  });

  it('leave a path to the next room that has it', async () => {
    expect((await client.get('/@nobody')).status).to.equal(404);
  });

  it('take a file within its size, and nothing beyond', async () => {
    const token = (await client.csrf('/me/profile')) ?? '';
    const send = (size: number, field = 'file') => {
      const form = new FormData();
      form.append('_csrf', token);
      form.append(field, new Blob(['x'.repeat(size)]), '../../etc/passwd');
      return fetch(`${app.url}/files`, {
        method: 'POST',
        body: form,
        headers: { cookie: `sid=${client.cookies.get('sid')}`, origin: house.site.baseUrl, accept: 'text/html' },
      });
    };
    expect(await (await send(100)).json()).to.deep.equal({ name: 'passwd', size: 100 });
    expect((await send(101)).status).to.equal(422);
    expect((await send(10, 'other')).status).to.equal(422);
  });
});
