// Nothing leaves except through federation/fetch.ts: by reading every module, and by watching every socket (AP-64, AP-67).
// The list of what each room may load is here: a package that is new to a room is looked at before it gets a place in it.

import { Socket as Datagrams } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildApex } from '../../federation/apex.js';
import { deliverDue } from '../../federation/delivery.js';
import { resolveMentions } from '../../federation/mentions.js';
import { federationConsumer } from '../../federation/outbox.js';
import { policyConsumer } from '../../federation/policy.js';
import { schedule } from '../../jobs/schedule.js';
import type { JobTools } from '../../jobs/tools.js';
import { recordChange } from '../../server/history/actions.js';
import { noticeEvent } from '../../server/notices/actions/noticeEvent.js';
import { followActor } from '../../server/partners/actions/following.js';
import { followsIn } from '../../server/partners/queries.js';
import { projectDir } from '../../server/paths.js';
import { publishPost } from '../../server/posts/actions.js';
import { eventfulCollections } from '../../server/store/schema.js';
import { temporaryFolder } from '../support/storeSupport.js';
import { createOf, noteBy, publicIri, startConversation } from './conversation.js';
import { addCollective, followOf, startFederatedApp, startPeer } from './federatedApp.js';

/** What a room may load: nothing of it opens a socket, starts a process or runs code that is not there to be read. */
const harmless: Record<string, string> = {
  server: `node:buffer node:crypto node:events node:fs node:fs/promises node:os node:path node:perf_hooks
    node:stream/consumers node:stream/promises node:string_decoder node:timers/promises node:url node:util node:v8 node:zlib
    @node-rs/argon2 commander csrf-sync csv-stringify/sync express express-rate-limit express-session feed handlebars helmet
    image-size intl-messageformat markdown-it mingo/core mingo/operators/query/logical mingo/query multer passport passport-local
    pino sanitize-html uuid zod`,
  federation: `node:crypto node:fs node:fs/promises node:path node:timers/promises node:util node:zlib
    activitypub-express/pub/index.js canonicalize express express-rate-limit ipaddr.js zod`,
  jobs: 'node:crypto node:fs node:os node:path node-cron',
};
/** What a file may load besides, and why it must. `fetch` is the global of that name. */
const doors: Record<string, string> = {
  // The way out.
  'federation/fetch.ts': 'undici node:net node:dns',
  // The way in.
  'server/main.ts': 'node:http',
  // Mail, by its one transport.
  'server/notices/actions/transport.ts': 'nodemailer',
  // The database: its own files, a thread that copies them, and the other engine's server.
  'server/store/embedded/connection.ts': 'libsql node:module node:worker_threads',
  'server/store/embedded/backup.ts': 'libsql',
  'server/store/mongodb/store.ts': 'mongodb',
  // The command as it is installed leads to the one that was compiled.
  'server/bin/chatiere.js': '(compiled.href)',
  // Run by hand, to talk to the network.
  'server/cli/doctor.ts': 'node:dns/promises node:tls fetch',
  'jobs/demo.ts': 'node:child_process node:net fetch',
};
const words = (list = ''): string[] => list.split(/\s+/).filter(Boolean);

