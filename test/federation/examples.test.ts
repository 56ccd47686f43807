// The examples of FEDERATION.md are what really leaves: each activity is made, sent to a peer and compared with its block there,
// with stand-ins for addresses, ids, times, keys and proofs, whatever the words. With UPDATE_EXAMPLES=1 the page is written instead.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { fetchActor } from '../../federation/remoteActors.js';
import { updateProfile } from '../../server/collectives/actions.js';
import { getCollective } from '../../server/collectives/queries.js';
import { openAnnouncements } from '../../server/groups/actions.js';
import { makeReport } from '../../server/moderation/actions.js';
import { block, unblock } from '../../server/partners/actions/blocking.js';
import { followActor, unfollowActor } from '../../server/partners/actions/following.js';
import { makeInteraction, undoInteraction } from '../../server/partners/actions/interact.js';
import { moveAway } from '../../server/partners/actions/moves.js';
import { blocksIn } from '../../server/partners/blockQueries.js';
import { followKey, postKey } from '../../server/partners/rules.js';
import { projectDir } from '../../server/paths.js';
import { deletePost, publishPost, updatePost } from '../../server/posts/actions.js';
import { offerPolls } from '../../server/surveys/actions/polls.js';
import type { Invited } from '../../server/surveys/schema.js';
import { buildSurvey, choiceSection } from '../server/surveys/surveySupport.js';
import { actorFor, buildPerson, contextFor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;

const page = join(projectDir, 'FEDERATION.md');
const mark = '<!-- made by test/federation/examples.test.ts -->\n';
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';
/** As in the page: pairs and items stand on one line while there is room. */
function write(value: unknown, indent = '', before = 0): string {
  const flat = oneLine(value);
  if (typeof value !== 'object' || value === null || indent.length + before + flat.length <= 120) return flat;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = Object.entries(value).map(([key, one]) => {
    const label = isList ? '' : `${JSON.stringify(key)}: `;
    return `${inner}${label}${write(one, inner, label.length + 1)}`;
  });
  return `${isList ? '[' : '{'}\n${lines.join(',\n')}\n${indent}${isList ? ']' : '}'}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${oneLine(one)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** Words may be said otherwise; what they are called, and all else, is as it is sent. */
function wordless(value: unknown, key = ''): unknown {
  if (typeof value === 'string' && /^(content|summary|value|questions|error)$|Map$/.test(key)) return '…';
  if (Array.isArray(value)) return value.map((one) => wordless(one));
  if (typeof value !== 'object' || value === null) return value;
  const isMap = key.endsWith('Map');
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, wordless(one, isMap ? key : name)]));
}

describe('the examples of FEDERATION.md', () => {
  let app: FederatedApp;
  let peer: Peer;
  let alice: PeerActor;

  before(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    alice = peer.addActor('alice');
  });

  /** Without what differs each time; unless whole, also without what is the same each time: contexts and proofs. */
  function still(value: unknown, isWhole: boolean, key = ''): unknown {
    if (!isWhole && key === '@context' && Array.isArray(value)) {
      const strings = value.map((one) =>
        typeof one === 'string' && /activitystreams$|\/ns\/v1$/.test(one) ? one : '…',
      );
      return strings.filter((one, index) => one !== strings[index - 1]).map((one) => still(one, isWhole));
    }
    if (!isWhole && key === 'proof') return { type: (value as Json).type, '…': '…' };
    if (Array.isArray(value)) return value.map((one) => still(one, isWhole));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, still(one, isWhole, name)]));
    if (typeof value !== 'string') return value;
    if (key === 'proofValue' || key === 'publicKeyMultibase') return 'z…';
    if (key === 'publicKeyPem') return '-----BEGIN PUBLIC KEY-----…';
    return value
      .replaceAll(app.baseUrl, 'https://us.example')
      .replaceAll(app.house.site.host, 'us.example')
      .replaceAll(peer.origin, 'https://them.example')
      .replaceAll(peer.host, 'them.example')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '0190…')
      .replaceAll(/-[0-9a-f]{16,}/g, '-5d41…')
      .replaceAll(/[0-9a-f]{64}/g, '5f2c…')
      .replaceAll(/activities\/\d+$/g, 'activities/1')
      .replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, '2026-05-21T10:00:00.000Z')
      .replaceAll(/(Ouverte jusqu’au |Open until |jusqu’au |until )[^<.]*/g, '$1…');
  }

  it('are what is sent and answered', async function () {
    this.timeout(60_000);
    const made: [title: string, words: string, ...blocks: unknown[]][] = [];
    const show = (title: string, words: string, ...blocks: unknown[]): void => {
      made.push([title, words, ...blocks.map((one) => still(one, title === 'A whole actor' || title === 'A post'))]);
    };
    /** What arrives of a type after the deed, in order. */
    async function sent(type: string, deed: () => Promise<unknown>): Promise<Json[]> {
      const before = peer.ofType(type).length;
      await deed();
      for (let round = 0; round < 3; round++) {
        await app.run();
        app.pass(1);
      }
      const found = peer.ofType(type).slice(before);
      expect(found.length, type).to.be.above(0);
      for (const { signature } of found) expect(signature).to.equal('valid');
      // The same may go to a shared inbox and to somebody's own.
      return [...new Map(found.map(({ json }) => [json.id, json])).values()];
    }
    const send = (activity: Json) =>
      peer.post(alice, `${app.baseUrl}/inbox`, {
        ...{ '@context': 'https://www.w3.org/ns/activitystreams', id: peer.nextId(), actor: alice.iri },
        ...activity,
      });

    const person = await buildPerson(app.house, { password: null });
    const members = [{ personId: person._id, role: 'member' as const }];
    const { _id } = await addCollective(app, { handle: 'ecluse', members });
    const reporter = contextFor(app.house, await actorFor(app.house, person));
    const us = `${app.baseUrl}/actors/ecluse`;
    const { version, profile } = await getCollective(app.house.store, _id);
    const known = {
      tagline: { fr: 'Au fil de l’eau', en: '' },
      website: 'https://ecluse.example/',
      place: { ...profile.place, address: 'Montargis' },
    };
    const hoster = await updateProfile(app.ctx(), _id, { version, profile: { ...profile, ...known } });
    const ref = { kind: 'collective' as const, id: _id };
    const [accept] = await sent('Accept', () => send(peer.follow(alice, us)));
    show('A whole actor', 'What `GET /actors/ecluse` answers.', await peer.getJson(us));
    show('A follow is accepted', '', accept);

    const words = { fr: 'Portes ouvertes samedi', en: 'Open day on Saturday' };
    let post = await publishPost(app.ctx(), _id, words);
    const [create] = await sent('Create', async () => {});
    show('A post', 'Whole here; below, contexts and proofs are left out.', create);
    const [update] = await sent('Update', async () => {
      post = await updatePost(app.ctx(), _id, post._id, {
        version: post.version,
        text: { ...words, en: 'Open day on Sunday' },
      });
    });
    show('A post is corrected', 'Its `updated` says so.', update);
    show('A post is deleted', '', ...(await sent('Delete', () => deletePost(app.ctx(), _id, post._id))));

    await fetchActor(app.federation, alice.iri);
    const [follow] = await sent('Follow', () => followActor(app.ctx(), ref, { actor: alice.iri }));
    await send({ type: 'Accept', object: follow });
    const note = { id: `${alice.iri}/posts/1`, type: 'Note', attributedTo: alice.iri, to: [publicIri], cc: [] };
    const object = { ...note, content: '<p>Hello</p>', published: app.house.now().toISOString() };
    await send({ type: 'Create', to: [publicIri], cc: [], object });
    for (const [title, kind, type] of [
      ['A like, and taken back', 'like', 'Like'],
      ['A post of others is passed on, and no longer', 'boost', 'Announce'],
    ] as const) {
      const first = await sent(type, () => makeInteraction(app.ctx(), ref, kind, postKey(note.id)));
      const then = await sent('Undo', () => undoInteraction(app.ctx(), ref, kind, postKey(note.id)));
      show(title, '', ...first, ...then);
    }
    const about = { about: note.id, reason: 'spam' as const, comment: 'Sends the same to everybody', contact: null };
    const flags = await sent('Flag', () => makeReport(reporter, { ...about, tellsTheirs: true }));
    show('A report', 'It names nobody here: its actor is the instance.', ...flags);
    const followed = await sent('Undo', () => unfollowActor(app.ctx(), ref, followKey(us, alice.iri)));
    show('One of ours follows somebody, and no longer', '', follow, ...followed);

    const [blocked] = await sent('Block', () => block(app.ctx(), ref, { kind: 'actor', actor: alice.iri }, ''));
    const [one] = await blocksIn(app.house.store).find({}).toArray();
    const undone = await sent('Undo', () => unblock(app.ctx(), ref, one?._id ?? ''));
    show('A block, and taken back', '', blocked, ...undone);

    await send(peer.follow(alice, us));
    const asker = peer.addActor('fournil', { type: 'Organization' });
    await fetchActor(app.federation, asker.iri);
    const invited: Invited = { iri: asker.iri, collectiveId: null, name: 'Le Fournil', handle: `fournil@${peer.host}` };
    const closesAt = new Date(app.house.now().getTime() + 7 * 24 * 3_600_000);
    let surveyId = '';
    const [asked] = await sent('Create', async () => {
      surveyId = (
        await buildSurvey(app.ctx(), hoster, [], {
          sections: [choiceSection({ day: 'single' })],
          closesAt,
          invited: [invited],
        })
      )._id;
    });
    show('A survey', '`questions` is JSON in a text.', asked);
    const [poll] = await sent('Create', () => offerPolls(app.ctx(), surveyId, { questions: ['day'], endsAt: null }));
    show('A poll', 'One of the questions of that survey, offered to everybody.', poll);

    const name = { fr: 'Annonces', en: 'Announcements' };
    const group = await openAnnouncements(app.ctx(), {
      ...{ handle: 'annonces', name, summary: name, hostersModerate: true, moderators: [] },
      ...{ postingRestrictedToMods: true, version: 0 },
    });
    await app.run();
    await send(peer.follow(alice, `${app.baseUrl}/actors/annonces`));
    const announced = await sent('Announce', () =>
      publishPost(app.ctx(), _id, { fr: 'Un nouveau service', en: '' }, { groupId: group._id }),
    );
    show('A group passes on what was written for it', 'The activity first, then the post by its id.', ...announced);

    const home = peer.addActor('ecluse', { alsoKnownAs: [us] });
    const moved = await fetchActor(app.federation, home.iri);
    const [move] = await sent('Move', () => moveAway(app.ctx(), ref, moved));
    show('A hoster moves', 'An `Update` of the actor with `movedTo` goes before.', move);

    const forged = { ...note, id: `${alice.iri}/posts/2`, attributedTo: `${peer.origin}/users/bob`, content: 'x' };
    const activity = {
      ...{ '@context': 'https://www.w3.org/ns/activitystreams', id: peer.nextId(), type: 'Create', actor: alice.iri },
      ...{ to: [publicIri], object: forged },
    };
    const answer = await peer.post(alice, `${app.baseUrl}/inbox`, activity);
    show(
      'Refused',
      `In the name of somebody else: ${answer.status}, and the reason in words for those who read their logs.`,
      activity,
      JSON.parse(answer.text),
    );

    const [before = '', rest = ''] = readFileSync(page, 'utf8').split(mark);
    const at = rest.indexOf('\n## ');
    if (process.env.UPDATE_EXAMPLES === '1') {
      const text = made.map(([title, intro, ...blocks]) => {
        const all = blocks.map((value) => `\`\`\`json\n${write(value)}\n\`\`\`\n`).join('');
        return `### ${title}\n${intro === '' ? '' : `${intro}\n`}${all}`;
      });
      writeFileSync(page, `${before}${mark}\n${text.join('\n')}${rest.slice(at)}`);
      return;
    }
    const shown = rest
      .slice(0, at)
      .split('\n### ')
      .slice(1)
      .map((section) => [
        section.slice(0, section.indexOf('\n')),
        ...[...section.matchAll(/```json\n([\s\S]*?)\n```/g)].map(([, json = '']) => wordless(JSON.parse(json))),
      ]);
    const real = made.map(([title, , ...blocks]) => [title, ...blocks.map((one) => wordless(one))]);
    expect(shown.map(([title]) => title)).to.deep.equal(real.map(([title]) => title));
    for (const [index, one] of real.entries())
      expect(write(shown[index]), `${one[0]} (UPDATE_EXAMPLES=1 writes all anew)`).to.equal(write(one));
  });
});
