// The story of a first instance, told to the process as a person, a visitor and a server of the Fediverse would: over
// HTTP alone, without JavaScript, on each engine. ActivityPub is spoken by a peer that shares no line with the server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type ChatonsInfosServer,
  quirkyChatonsInfosFiles,
  startChatonsInfosServer,
} from '../support/chatonsinfosServer.js';
import { Peer, type PeerActor, type ReceivedRequest } from '../support/peer/peer.js';
import { freePort, type ServerProcess, startServer } from '../support/serverProcess.js';
import { withDatabase } from '../support/storeSupport.js';
import { Visitor } from '../support/visitor.js';

type Json = Record<string, unknown>;

const mongodbUri = process.env.TEST_MONGODB_URI;

tellStory('the embedded engine', () => ({}));
if (mongodbUri) tellStory('MongoDB', () => ({ MONGODB_URI: withDatabase(mongodbUri, `story${Date.now()}`) }));
else it('the story on MongoDB was not run: TEST_MONGODB_URI is not set');

function tellStory(engine: string, engineEnv: () => Record<string, string>): void {
  describe(`the story of a first instance on ${engine}`, function () {
    this.timeout(60_000);
    const dataDir = mkdtempSync(join(tmpdir(), 'chatiere-story-'));
    const env: Record<string, string> = {};
    let port: number;
    let server: ServerProcess;
    let hoster: ChatonsInfosServer;
    let peer: Peer;
    let alice: PeerActor;
    let admin: Visitor;
    /** /my/collectives/{id} */
    let desk: string;
    let handle: string;

    before(async () => {
      hoster = await startChatonsInfosServer({ files: quirkyChatonsInfosFiles() });
      peer = await Peer.start();
      alice = peer.addActor('alice');
      port = await freePort();
      const allowed = [new URL(hoster.baseUrl).host, peer.host, `localhost:${port}`].join(',');
      Object.assign(env, engineEnv(), { FEDERATION_PRIVATE_HOSTS: allowed });
      server = await startServer({ dataDir, port, env });
    });

    after(async () => {
      await server?.stop('SIGKILL');
      await hoster?.close();
      await peer?.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });

    it('is set up in the browser by the link printed at the first start', async () => {
      const link = await server.setupLink();
      if (!link) throw new Error(`no set-up link in:\n${server.output()}`);
      admin = new Visitor(server.baseUrl);
      await admin.visit(link);
      await admin.submit(new URL(link).pathname, {
        displayName: 'Camille',
        username: 'camille',
        email: 'camille@example.org',
        password: 'quatre mots sans rapport',
        instanceName: 'Le Canal',
        collectiveName: 'La Bouture',
      });
      expect(admin.current.status).to.equal(200);
      desk = new URL(admin.current.url).pathname;
      expect(desk).to.match(/^\/my\/collectives\/[0-9a-f-]{36}$/);
      expect(admin.current.text).to.include('Le Canal').and.include('Brouillon');

      const stranger = new Visitor(server.baseUrl);
      expect((await stranger.visit(link)).status).to.be.oneOf([404, 410]);
    });

    it('shows what the hoster’s files would do, each mistake at its line, and lets one be corrected first', async () => {
      await admin.visit(`${desk}/chatonsinfos`);
      await admin.submit('/chatonsinfos/url', { url: `${hoster.baseUrl}/organization.properties` });
      expect(admin.current.status, admin.current.text).to.equal(200);
      expect(admin.current.text).to.include('Ligne').and.include('latin1');
      const preview = new URL(admin.current.url).pathname;

      const stranger = new Visitor(server.baseUrl);
      await stranger.visit('/services');
      expect(stranger.current.text).not.to.include('Bouture');

      const badChatRoom = { key: 'organization.chatrooms.irc' };
      await admin.submit('/correct', { value: 'https://web.libera.chat/#bouture' }, { holding: badChatRoom });
      expect(new URL(admin.current.url).pathname).to.equal(preview);
      expect(() => admin.form('/correct', badChatRoom)).to.throw('no form');
    });

    it('does exactly that when confirmed, and publishes', async () => {
      await admin.submit('/apply', { publish: 'on' });
      expect(admin.current.status, admin.current.text).to.equal(200);
      await admin.visit(desk);
      await admin.submit('/publish');
      handle = /@([a-z0-9_]+)/.exec((await admin.visit('/my/collectives')).text)?.[1] ?? '';
      const page = await new Visitor(server.baseUrl).visit(`/@${handle}`);
      expect(page.status).to.equal(200);
      expect(page.text).to.include('L’Atelier de la Bouture'.replace('’', "'")).and.include('Lyon');
      expect(page.html).to.include('https://web.libera.chat/#bouture');
    });

    for (const [language, need, word, noAccount] of [
      ['fr', 'write', 'Bouture', 'sans compte'],
      ['en', 'write', 'Bouture', 'no account'],
    ] as const) {
      it(`lets a visitor find the pad by need, in ${language}, without JavaScript`, async () => {
        const visitor = new Visitor(server.baseUrl, language);
        await visitor.visit('/');
        expect(visitor.current.html).to.include(`<html lang="${language}"`);
        // The finder hears of a publication with the next handing on of events, a moment later.
        await eventually(async () => (await visitor.visit(`/services?need=${need}`)).text.includes(word) || undefined);
        expect(visitor.current.text.toLowerCase()).to.include(noAccount);
        await visitor.visit('/services?q=pads');
        const link = /href="(\/@[^"]+\/services\/[^"]+)"/.exec(visitor.current.html)?.[1];
        const service = await visitor.visit(link ?? 'none');
        expect(service.status).to.equal(200);
        expect(service.text).to.include('Etherpad');
      });
    }

    it('gives the files back at addresses of its own, with what it does not know', async () => {
      const own = await fetch(`${server.baseUrl}/.well-known/chatonsinfos/${handle}.properties`);
      expect(own.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
      const text = await own.text();
      expect(text).to.match(/^organization\.mascot = ?Le bouturage$/m);
      expect(text).to.match(/^organization\.startdate = ?2019-03-14$/m);
    });

    it('is looked up and followed by another program, and accepts', async () => {
      const actor = await peer.lookUp(server.baseUrl, `${handle}@localhost:${port}`);
      expect(actor).to.include({ type: 'Organization', preferredUsername: handle });
      expect(JSON.stringify(actor)).not.to.include('PRIVATE KEY');
      const answer = await peer.post(alice, String(actor.inbox), peer.follow(alice, String(actor.id)));
      expect(answer.status).to.equal(202);
      const accept = await eventually(() => peer.ofType('Accept')[0]);
      expectSigned(accept);
      expect((accept.json.object as Json).type).to.equal('Follow');
      expect(accept.json.actor).to.equal(actor.id);
    });

    let servicePath: string;
    let noteId: string;

    it('tells its followers of a new service, signed, with the digest of what was sent', async () => {
      await admin.visit(`${desk}/services/new`);
      await admin.submit('/services/new', {
        'name.fr': 'Rendez-vous',
        'name.en': 'Appointments',
        software: 'Framadate',
      });
      servicePath = new URL(admin.current.url).pathname;
      expect(peer.ofType('Create')).to.deep.equal([]);
      await admin.submit('/publish');
      const create = await eventually(() => peer.ofType('Create')[0]);
      expectSigned(create);
      const note = create.json.object as Json;
      noteId = String(note.id);
      expect(note.type).to.equal('Note');
      expect(note.content).to.include('Rendez-vous');
      expect(create.json.to).to.include('https://www.w3.org/ns/activitystreams#Public');
      expect(create.json.proof, 'FEP-8b32').to.have.property('cryptosuite', 'eddsa-jcs-2022');
      expect((await peer.getJson(noteId)).content).to.equal(note.content);
    });

    it('tells of the change', async () => {
      await admin.visit(servicePath);
      await admin.submit(servicePath, { load: 'FULL' });
      const update = await eventually(() => peer.ofType('Update').find((one) => idOf(one) === noteId));
      expectSigned(update);
      expect((update.json.object as Json).updated).to.be.a('string');
    });

    it('loses nothing that it acknowledged when the power goes, and sends it once', async function () {
      // Killed in the middle of an exchange, its lease has to end first: a minute.
      this.timeout(150_000);
      await admin.visit(`${desk}/posts/new`).catch(() => admin.visit(`${desk}/posts`));
      const heard = peer.ofType('Create').length;
      peer.behaviour = { status: 503 };
      await admin.submit('/posts/new', { 'text.fr': 'La panne est réparée.' }, { button: 'publish' });
      expect(admin.current.status).to.equal(200);
      await server.stop('SIGKILL');
      peer.behaviour = { status: 202 };
      const refused = peer.received.length;
      server = await startServer({ dataDir, port, env });
      expect(await server.setupLink()).to.equal(null);

      const page = await new Visitor(server.baseUrl).visit(`/@${handle}`);
      expect(page.text).to.include('La panne est réparée.');
      await eventually(() => peer.received.slice(refused).find((one) => one.json.type === 'Create'), 120_000);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const after = peer.received.slice(refused).filter((one) => one.json.type === 'Create');
      expect(after).to.have.length(1);
      const ids = new Set(
        peer
          .ofType('Create')
          .slice(heard)
          .map((one) => one.json.id),
      );
      expect(ids.size, 'every attempt bore the same id').to.equal(1);
    });

    it('withdraws the service everywhere', async () => {
      await admin.visit(`${servicePath}/withdraw`);
      await admin.submit('/withdraw');
      const gone = await eventually(() => peer.ofType('Delete').find((one) => idOf(one) === noteId), 20_000);
      expectSigned(gone);
      expect((gone.json.object as Json).type).to.equal('Tombstone');
      expect((await peer.get(noteId)).status).to.be.oneOf([404, 410]);
      const visitor = new Visitor(server.baseUrl);
      expect((await visitor.visit('/services?q=rendez-vous')).text).not.to.include('Framadate');
    });

    it('ends in good order when asked', async () => {
      expect(await server.stop('SIGTERM')).to.equal(0);
    });
  });
}

function idOf(request: ReceivedRequest): unknown {
  const { object } = request.json;
  return typeof object === 'object' && object !== null ? (object as Json).id : object;
}

function expectSigned(request: ReceivedRequest): void {
  expect(request.signature).to.equal('valid');
  expect(request.digestFits).to.equal(true);
}

async function eventually<T>(look: () => T | undefined | Promise<T | undefined>, timeoutMs = 15_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