function modules(): string[] {
  return ['server', 'federation', 'jobs'].flatMap((room) =>
    readdirSync(join(projectDir, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[cm]?[jt]s$/.test(name) && !name.endsWith('.d.ts'))
      .map((name) => `${room}/${name.replaceAll('\\', '/')}`),
  );
}

/** What a module loads, by whatever means, files of ours left out; and `fetch` and its like where it names them. */
function loadedBy(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
  const found: string[] = [];
  for (const [, type, name] of code.matchAll(/\b(?:import|export)\s+(type\s)?[\w\s{},*$]*?\bfrom\s*['"]([^'"]+)['"]/g))
    if (type === undefined) found.push(name ?? '');
  for (const [, name] of code.matchAll(/(?:^|;)\s*import\s*['"]([^'"]+)['"]/gm)) found.push(name ?? '');
  // A name that is put together at run time could be any. Modules here have no `require` unless they load node:module.
  for (const [, how, given = ''] of code.matchAll(/\b(import|require)\s*\(\s*([^)]*)\)/g)) {
    const name = /^(['"`])([^$]+)\1$/.exec(given.trim())?.[2];
    if (name !== undefined || how === 'import') found.push(name ?? `(${given})`);
  }
  for (const [word] of code.matchAll(
    /\b(?:getBuiltinModule|_linkedBinding|process\.binding|dlopen|eval\(|new Function)/g,
  ))
    found.push(word);
  // A parameter or variable of that name is not the global one.
  const isOwn = /\bfetch: \(|\b(const|let|function) fetch\b/.test(code);
  for (const [word] of code.matchAll(
    /(?<![.#\w])fetch\(|globalThis\.fetch|\b(?:WebSocket|XMLHttpRequest|EventSource)\b/g,
  ))
    if (!isOwn || word !== 'fetch(') found.push(word.replace('(', ''));
  return found.filter((name) => !/^\.\.?\//.test(name));
}

/** Addresses of the database, which is asked all the time: no way out. */
function ofDatabase(): string[] {
  const address = process.env.TEST_MONGODB_URI;
  if (process.env.CHATIERE_TEST_ENGINE !== 'mongodb' || address === undefined) return [];
  return new URL(address).host.split(',').map((host) => (host.includes(':') ? host : `${host}:27017`));
}

/** Runs something and tells where sockets of this process went meanwhile, but for the database. */
async function targetsOf(work: () => Promise<unknown>): Promise<string[]> {
  const targets: string[] = [];
  const { connect } = Socket.prototype;
  const { send } = Datagrams.prototype;
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
    const [first] = Array.isArray(given[0]) ? (given[0] as unknown[]) : given;
    const { host, port, path } = (typeof first === 'object' ? first : { port: first }) as Record<string, unknown>;
    targets.push(typeof path === 'string' ? path : `${host}:${port}`);
    return (connect as (...values: unknown[]) => Socket).apply(this, given);
  } as typeof connect;
  Datagrams.prototype.send = function (this: Datagrams, ...given: unknown[]) {
    targets.push(`datagram ${given.filter((one) => typeof one !== 'object' && typeof one !== 'function').join(':')}`);
    return (send as (...values: unknown[]) => void).apply(this, given);
  };
  try {
    await work();
  } finally {
    Socket.prototype.connect = connect;
    Datagrams.prototype.send = send;
  }
  const database = ofDatabase();
  return targets.filter(
    (target) => !database.includes(target.replace('localhost', '127.0.0.1')) && !database.includes(target),
  );
}

describe('the way out', () => {
  it('is one module: each room loads what is listed and nothing else, by whatever means', () => {
    const found: string[] = [];
    const used = new Set<string>();
    for (const file of modules()) {
      const [room = ''] = file.split('/');
      for (const name of loadedBy(readFileSync(join(projectDir, file), 'utf8'))) {
        if (words(doors[file]).includes(name)) used.add(`${file}: ${name}`);
        else if (!words(harmless[room]).includes(name)) found.push(`${file}: ${name}`);
      }
    }
    expect(modules().length).to.be.above(100);
    expect(found).to.deep.equal([]);
    const open = Object.entries(doors).flatMap(([file, list]) => words(list).map((name) => `${file}: ${name}`));
    expect([...used].sort(), 'doors that nobody needs any more').to.deep.equal(open.sort());
  });

  it('would be seen in every form: bare names, lazy, required, put together, of the globals', () => {
    for (const [source, name] of [
      ["import http from 'http';", 'http'],
      ["import { request,\n  get } from 'https';", 'https'],
      ["import 'node:dgram';", 'node:dgram'],
      ["export * from 'net';", 'net'],
      ["const a = await import('axios');", 'axios'],
      ['const a = await import(`tls`);', 'tls'],
      ["const a = require('child_process');", 'child_process'],
      ["const a = createRequire(import.meta.url)('dns');", null],
      ["import { createRequire } from 'node:module';", 'node:module'],
      ['const a = await import(name);', '(name)'],
      ["process.getBuiltinModule('net');", 'getBuiltinModule'],
      ['await fetch(address);', 'fetch'],
      ['globalThis.fetch(address);', 'globalThis.fetch'],
      ['new WebSocket(address);', 'WebSocket'],
      ["import type { Socket } from 'node:net';", null],
      ["import { fetch } from './fetch.js';", null],
      ['// import http from "http"', null],
    ] as const)
      expect(loadedBy(source), source).to.deep.equal(name === null ? [] : [name]);
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
      await followsIn(app.house.store).insertOne(followOf(app, hoster.handle, `https://f${index}.example/u`, inbox));
    }
    const targets = await targetsOf(async () => {
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
    });
    // The peer's own four requests to us are all there is.
    expect(targets).to.deep.equal(Array(4).fill(app.house.site.host));
  });

  it('leads to the addresses named and to no other while the whole house works, its jobs included', async function () {
    this.timeout(60_000);
    const at = await startConversation();
    const { app, peer, other } = at;
    const dataDir = temporaryFolder();
    const { house, federation } = app;
    const { store, log, now } = house;
    const tools: JobTools = {
      ...{ house, federation, store, log, now, dataDir, mailTransport: null, backupKeepDays: 1 },
      collections: eventfulCollections,
      consumers: [
        { name: 'history', receive: (event) => recordChange(store, event) },
        { name: 'notices', receive: (event) => noticeEvent({ house }, event) },
        policyConsumer(federation),
        federationConsumer(federation),
      ],
    };
    const alice = peer.addActor('alice', { icon: { type: 'Image', url: `${peer.origin}/face.png` } });
    peer.serveJson('/catalogue', { id: `${peer.origin}/catalogue`, type: 'OrderedCollection', orderedItems: [] });
    const base = `/my/collectives/${at.hoster._id}`;
    const targets = await targetsOf(async () => {
      expect((await house.lookUpActor(alice.iri)).outcome).to.equal('found');
      await followActor(at.ctx(), { kind: 'collective', id: at.hoster._id }, { actor: alice.iri });
      const ours = await at.say(`Bonjour @alice@${peer.host} @x@10.0.0.1`);
      await at.send(alice, peer.follow(alice, at.iri));
      const answer = noteBy(alice, {
        inReplyTo: ours.object,
        attachment: [{ type: 'Image', url: 'https://10.0.0.1/x.png' }],
      });
      await at.send(alice, createOf(answer, peer.nextId()));
      await at.send(alice, { id: peer.nextId(), type: 'Announce', to: [publicIri], object: `${other.origin}/notes/1` });
      for (const path of ['/', ours.page, '/@ecluse', '/services', '/changes.atom']) await at.visitor.get(path);
      for (const address of [
        `@alice@${peer.host}`,
        '@root@localhost',
        'https://169.254.169.254/latest',
        `${app.url}/x`,
      ])
        await at.member.get(`${base}/partners/find?q=${encodeURIComponent(address)}`);
      await federation.fetch.fetchText(`http://${other.host}/feed`, { maxBytes: 100, timeoutMs: 1000 });
      for (let round = 0; round < 3; round++) {
        for (const { run } of schedule) await run(tools, new AbortController().signal);
        at.pass(60 * 60 * 1000);
      }
    });
    const named = [peer.host, other.host, house.site.host].sort();
    expect([...new Set(targets)].sort(), 'all that was connected to').to.deep.equal(named);
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
    const targets = await targetsOf(async () => {
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
    });
    expect(targets).to.deep.equal([]);
    expect(apex.actorIri('a')).to.equal('https://us.example/actors/a');
    expect(apex.streamsOf('a').followers).to.equal('https://us.example/actors/a/followers');
  });
});
