// An administrator restores a backup that is older than what the instance has said since. What had arrived is not sent again,
// what is said afterwards has ids of its own, and what the backup held waits for a decision, on a page.
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectDir } from '../../server/paths.js';
import { Peer, type PeerActor } from '../support/peer/peer.js';
import { eventually, Place, planSites } from '../support/place.js';
import { temporaryFolder } from '../support/storeSupport.js';

describe('the story of an old backup', function () {
  this.timeout(60_000);
  let peer: Peer;
  let alice: PeerActor;
  let place: Place;
  let actorIri: string;
  let file: string;
  let restored: string;
  /** The id under which each text was sent. */
  const ids = new Map<string, unknown>();

  before(async function () {
    file = join(temporaryFolder(), 'old.backup');
    restored = join(temporaryFolder(), 'data');
    // An archive is brought back by `import`, which marks it with the same line.
    if (process.env.CHATIERE_TEST_ENGINE === 'mongodb') return this.skip();
    peer = await Peer.start();
    alice = peer.addActor('alice');
    const [site] = await planSites(['canal']);
    if (!site) throw new Error('no site');
    place = await Place.open(site, [`${site.address}:${site.port}`, peer.host]);
    actorIri = `${place.server.baseUrl}/actors/canal`;
    expect((await peer.post(alice, `${place.server.baseUrl}/inbox`, peer.follow(alice, actorIri))).status).to.equal(
      202,
    );
    await eventually('the follow is accepted', () => peer.ofType('Accept')[0]);
  });

  after(async () => {
    await place?.server.stop('SIGKILL');
    await peer?.stop();
  });

  const attempts = (text: string) => peer.ofType('Create').filter(({ body }) => body.includes(text));

  async function arrives(text: string): Promise<unknown> {
    const id = (await eventually(`"${text}" arrives`, () => attempts(text)[0])).json.id;
    ids.set(text, id);
    return id;
  }

  async function knockNow(): Promise<void> {
    await place.member.visit(`/admin/peers/${peer.host}`);
    await place.member.submit('/retry');
  }

  async function chatiere(args: string[], dataDir: string): Promise<void> {
    const env = { PATH: process.env.PATH ?? '', DATA_DIR: dataDir, BASE_URL: place.server.baseUrl };
    const child = spawn(process.execPath, [join(projectDir, 'dist/server/cli.js'), ...args], {
      cwd: temporaryFolder(),
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code, said).to.equal(0);
  }

  it('is made while one thing has arrived and another still waits', async () => {
    await place.say('Avant la sauvegarde');
    await arrives('Avant la sauvegarde');
    peer.behaviour = { status: 503 };
    await place.say('En attente');
    await arrives('En attente');
    await chatiere(['backup', file], place.dataDir);
  });

  it('is soon outdated: what waited arrives, and more is said', async () => {
    peer.behaviour = { status: 202 };
    const tries = attempts('En attente').length;
    await knockNow();
    // A word wakes the queue; otherwise it looks every ten seconds.
    await place.say('Après la sauvegarde');
    await eventually('it arrives', () => attempts('En attente')[tries]);
    await arrives('Après la sauvegarde');
  });

  it('comes back: nothing of it is sent, not even when the administrator has everything tried anew', async () => {
    expect(await place.server.stop('SIGTERM')).to.equal(0);
    await chatiere(['restore', file], restored);
    copyFileSync(join(place.dataDir, 'secret'), join(restored, 'secret'));
    peer.received.length = 0;
    await place.restart(restored);
    expect((await place.member.visit('/my/collectives/')).text, 'still signed in').to.include('canal');
    await knockNow();
    await place.say('Depuis la restauration');
    const id = await arrives('Depuis la restauration');
    expect(peer.ofType('Create')).to.have.length(1);
    for (const [text, known] of ids) if (text !== 'Depuis la restauration') expect(id).not.to.equal(known);
  });

  it('says on a page what it held, and sends that under its old id when it is let go', async () => {
    expect((await place.member.visit('/admin')).text).to.include('Un envoi est retenu');
    const page = await place.member.visit('/admin/peers');
    expect(page.text).to.include('Un envoi retenu');
    await place.member.submit('/held/release');
    await place.say('Pour finir');
    const again = await eventually('it arrives again', () => attempts('En attente')[0]);
    expect(again.json.id).to.equal(ids.get('En attente'));
    expect(again.signature).to.equal('valid');
    expect((await place.member.visit('/admin/peers')).text).not.to.include('retenu');
    expect(attempts('Avant la sauvegarde')).to.deep.equal([]);
    expect(attempts('Après la sauvegarde')).to.deep.equal([]);
  });
});
