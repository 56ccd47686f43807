// Nonsense by the thousand at the inboxes: never a 5xx, nothing stored that the model does not allow, alive at once after.
// FC_SEED picks other nonsense; what was once found stays in test/fixtures/fuzz/.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { WindowLimit } from '../../federation/limits.js';
import { projectDir } from '../../server/paths.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

const seed = Number(process.env.FC_SEED ?? 20_260_521);
const fixtures = join(projectDir, 'test/fixtures/fuzz');

class NoLimit extends WindowLimit {
  override take(): boolean {
    return true;
  }

  override isFull(): boolean {
    return false;
  }
}

describe('nonsense at the inboxes', function () {
  this.timeout(60_000);
  let app: FederatedApp;
  let peer: Peer;
  let bob: PeerActor;
  let hosterIri: string;

  before(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    // Behind the limit nothing would be looked at.
    const noLimit = new NoLimit(1_000_000, 60_000, app.house.now);
    Object.assign(app.federation, { inboundLimit: noLimit, hostLimit: noLimit, strangerLimit: noLimit });
    bob = peer.addActor('bob');
    const hoster = await addCollective(app);
    hosterIri = `${app.baseUrl}/actors/${hoster.handle}`;
    await peer.post(bob, `${app.baseUrl}/inbox`, like());
  });

  const inbox = (): string => `${app.baseUrl}/inbox`;
  const like = () => ({ id: peer.nextId(), type: 'Like', actor: bob.iri, object: `${hosterIri}/x` });

  async function alive(): Promise<void> {
    const started = performance.now();
    expect((await peer.post(bob, inbox(), like())).status).to.equal(202);
    expect(performance.now() - started).to.be.below(1000);
    expect(({} as { x?: unknown }).x).to.equal(undefined);
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
  }

  /** Every spelling of an id that anybody might mistake for another. */
  const ids = (): fc.Arbitrary<unknown> =>
    fc.oneof(
      fc.constantFrom<unknown>(
        ...[bob.iri, hosterIri, `${hosterIri}#x`, `${hosterIri}/../instance`, `${app.baseUrl}/activities/1`],
        ...[`${peer.origin}/users/nobody`, `${peer.origin}\\@evil.example/`, `${peer.origin}:80/x`, `${bob.iri}?a=1#b`],
        ...['https://127.0.0.1/x', 'http://[::1]/', 'file:///etc/passwd', 'javascript:alert(1)', 'did:key:z6Mk', 'bob'],
        ...['as:Public', '', ' ', 'https://', '//x', 'https://x'.repeat(300), null, 7, true, -0, [], {}, [[]]],
      ),
      fc.webUrl(),
      fc.string({ maxLength: 40 }),
    );
  const keys = fc.constantFrom(
    ...['id', 'type', 'actor', 'object', 'to', 'cc', 'bto', 'tag', 'target', 'attributedTo', 'published', 'proof'],
    ...['@id', '@type', '@context', '@graph', '@included', '@reverse', '@value', '@list', '@set', '@language', '@none'],
    ...['_id', '_meta', '_local', '$where', '$set', 'a.b', '＄ne', 'constructor', 'toString', 'then', 'as:actor'],
    ...['https://www.w3.org/ns/activitystreams#actor', 'signature', 'content', 'contentMap', 'name', ''],
  );
  const types = fc.constantFrom<unknown>(
    ...[
      'Follow',
      'Undo',
      'Create',
      'Update',
      'Delete',
      'Accept',
      'Announce',
      'Flag',
      'Move',
      'Note',
      'Person',
      'as:Follow',
    ],
    ...[
      ['Follow'],
      ['Create', 'Delete'],
      [],
      {},
      7,
      null,
      '',
      'https://www.w3.org/ns/activitystreams#Follow',
      'x'.repeat(500),
    ],
  );
  const contexts = fc.constantFrom<unknown>(
    ...['https://www.w3.org/ns/activitystreams', 'https://nowhere.example/ctx', [], {}, null, 7, 'not an address'],
    ...[
      { actor: 'as:object' },
      { x: '@type' },
      { '@vocab': 'https://x/' },
      { '@base': 'https://x/' },
      { '@import': 'x' },
    ],
    ...[['https://www.w3.org/ns/activitystreams', { toot: 'http://joinmastodon.org/ns#', sensitive: 'as:sensitive' }]],
  );
  const values = (): fc.Arbitrary<unknown> =>
    fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        ids(),
        types,
        fc.double(),
        fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    })).value;
  const activities = (): fc.Arbitrary<Record<string, unknown>> =>
    fc
      .tuple(
        fc.record(
          { '@context': contexts, id: ids(), type: types, actor: ids(), object: values() },
          { requiredKeys: [] },
        ),
        fc.dictionary(keys, values(), { maxKeys: 4 }),
      )
      .map(([frame, more]) => ({ ...more, ...frame }));

  /** What may leave a trace: somebody's own Follow of an actor of ours, or what undoes one. */
  function mayStore(activity: Record<string, unknown>): boolean {
    return /Follow|Undo|Delete|Update/.test(JSON.stringify(activity.type ?? activity['@type'] ?? ''));
  }

  async function tryActivity(activity: Record<string, unknown>): Promise<void> {
    const send = () => peer.post(bob, inbox(), activity);
    const started = performance.now();
    const answer = mayStore(activity) ? await send() : await nothingStored(app, send);
    expect(answer.status, answer.text).to.be.below(500);
    expect(performance.now() - started, 'milliseconds, all of it').to.be.below(1000);
    if (answer.status === 202) return;
    // What is refused leaves no trace, whatever it was.
    await nothingStored(app, send);
  }

  /** Tries `least` times however slow the machine is, and up to `most` times while the milliseconds last. */
  async function often<T>(
    things: fc.Arbitrary<T>,
    attempt: (thing: T) => Promise<void>,
    { least, most, ms }: { least: number; most: number; ms: number },
  ): Promise<void> {
    const started = performance.now();
    let tried = 0;
    // What failed is made smaller without an end in view: that must not be cut short.
    let isShrinking = false;
    const property = fc.asyncProperty(things, async (thing) => {
      if (tried >= least && performance.now() - started > ms && !isShrinking) return;
      tried++;
      await attempt(thing).catch((error: unknown) => {
        isShrinking = true;
        throw error;
      });
    });
    await fc.assert(property, { seed, numRuns: most });
    expect(tried, 'tries').to.be.at.least(least);
  }

  it('takes activities of every shape, well signed (1 of section 5)', async () => {
    await often(activities(), tryActivity, { least: 100, most: 400, ms: 6000 });
    await alive();
  });

  it('takes real activities with one thing changed', async () => {
    const real = () =>
      fc.constantFrom<Record<string, unknown>>(
        peer.follow(bob, hosterIri),
        { id: peer.nextId(), type: 'Undo', actor: bob.iri, object: peer.follow(bob, hosterIri) },
        {
          id: peer.nextId(),
          type: 'Create',
          actor: bob.iri,
          object: { id: `${bob.iri}/1`, type: 'Note', to: [bob.iri] },
        },
        { id: peer.nextId(), type: 'Update', actor: bob.iri, object: peer.document(bob) },
      );
    const changed = fc.tuple(real(), keys, values(), fc.boolean()).map(([activity, key, value, inside]) => {
      const { object } = activity;
      if (!inside || typeof object !== 'object' || object === null) return { ...activity, [key]: value };
      return { ...activity, object: { ...object, [key]: value } };
    });
    await often(changed, tryActivity, { least: 60, most: 200, ms: 3500 });
    await alive();
  });

  it('takes signature headers of every shape', async () => {
    const parts = fc.constantFrom(
      ...['keyId="', bob.keyId, '"', ',', 'headers="(request-target) host date digest"', 'algorithm="rsa-sha256"'],
      ...[
        'signature="AAAA"',
        'created=1',
        'expires=99999999999',
        'sig1=(',
        '"@method"',
        '"@target-uri"',
        '"@path";req',
      ],
      ...[
        ');created=1',
        ';keyid="x"',
        'sig1=:AAAA:',
        ':',
        ';',
        '(',
        ')',
        '=',
        ' ',
        '\t',
        '\\',
        '"'.repeat(50),
        'a'.repeat(5000),
      ],
    );
    const header = fc.oneof(
      fc.array(parts, { maxLength: 12 }).map((all) => all.join('')),
      fc.string({ maxLength: 60 }),
    );
    const printable = header.map((text) => text.replace(/[^\t\x20-\x7e]/g, '~'));
    const names = [
      'signature',
      'signature-input',
      'digest',
      'content-digest',
      'date',
      'host',
      'authorization',
      'accept',
    ];
    const headers = fc.dictionary(fc.constantFrom(...names), printable, { maxKeys: 6 });
    const body = JSON.stringify(like());
    await often(fc.tuple(headers, fc.boolean()), tryHeaders, { least: 100, most: 300, ms: 3500 });
    async function tryHeaders([given, isGet]: [Record<string, string>, boolean]): Promise<void> {
      const send = () =>
        isGet
          ? peer.get(`${hosterIri}/followers/synchronization`, 'application/activity+json', given)
          : peer.postRaw(inbox(), body, { 'content-type': 'application/activity+json', ...given });
      const answer = await nothingStored(app, send);
      expect(answer.status).to.be.within(400, 499);
    }
    await alive();
  });

  it('takes addresses and bytes of every shape', async () => {
    const piece = fc.constantFrom(
      ...[
        'actors',
        'instance',
        'objects',
        'activities',
        'inbox',
        'outbox',
        'followers',
        'synchronization',
        '..',
        '.',
        '%',
      ],
      ...[
        '%2e%2e',
        '%00',
        '%ff',
        '@hoster',
        '',
        '\\',
        ';',
        '?page=1',
        '?page=1&after=',
        '?page[]=1',
        '?after=x&page',
        'é',
      ],
    );
    const path = fc.array(piece, { maxLength: 6 }).map((all) => `/${all.join('/')}`.replace(/[^\x21-\x7e]/g, '%C3%A9'));
    await often(fc.tuple(path, fc.uint8Array({ maxLength: 80 })), tryAddress, { least: 60, most: 150, ms: 3000 });
    async function tryAddress([address, bytes]: [string, Uint8Array]): Promise<void> {
      const read = await nothingStored(app, () => peer.get(`${app.baseUrl}${address}`));
      expect(read.status, address).to.be.below(500);
      const answer = await nothingStored(app, () => peer.post(bob, inbox(), Buffer.from(bytes).toString('latin1')));
      expect(answer.status).to.be.within(400, 499);
    }
    await alive();
  });

  it('still takes what was once found', async () => {
    const files = readdirSync(fixtures);
    expect(files.length).to.be.above(0);
    for (const file of files) {
      const text = readFileSync(join(fixtures, file), 'utf8')
        .replaceAll('{bob}', bob.iri)
        .replaceAll('{us}', app.baseUrl);
      await tryActivity(JSON.parse(text) as Record<string, unknown>);
    }
    await alive();
  });
});
