// Files at the door: who may send them at all, what of them is kept, and as what it is given out again.
import { connect } from 'node:net';
import { expect } from 'chai';
import { nothingStored } from '../support/oracles.js';
import { copyOf } from './requests.js';
import { startTwinHouse, type TwinHouse } from './tenants.js';

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
});
