// What each software sends is read as it means it (test/fixtures/activities, written after their public documents), and no
// input whatever leads to anything but a reading or a refusal.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { buildApex } from '../../federation/apex.js';
import { isObject, readJson } from '../../federation/json.js';
import { normalise, type ReceivedActivity } from '../../federation/normalise.js';
import { Refusal } from '../../federation/refusal.js';
import { fromActor } from '../../federation/wire/remoteActor.js';
import { projectDir } from '../../server/paths.js';

const site = { baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' as const };
const apex = buildApex(site);
const us = 'https://us.example/actors/ecluse';

function read(name: string): Promise<ReceivedActivity> {
  return normalise(apex, readJson(readFileSync(join(projectDir, 'test/fixtures/activities', `${name}.json`))), []);
}

const bare = { type: null, actor: null, object: null, attributedTo: [] };

describe('reading activities', () => {
  const expected: Record<string, Partial<ReceivedActivity>> = {
    'mastodon/follow': { type: 'Follow', actor: 'https://mastodon.example/users/alice', object: { ...bare, id: us } },
    'mastodon/undo-follow': {
      type: 'Undo',
      object: {
        id: 'https://mastodon.example/7b6c2f0e-1c1d-4f4e-9a51-3f7a1c0a1111',
        type: 'Follow',
        actor: 'https://mastodon.example/users/alice',
        object: us,
        attributedTo: [],
      },
    },
    'mastodon/create-note': {
      type: 'Create',
      object: {
        ...bare,
        id: 'https://mastodon.example/users/alice/statuses/1',
        type: 'Note',
        attributedTo: ['https://mastodon.example/users/alice'],
      },
    },
    'mastodon/delete-actor': { type: 'Delete', object: { ...bare, id: 'https://mastodon.example/users/alice' } },
    'pleroma/follow': { id: 'https://pleroma.example/activities/2c0a', type: 'Follow', object: { ...bare, id: us } },
    'gotosocial/follow': { type: 'Follow', actor: 'https://gts.example/users/cy', object: { ...bare, id: us } },
    'fedify/follow': { type: 'Follow', actor: 'https://fedify.example/users/dan', object: { ...bare, id: us } },
    'lemmy/undo-follow': {
      type: 'Undo',
      object: {
        id: 'https://lemmy.example/activities/follow/1',
        type: 'Follow',
        actor: 'https://lemmy.example/u/eve',
        object: us,
        attributedTo: [],
      },
    },
    'misskey/undo-follow': {
      type: 'Undo',
      object: { id: null, type: 'Follow', actor: 'https://misskey.example/users/9', object: us, attributedTo: [] },
    },
    'peertube/create-video': {
      type: 'Create',
      object: {
        ...bare,
        id: 'https://peertube.example/videos/watch/1',
        type: 'Video',
        attributedTo: ['https://peertube.example/accounts/fay', 'https://peertube.example/video-channels/fay'],
      },
    },
  };

  for (const [name, meaning] of Object.entries(expected)) {
    it(`reads ${name}`, async () => {
      expect(await read(name)).to.deep.include(meaning);
    });
  }

  it('reads or refuses whatever an activity is made of', async () => {
    const iri = fc.constantFrom('https://e.example/1', us, 'x', '', 'as:Public', 'https://e.example/\u202e');
    const scalar = fc.oneof(iri, fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const key = fc.constantFrom(
      'id',
      'type',
      'actor',
      'object',
      'attributedTo',
      '@id',
      '@type',
      '@value',
      '@context',
      'as:actor',
      'to',
      'name',
      'contentMap',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    const activity = fc.record(
      {
        id: value,
        type: fc.oneof(value, fc.constantFrom('Create', 'Follow')),
        actor: value,
        object: value,
        '@context': value,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(activity, async (json) => {
        try {
          const result = await normalise(apex, readJson(Buffer.from(JSON.stringify(json))), []);
          expect(result.actor).to.match(/^https:/);
        } catch (error) {
          expect(error).to.be.instanceOf(Refusal);
          expect([400, 413]).to.include((error as Refusal).status);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps nobody waiting for what needs the processor: it reads so much in a fifth of a second, and refuses more', async () => {
    const tagged = (count: number) => {
      const tag = Array.from({ length: count }, (_one, index) => ({
        type: 'Mention',
        href: `https://e.example/${index}`,
      }));
      const object = { id: 'https://e.example/n', type: 'Note', 'ostatus:conversation': 'tag:x', tag };
      const activity = { id: 'https://e.example/a', type: 'Create', actor: 'https://e.example/u', object };
      return readJson(Buffer.from(JSON.stringify(activity)));
    };
    // Processor time: this machine may have other things to do.
    const spent = async (count: number) => {
      const before = process.cpuUsage();
      const outcome = await normalise(apex, tagged(count), []).catch((error: unknown) => error);
      const { user, system } = process.cpuUsage(before);
      return { ms: (user + system) / 1000, outcome };
    };
    const rounds = [await spent(490), await spent(490), await spent(490)];
    expect(rounds[2]?.outcome).to.have.property('type', 'Create');
    expect(Math.min(...rounds.map(({ ms }) => ms))).to.be.below(200);
    const { ms, outcome } = await spent(700);
    expect(outcome).to.have.property('status', 413);
    expect(ms).to.be.below(50);
  });

  it('reads or refuses any bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            expect(isObject(readJson(bytes))).to.equal(true);
          } catch (error) {
            expect(error).to.be.instanceOf(Refusal);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes from an actor only what is on its own origin', () => {
    const document = {
      id: 'https://e.example/u',
      type: ['Person', 'https://e.example/ns#Cat'],
      preferredUsername: 'U\u202e',
      name: 'A\u200bB',
      inbox: 'https://e.example/u/inbox',
      endpoints: { sharedInbox: 'https://evil.example/inbox' },
      url: [{ type: 'Link', href: 'https://evil.example/' }, 'https://e.example/@u'],
      publicKey: [
        { id: 'https://evil.example/k', owner: 'https://e.example/u', publicKeyPem: 'x' },
        'https://e.example/k',
        { id: 'https://e.example/u#k', owner: 'https://other.example/', publicKeyPem: 'x' },
      ],
      assertionMethod: [
        {
          id: 'https://e.example/u#e',
          type: 'Multikey',
          controller: 'https://e.example/u',
          publicKeyMultibase: 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2',
        },
        'https://e.example/u#x',
      ],
    };
    const now = new Date(0);
    expect(fromActor(document, [], now)).to.deep.equal({
      _id: 'https://e.example/u',
      type: 'Person',
      host: 'e.example',
      handle: 'u@e.example',
      name: 'AB',
      url: 'https://e.example/@u',
      inbox: 'https://e.example/u/inbox',
      sharedInbox: null,
      webfinger: null,
      keys: [
        { id: 'https://e.example/u#e', kind: 'ed25519', value: 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2' },
      ],
      fetchedAt: now,
      goneAt: null,
      catalogue: null,
      fields: [],
      icon: null,
      outbox: null,
      summary: '',
      followers: null,
      alsoKnownAs: [],
      leadsTo: null,
    });
    for (const change of [
      { id: 'x' },
      { id: undefined },
      { type: 'Note' },
      { type: 7 },
      { inbox: 'https://evil.example/i' },
      { inbox: 'http://e.example/i' },
      { inbox: undefined },
    ]) {
      expect(fromActor({ ...document, ...change }, [], now), JSON.stringify(change)).to.equal(null);
    }
    for (const other of [null, 7, 'x', [], [document]]) expect(fromActor(other, [], now)).to.equal(null);
  });
});
