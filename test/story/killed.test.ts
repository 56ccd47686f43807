// A server that is killed again and again while four writers speak to it: whatever it said it had taken is there afterwards,
// once, and its data are whole (RL-01). What was not acknowledged is said again, as servers do.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import Database from 'libsql';
import { followsIn } from '../../server/partners/queries.js';
import { openStore } from '../../server/store/openStore.js';
import { Peer, type PeerActor } from '../support/peer/peer.js';
import { freePort, type ServerProcess, startServer } from '../support/serverProcess.js';
import { temporaryFolder } from '../support/storeSupport.js';

const writers = 4;
const each = 100;
/** Documents of strangers are read sixty a minute from one server. */
const servers = 16;
const kills = 4;

describe('a server that is killed', function () {
  this.timeout(300_000);
  const peers: Peer[] = [];
  let server: ServerProcess;

  after(async () => {
    await server?.stop('SIGKILL');
    for (const peer of peers) await peer.stop();
  });

  it('keeps everything that it acknowledged to four writers, each thing once (RL-01)', async () => {
    for (let at = 0; at < servers; at++) peers.push(await Peer.start());
    const dataDir = temporaryFolder();
    const port = await freePort();
    const bootstrap = join(temporaryFolder(), 'bootstrap.json');
    writeFileSync(bootstrap, JSON.stringify(hoster));
    const hosts = [...peers.map(({ host }) => host), `localhost:${port}`];
    const env = { FEDERATION_PRIVATE_HOSTS: hosts.join(','), BOOTSTRAP_FILE: bootstrap };
    const start = () => startServer({ dataDir, port, env, timeoutMs: 60_000 });
    server = await start();
    const { baseUrl } = server;
    const first = peers[0]?.addActor('first');
    if (!first) throw new Error('no peer');

    let acknowledged = 0;
    let isDead = false;
    const speak = async (writer: number): Promise<string[]> => {
      const said: string[] = [];
      for (let n = 0; n < each; n++) {
        const peer = peers[(writer * each + n) % servers] as Peer;
        const actor = actorOf(peer, first, `w${writer}n${n}`);
        const follow = peer.follow(actor, `${baseUrl}/actors/ecluse`);
        for (;;) {
          const status = await peer.post(actor, `${baseUrl}/inbox`, follow).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status === 202) break;
          expect(status, 'nothing but silence or "later"').to.be.oneOf([0, 503]);
          await new Promise((resolve) => setTimeout(resolve, isDead ? 200 : 20));
        }
        said.push(actor.iri);
        acknowledged += 1;
      }
      return said;
    };
    const speaking = Promise.all(Array.from({ length: writers }, (_, writer) => speak(writer)));
    for (let kill = 1; kill <= kills; kill++) {
      const at = Math.round(((kill - Math.random() / 2) * writers * each) / (kills + 1));
      while (acknowledged < at) await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 5));
      isDead = true;
      await server.stop('SIGKILL');
      server = await start();
      isDead = false;
    }
    const said = (await speaking).flat();
    await server.stop('SIGKILL');

    const store = await openStore({ dataDir, onScan: 'error' });
    const follows = await followsIn(store).find({}).toArray();
    expect(follows.map(({ follower }) => follower).sort()).to.deep.equal([...said].sort());
    expect(new Set(follows.map(({ state }) => state))).to.deep.equal(new Set(['accepted']));
    await store.close();
    expect(readFileSync(join(dataDir, 'chatiere.db')).length).to.be.above(0);
    const database = new Database(join(dataDir, 'chatiere.db'));
    expect(database.prepare('PRAGMA integrity_check').raw().get([])).to.deep.equal(['ok']);
    database.close();
  });
});

/** Another actor with the same key: making keys takes longer than dying. */
function actorOf(peer: Peer, first: PeerActor, name: string): PeerActor {
  const iri = `${peer.origin}/users/${name}`;
  const actor = { ...first, name, iri, inbox: `${iri}/inbox`, keyId: `${iri}#main-key`, proofKeyId: `${iri}#ed` };
  peer.actors.set(name, actor);
  peer.serveJson(`/users/${name}`, peer.document(actor));
  return actor;
}

const hoster = {
  administrator: { username: 'camille', email: 'camille@canal.example', displayName: 'Camille', language: 'fr' },
  collectives: [
    {
      handle: 'ecluse',
      profile: { name: { fr: 'L’Écluse', en: 'The Lock' }, legalForm: 'ASSOCIATION' },
      published: true,
      members: [],
    },
  ],
};
