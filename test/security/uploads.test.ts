// Files at the door: who may send them at all, what of them is kept, and as what it is given out again.
import { connect } from 'node:net';
import { expect } from 'chai';
import { jpeg, png, pngChunk, pngOfSize, pngWith } from '../server/uploads/pictures.js';
import type { Client } from '../support/appSupport.js';
import { everythingStored, nothingStored } from '../support/oracles.js';
import { copyOf, raw } from './requests.js';
import { startTwinHouse, type TwinHouse } from './tenants.js';

const cookieOf = (client: Client) => [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('files at the door', function () {
  this.timeout(30_000);
  let app: TwinHouse;

  before(async () => {
    app = await startTwinHouse();
  });

  const paths = () => {
    const base = `/my/collectives/${app.alpha.collective._id}`;
    return [`${base}/logo`, `${base}/chatonsinfos/files`];
  };

  /** Sends the head of a form and the beginning of a large file, and no more. Resolves with the status, or null. */
  function begin(path: string, cookie: string): Promise<number | null> {
    const { hostname, port, host } = new URL(app.url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      const timer = setTimeout(() => {
        socket.destroy();
        resolve(null);
      }, 1500);
      socket.on('error', reject);
      socket.once('data', (data) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1]));
      });
      socket.write(
        [
          `POST ${path} HTTP/1.1`,
          `Host: ${host}`,
          `Origin: ${app.house.site.baseUrl}`,
          ...(cookie ? [`Cookie: ${cookie}`] : []),
          'Content-Type: multipart/form-data; boundary=x',
          'Content-Length: 900000',
          '',
          '--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n',
          'a'.repeat(1000),
        ].join('\r\n'),
      );
    });
  }

  it('are not read at all from whoever may not enter', async () => {
    for (const path of paths()) {
      expect(await begin(path, ''), path).to.equal(403);
      const disabled = copyOf(app, app.clients.disabled);
      const cookie = [...disabled.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      expect(await begin(path, cookie), path).to.equal(403);
    }
  });

  it('are not read when they are announced larger than all the form takes', async () => {
    const client = copyOf(app, app.clients.memberA);
    const csrf = (await client.csrf('/me')) ?? '';
    const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    for (const path of paths()) {
      const form = new FormData();
      form.set('_csrf', csrf);
      for (let number = 0; number < 60; number += 1)
        form.append('files', new Blob(['#'.repeat(400_000)]), `f${number}`);
      const response = await nothingStored(app.house.store, () =>
        fetch(app.url + path, {
          method: 'POST',
          body: form,
          headers: { cookie, origin: app.house.site.baseUrl, accept: 'text/html' },
        }),
      );
      expect(response.status, path).to.equal(422);
    }
  });

  /** Sends one file as a browser would, with a name and a type of the sender's choice. */
  async function send(bytes: Uint8Array | string, name: string, type: string): Promise<Response> {
    const client = copyOf(app, app.clients.representativeA);
    const path = `/my/collectives/${app.alpha.collective._id}/logo`;
    const form = new FormData();
    form.set('_csrf', (await client.csrf(path)) ?? '');
    form.set('logo', new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)], { type }), name);
    return fetch(app.url + path, {
      method: 'POST',
      body: form,
      redirect: 'manual',
      headers: { cookie: cookieOf(client), origin: app.house.site.baseUrl, accept: 'text/html' },
    });
  }

  const activity = JSON.stringify({
    '@context': 'https://www.w3.org/ns/activitystreams',
    id: 'https://victim.example/users/bob',
    type: 'Person',
    inbox: 'https://evil.example/inbox',
  });
  const hostile: [string, Uint8Array | string, string, string][] = [
    ['an activity', activity, 'logo.json', 'application/activity+json'],
    ['an activity that is called a picture', activity, 'logo.png', 'image/png'],
    ['an activity with a linked-data type', activity, 'logo.jsonld', 'application/ld+json'],
    ['a page', '<!doctype html><script>alert(1)</script>', 'logo.html', 'text/html'],
    ['a page that is called a picture', '<!doctype html><script>alert(1)</script>', 'logo.png', 'image/png'],
    [
      'a drawing with a script',
      '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
      'logo.svg',
      'image/svg+xml',
    ],
    ['a document', '%PDF-1.7 ', 'logo.png', 'image/png'],
    ['a picture of thirty thousand pixels a side', pngOfSize(30_000, 30_000), 'logo.png', 'image/png'],
    ['half a picture', png.subarray(0, 40), 'logo.png', 'image/png'],
    ['a moving picture', 'GIF89a<script>alert(1)</script>', 'logo.gif', 'image/gif'],
  ];
  for (const [what, bytes, name, type] of hostile) {
    it(`are refused when they are ${what}, and nothing is stored`, async () => {
      const response = await nothingStored(app.house.store, () => send(bytes, name, type));
      expect(response.status).to.equal(422);
    });
  }

  it('keep of a picture only the picture, and are given out as nothing else, whatever is asked for', async () => {
    const hidden = `<script>alert(1)</script>${activity}`;
    const polyglots: [Uint8Array, string][] = [
      [Buffer.concat([png, Buffer.from(hidden)]), '../../../etc/passwd'],
      [pngWith(pngChunk('tEXt', `Comment\0${hidden}`)), 'CON.png%00.html'],
      [Buffer.concat([jpeg, Buffer.from(hidden)]), 'a/b\\c.html'],
    ];
    for (const [bytes, name] of polyglots) {
      const response = await send(bytes, name, 'text/html');
      expect(response.status, name).to.equal(303);
      const collective = await app.house.store
        .collection<{ _id: string; logoId: string }>('collectives')
        .findOne({ _id: app.alpha.collective._id });
      const path = `/media/${collective?.logoId}`;
      for (const accept of ['text/html', 'application/activity+json', 'application/json', '*/*']) {
        const given = await raw(app, 'GET', path, { accept });
        expect(given.status).to.equal(200);
        expect(given.headers['content-type']).to.match(/^image\/(png|jpeg)$/);
        expect(given.headers['x-content-type-options']).to.equal('nosniff');
        expect(given.headers['content-security-policy']).to.equal("default-src 'none'; sandbox");
        expect(given.headers['content-disposition']).to.match(/^inline; filename="logo\.(png|jpg)"$/);
        expect(given.text).not.to.match(/script|victim|Comment/);
      }
      for (const beside of [
        `${path}.html`,
        `${path}/`,
        `${path}%00.html`,
        `${path}/../../etc/passwd`,
        '/media/..%2f..%2fsecret',
      ]) {
        expect((await raw(app, 'GET', beside)).text, beside).not.to.match(/script>alert|root:/);
      }
    }
    const stored = await everythingStored(app.house.store);
    expect(stored).not.to.include('etc/passwd');
    expect(stored).not.to.include('victim.example');
  });

  it('end in a refusal of the sender when the form is broken, and leave nothing behind', async () => {
    const client = copyOf(app, app.clients.representativeA);
    const path = `/my/collectives/${app.alpha.collective._id}/logo`;
    const csrf = (await client.csrf(path)) ?? '';
    const part = (name: string, value: string) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const file = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a"\r\n\r\nx\r\n`;
    const bodies: Record<string, string> = {
      'without an end': `${part('_csrf', csrf)}${file('logo')}`,
      'with ten thousand fields': `${part('a', 'b').repeat(2000)}--x--\r\n`,
      'with another file': `${part('_csrf', csrf)}${file('other')}--x--\r\n`,
      'with the file twice': `${part('_csrf', csrf)}${file('logo')}${file('logo')}--x--\r\n`,
      'with the token behind the file': `${file('logo')}--x--\r\n`,
      'with nested names': `${part('_csrf', csrf)}${part('a[b][c]', '1')}${part('__proto__', '1')}${part('constructor[prototype][x]', '1')}${file('logo')}--x--\r\n`,
      'with a name without end': `${part('n'.repeat(5000), '1')}--x--\r\n`,
      'with a text that is too long': `${part('text', 't'.repeat(70_000))}--x--\r\n`,
      'of nothing': '',
      'of nonsense': '\u0000\u0001--x',
    };
    for (const [what, body] of Object.entries(bodies)) {
      const answer = await nothingStored(app.house.store, () =>
        raw(
          app,
          'POST',
          path,
          {
            cookie: cookieOf(client),
            origin: app.house.site.baseUrl,
            accept: 'text/html',
            'content-type': 'multipart/form-data; boundary=x',
          },
          body,
        ),
      );
      expect(answer.status, what).to.be.within(400, 499);
      expect(answer.text, what).not.to.match(/multer|busboy|node_modules/i);
    }
    expect(Object.hasOwn(Object.prototype, 'x')).to.equal(false);
    expect((await client.get(path)).status).to.equal(200);
  });
});
