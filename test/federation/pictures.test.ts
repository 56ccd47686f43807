// Pictures of others: shown through this server to whoever may read the post, and nothing else through the same door.
import { readdirSync, utimesSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { createPictures, maxPictureBytes } from '../../federation/pictures.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import type { FetchOutcome } from '../../server/fetching.js';
import { remoteActorsIn, remotePostsIn } from '../../server/partners/queries.js';
import { mediaKey } from '../../server/partners/rules.js';
import type { RemotePost } from '../../server/partners/schema.js';
import { updatePreferences } from '../../server/people/actions/profile.js';
import type { Person } from '../../server/people/schema.js';
import { jpeg, png, webp } from '../server/uploads/pictures.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { temporaryFolder } from '../support/storeSupport.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { startPeer } from './federatedApp.js';

const publicIri = 'https://www.w3.org/ns/activitystreams#Public';
const everybody = [publicIri];

describe('pictures of others', () => {
  let app: WholeApp;
  let peer: Peer;
  let alice: PeerActor;
  let reader: Client;
  let person: Person;
  let serial = 0;

  before(async () => {
    peer = await startPeer();
    app = await startWholeApp({ house: { privateHosts: [peer.host] } });
    alice = peer.addActor('alice', { icon: { type: 'Image', url: `${peer.origin}/face.png` } });
    person = await buildPerson(app.house);
    reader = app.client();
    await signIn(reader, person);
  });

  /** What the peer sends for a path. */
  function serve(path: string, body: Buffer | string, type = 'image/png'): string {
    peer.pages.set(path, (_req, res) => void res.writeHead(200, { 'content-type': type }).end(body));
    return `${peer.origin}${path}`;
  }

  function answer(path: string, how: (req: IncomingMessage, res: ServerResponse) => void): string {
    peer.pages.set(path, how);
    return `${peer.origin}${path}`;
  }

  async function keepPost(url: string, to: string[] = everybody, mediaType = 'image/png'): Promise<RemotePost> {
    serial += 1;
    const document = {
      ...{ id: `${alice.iri}/posts/${serial}`, type: 'Note', attributedTo: alice.iri, to, content: `<p>${serial}</p>` },
      attachment: [{ type: 'Document', mediaType, url, name: 'Two cats on a wall' }],
    };
    const post = fromPost(document, app.house.privateHosts, app.house.now());
    if (!post) throw new Error('no post');
    // As an address got into the store does not matter here.
    const [attachment] = post.attachments;
    const attachments = attachment ? post.attachments : [{ url, name: '', mediaType }];
    await remotePostsIn(app.house.store).insertOne({ ...post, attachments });
    return post;
  }

  const pathOf = (post: RemotePost, url: string) => `/me/partners/posts/${post._id}/media/${mediaKey(url)}`;

  async function ask(url: string, to = everybody): Promise<Response> {
    return fetchAs(reader, pathOf(await keepPost(url, to), url));
  }

  /** With its bytes. */
  function fetchAs(client: Client, path: string): Promise<Response> {
    const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return fetch(app.url + path, { headers: { cookie }, redirect: 'manual' });
  }

  const asked = (path: string) => peer.log.filter((line) => line === `GET ${path}`).length;

  for (const [type, bytes] of [
    ['image/png', png],
    ['image/jpeg', jpeg],
    ['image/webp', webp],
  ] as const) {
    it(`are sent as ${type} when they are that by their bytes, whatever their server calls them`, async () => {
      const response = await ask(serve(`/as-${type.slice(6)}`, bytes, 'text/html'));
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal(type);
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
      expect(response.headers.get('content-security-policy')).to.equal("default-src 'none'; sandbox");
      expect(response.headers.get('cache-control')).to.equal('no-store');
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).to.equal(true);
    });
  }

  for (const [what, body] of [
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    [
      'GIF',
      Buffer.from('47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b', 'hex'),
    ],
    ['a PNG that would unpack to more pixels than anybody needs', hugePng()],
    ['only the beginning of a PNG', png.subarray(0, 12)],
    ['nothing', ''],
  ] as const) {
    it(`are refused when they are ${what}`, async () => {
      const response = await ask(serve(`/bad-${what.length}.png`, body));
      expect(response.status).to.equal(503);
      expect(response.headers.get('content-type')).to.match(/^text\/html/);
      expect(await response.text()).not.to.contain('alert(1)');
    });
  }

  it('are refused when they are too heavy, and reading stops', async () => {
    let sent = 0;
    const url = answer('/heavy.png', (_req, res) => {
      res.writeHead(200, { 'content-type': 'image/png' });
      const more = () => {
        sent += 1;
        if (sent > 400 || res.destroyed) return void res.end();
        res.write(Buffer.alloc(64 * 1024), more);
      };
      res.write(png, more);
    });
    expect((await ask(url)).status).to.equal(503);
    expect(sent * 64 * 1024).to.be.lessThan(3 * maxPictureBytes);
  });

  it('that never come end with a refusal; asking again at once knocks no second time', async () => {
    const url = answer('/gone.png', (req) => void req.socket.destroy());
    const post = await keepPost(url);
    expect((await fetchAs(reader, pathOf(post, url))).status).to.equal(503);
    const before = asked('/gone.png');
    expect((await fetchAs(reader, pathOf(post, url))).status).to.equal(503);
    expect(asked('/gone.png')).to.equal(before);
  });

  it('are given up when their server hangs', async () => {
    const url = answer(
      '/hangs.png',
      (_req, res) => void res.writeHead(200, { 'content-type': 'image/png' }).write(png),
    );
    const { fetchText } = app.federation.fetch;
    const dataDir = temporaryFolder();
    const shelf = createPictures({ fetchText, dataDir, now: () => new Date(), timeoutMs: 200 });
    expect(await shelf.load(url)).to.equal(null);
  });

  it('are kept: the second reader costs the other server nothing', async () => {
    const url = serve('/kept.png', png);
    const post = await keepPost(url);
    for (let turn = 0; turn < 3; turn++) expect((await fetchAs(reader, pathOf(post, url))).status).to.equal(200);
    expect(asked('/kept.png')).to.equal(1);
  });

  it('of a post that the reader may not read answer 404 and ask nobody', async () => {
    const url = serve('/private.png', png);
    const response = await ask(url, [`${alice.iri}/followers`]);
    expect(response.status).to.equal(404);
    expect(asked('/private.png')).to.equal(0);
  });

  it('of a deleted post answer 404, also when they are still kept', async () => {
    const url = serve('/deleted.png', png);
    const post = await keepPost(url);
    expect((await fetchAs(reader, pathOf(post, url))).status).to.equal(200);
    await remotePostsIn(app.house.store).updateOne({ _id: post._id }, { $set: { deletedAt: new Date() } });
    expect((await fetchAs(reader, pathOf(post, url))).status).to.equal(404);
  });

  it('are nobody else’s proxy: an address that stands in no post, or is no picture, answers 404', async () => {
    const url = serve('/other.png', png);
    const post = await keepPost(serve('/named.png', png));
    expect((await fetchAs(reader, pathOf(post, url))).status).to.equal(404);
    const sound = serve('/sound.mp3', png, 'audio/mpeg');
    const heard = await keepPost(sound, everybody, 'audio/mpeg');
    expect((await fetchAs(reader, pathOf(heard, sound))).status).to.equal(404);
    expect([asked('/other.png'), asked('/sound.mp3')]).to.deep.equal([0, 0]);
  });

  it('are for those who are signed in', async () => {
    const url = serve('/signed.png', png);
    const response = await fetchAs(app.client(), pathOf(await keepPost(url), url));
    expect(response.status).to.equal(303);
    expect(asked('/signed.png')).to.equal(0);
  });

  for (const url of [
    'http://127.0.0.1:22/a.png',
    'http://169.254.169.254/latest/meta-data/a.png',
    'https://[::1]/a.png',
    'https://localhost/a.png',
    'https://10.0.0.1/a.png',
    'https://example.org:8443/a.png',
    'file:///etc/passwd',
  ]) {
    it(`are not asked for at ${url}`, async () => {
      expect((await ask(url)).status).to.equal(503);
    });
  }

  it('are not asked for at ourselves, nor where a server sends us on to a private address', async () => {
    expect((await ask(`${app.url}/health/live`)).status).to.equal(503);
    const url = answer(
      '/moved.png',
      (_req, res) => void res.writeHead(302, { location: 'http://127.0.0.1:9/a.png' }).end(),
    );
    expect((await ask(url)).status).to.equal(503);
  });

  it('wait on the page until they are asked for, with their words; whoever chose to, sees them at once', async () => {
    const url = serve('/cats.png', png);
    const post = await keepPost(url);
    const before = await reader.get(`/me/partners/posts/${post._id}`);
    expect(before.text).to.match(
      /<details[^>]*><summary>[^<]*<bdi>Two cats on a wall<\/bdi><\/summary><img src="\/me\//,
    );
    expect(before.text).to.match(/alt="Two cats on a wall" loading="lazy"/);
    expect(before.text).not.to.contain(`src="${peer.origin}`);
    const ctx = contextFor(app.house, systemActor);
    const choices = { language: null, timeZone: null, mailChoices: person.mailChoices };
    await updatePreferences(ctx, person._id, { ...choices, showsPictures: true });
    const after = await reader.get(`/me/partners/posts/${post._id}`);
    expect(after.text).to.match(/<figure><img src="\/me\/[^>]*alt="Two cats on a wall"/);
    expect(after.text).not.to.contain(`src="${peer.origin}`);
    await updatePreferences(ctx, person._id, { ...choices, showsPictures: false });
  });

  it('include the portraits of actors that are known, and of nobody else', async () => {
    const faces = (iri: string) => fetchAs(reader, `/me/partners/portrait?of=${encodeURIComponent(iri)}`);
    serve('/face.png', png);
    expect((await faces(alice.iri)).status).to.equal(404);
    await app.house.lookUpActor(`@alice@${peer.host}`);
    expect((await faces(alice.iri)).status).to.equal(200);
    expect((await faces(`${peer.origin}/face.png`)).status).to.equal(404);
    await remoteActorsIn(app.house.store).updateOne({ _id: alice.iri }, { $set: { goneAt: new Date() } });
    expect((await faces(alice.iri)).status).to.equal(404);
  });
});

describe('the shelf of pictures', () => {
  const read = (body: Buffer): FetchOutcome => ({
    ...{ outcome: 'read', body, etag: null, lastModified: null, finalUrl: 'https://pictures.example/' },
  });

  it('asks once for what many ask for at the same time', async () => {
    let count = 0;
    const fetchText = async () => {
      count += 1;
      return read(png);
    };
    const shelf = createPictures({ fetchText, dataDir: temporaryFolder(), now: () => new Date() });
    const found = await Promise.all(Array.from({ length: 9 }, () => shelf.load('https://pictures.example/a')));
    expect([count, found.every((one) => one?.type === 'image/png')]).to.deep.equal([1, true]);
  });

  it('asks at most four servers at once, so that those that hang do not stop everything', async () => {
    let open = 0;
    let most = 0;
    const fetchText = async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open -= 1;
      return read(png);
    };
    const shelf = createPictures({ fetchText, dataDir: temporaryFolder(), now: () => new Date() });
    const many = Array.from({ length: 80 }, (_one, index) => shelf.load(`https://pictures.example/${index}`));
    const found = await Promise.all(many);
    expect(most).to.equal(4);
    expect(found.filter((one) => one === null)).to.have.length(80 - 64);
  });

  it('keeps no more than it may, the newest, and nothing for longer than a week', async () => {
    const dataDir = temporaryFolder();
    const folder = join(dataDir, 'cache', 'pictures');
    let days = 0;
    const now = () => new Date(Date.now() + days * 24 * 60 * 60 * 1000);
    const shelf = createPictures({ fetchText: async () => read(png), dataDir, now, maxKept: png.length * 3 });
    for (let index = 0; index < 6; index++) {
      await shelf.load(`https://pictures.example/${index}`);
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        utimesSync(path, new Date(), new Date(Date.now() - 1000));
      }
    }
    await shelf.prune();
    expect(readdirSync(folder)).to.have.length(3);
    days = 8;
    expect(await shelf.find('https://pictures.example/5')).to.equal(null);
    await shelf.prune();
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});

/** A whole header that promises 30,000 by 30,000 pixels. */
function hugePng(): Buffer {
  const bytes = Buffer.from(png);
  bytes.writeUInt32BE(30_000, 16);
  bytes.writeUInt32BE(30_000, 20);
  return bytes;
}
