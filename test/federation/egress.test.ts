// Nothing leaves except through federation/fetch.ts: by reading every module, and by watching every socket (AP-64, AP-67).
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildApex } from '../../federation/apex.js';
import { deliverDue } from '../../federation/delivery.js';
import { resolveMentions } from '../../federation/mentions.js';
import { followsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { projectDir } from '../../server/paths.js';
import { publishPost } from '../../server/posts/actions.js';
import { addCollective, startFederatedApp, startPeer } from './federatedApp.js';

/** Modules that may open sockets, and which. */
const doors: Record<string, RegExp> = {
  'federation/fetch.ts': /^(undici|node:net|node:dns)$/,
  'server/main.ts': /^node:http$/,
  'server/startup.ts': /^node:http$/,
};
const socketModules = /^(undici|node:(net|http|https|http2|tls|dns|dgram|dns\/promises))$/;
/** Mail goes out by its one transport; the doctor and the demo are run by hand and talk to the network on purpose. */
const others = [/^server\/notices\/actions\/transport\.ts$/, /^server\/cli\/doctor/, /^jobs\/demo/];

function modules(): string[] {
  return ['server', 'federation', 'jobs'].flatMap((room) =>
    readdirSync(join(projectDir, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => `${room}/${name}`),
  );
}

describe('the way out', () => {
  it('is one module: no other imports anything that opens a socket', () => {
    const found: string[] = [];
    for (const file of modules()) {
      if (others.some((one) => one.test(file))) continue;
      const source = readFileSync(join(projectDir, file), 'utf8');
      for (const [, kind, name] of source.matchAll(/(import(?: type)?)[^;]*?from '([^']+)'/g)) {
        if (kind === 'import' && socketModules.test(name!) && !doors[file]?.test(name!)) found.push(`${file}: ${name}`);
      }
      // A parameter or variable of that name is not the global one.
      const named = /\bfetch: \(|\b(const|let|function) fetch\b/.test(source)
        ? source.replaceAll('fetch(', '')
        : source;
      const code = named.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      if (
        /(?<![.#\w])fetch\(|new (WebSocket|XMLHttpRequest|EventSource)\b|import\('(undici|node:(net|http|https|tls))'\)/.test(
          code,
        )
      )
        found.push(`${file}: fetch`);
    }
    expect(modules().length).to.be.above(100);
    expect(found).to.deep.equal([]);
  });

  it('is guarded wherever an address comes from: no socket to a private place, none to ourselves', async () => {
    const peer = await startPeer();
    const app = await startFederatedApp({ privateHosts: [peer.host] });
    const hoster = await addCollective(app);
    const mallory = peer.addActor('mallory');
    const followed = `${app.baseUrl}/actors/${hoster.handle}`;
    for (const [index, inbox] of [
      'https://10.0.0.1/inbox',
      'https://localhost/inbox',
      'http://127.0.0.1:9/inbox',
      `${app.baseUrl}/inbox`,
      'https://[::1]/inbox',
    ].entries()) {
      const follower = `https://f${index}.example/u`;
      const base = {
        followed,
        ownerKind: 'collective' as const,
        ownerId: hoster._id,
        followIri: `${follower}/f`,
        state: 'accepted' as const,
      };
      await followsIn(app.house.store).insertOne({
        _id: followKey(follower, followed),
        follower,
        ...base,
        deliverTo: inbox,
        requestedAt: new Date(),
        decidedAt: new Date(),
      });
    }
    const targets: string[] = [];
    const connect = Socket.prototype.connect;
    Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
      const [first] = Array.isArray(given[0]) ? (given[0] as unknown[]) : given;
      const { host, port } = first as { host?: string; port?: number | string };
      targets.push(`${host}:${port}`);
      return (connect as (...values: unknown[]) => Socket).apply(this, given);
    } as typeof connect;
    try {
      for (const keyId of [
        'https://10.0.0.1/k',
        'http://169.254.169.254/k',
        'https://[::ffff:127.0.0.1]/k',
        `${app.baseUrl}/k`,
      ]) {
        expect(
          (await peer.post(mallory, `${app.baseUrl}/inbox`, peer.follow(mallory, followed), { keyId })).status,
        ).to.equal(401);
      }
      await publishPost(app.ctx(), hoster._id, { fr: 'Bonjour @a@10.0.0.1 @b@localhost', en: '' });
      await app.run();
      await deliverDue(app.federation);
      expect(await resolveMentions(app.federation, ['x@127.0.0.1', 'x@192.168.0.1:80', 'x@localhost'])).to.deep.equal(
        [],
      );
      await app.federation.fetch.fetchText('https://10.0.0.1/x', { maxBytes: 10, timeoutMs: 1000 });
    } finally {
      Socket.prototype.connect = connect;
    }
    // The peer's own four requests to us are all there is.
    expect(targets).to.deep.equal(Array(4).fill(app.house.site.host));
  });

  it('is not in activitypub-express: what it would use for the network refuses to be called, and its dangers throw', async () => {
    const require = createRequire(import.meta.url);
    for (const name of ['request', 'request-promise-native', 'http-signature', '@digitalbazaar/http-client']) {
      const module = require(name) as (() => void) & Record<string, () => void>;
      expect(() => module(), name).to.throw('must never be called');
      expect(() => module.get!(), name).to.throw('must never be called');
    }
    const site = { baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' as const };
    const apex = buildApex(site);
    const targets: string[] = [];
    const connect = Socket.prototype.connect;
    Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
      targets.push(JSON.stringify(given));
      return (connect as (...values: unknown[]) => Socket).apply(this, given);
    } as typeof connect;
    try {
      await apex.read({
        '@context': ['https://evil.example/context', { x: 'https://evil.example/#' }],
        id: 'https://e.example/1',
        type: 'Follow',
      });
      const activity = await apex.buildActivity({
        id: 'https://us.example/activities/1',
        type: 'Create',
        actor: 'https://us.example/actors/a',
        to: ['as:Public'],
        cc: [],
        published: new Date(0),
        object: {
          id: 'https://us.example/objects/1',
          type: 'Note',
          content: 'x',
          to: ['as:Public'],
          tag: [{ type: 'Hashtag', name: '#a' }],
        },
      });
      expect(activity.to).to.deep.equal(['https://www.w3.org/ns/activitystreams#Public']);
      expect((activity.object as Record<string, unknown>).tag).to.deep.equal([{ type: 'Hashtag', name: '#a' }]);
    } finally {
      Socket.prototype.connect = connect;
    }
    expect(targets).to.deep.equal([]);
    expect(apex.actorIri('a')).to.equal('https://us.example/actors/a');
    expect(apex.streamsOf('a').followers).to.equal('https://us.example/actors/a/followers');
  });
});
