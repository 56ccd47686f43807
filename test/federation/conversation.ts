// A hoster with a member and a person with a public profile, an app that speaks to peers, and what peers say: shared by the
// tests of conversations.
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import { actorIri } from '../../server/partners/rules.js';
import type { Person } from '../../server/people/schema.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Post } from '../../server/posts/schema.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { announceAndDeliver, startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { startPeer } from './federatedApp.js';

export type Json = Record<string, unknown>;
export const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

export interface Conversation {
  app: WholeApp;
  peer: Peer;
  other: Peer;
  hoster: Collective;
  /** IRI of the hoster. */
  iri: string;
  member: Client;
  visitor: Client;
  paula: Person;
  /** Signed in as paula. */
  person: Client;
  paulaIri: string;
  ctx(): Context;
  pass(milliseconds: number): void;
  run(): Promise<void>;
  say(text: string): Promise<{ post: Post; object: string; page: string }>;
  send(actor: PeerActor, activity: Json, from?: Peer): Promise<number>;
}

export async function startConversation(): Promise<Conversation> {
  const [peer, other] = [await startPeer(), await startPeer()];
  const privateHosts = [peer.host, other.host];
  let skew = 0;
  const app = await startWholeApp({ house: { privateHosts, now: () => new Date(Date.now() + skew) } });
  privateHosts.push(app.house.site.host);
  const ctx = (): Context => contextFor(app.house, systemActor);
  const worker = await buildPerson(app.house);
  const hoster = await createCollective(ctx(), {
    handle: 'ecluse',
    name: { fr: 'L’Écluse', en: 'The Lock' },
    legalForm: 'ASSOCIATION',
    published: true,
    members: [{ personId: worker._id, role: 'member' }],
  });
  const paula = await buildPerson(app.house, { username: 'paula' });
  const [member, person] = [app.client(), app.client()];
  await signIn(member, worker);
  await signIn(person, paula);
  const profile = { displayName: 'Paula', 'bio.fr': '', 'bio.en': '', handle: 'paula', publicProfile: 'on' };
  await person.post('/me/profile', profile);
  const run = () => announceAndDeliver(app);
  return {
    ...{ app, peer, other, hoster, member, paula, person, ctx, run },
    visitor: app.client(),
    iri: actorIri(app.house.site, hoster.handle),
    paulaIri: actorIri(app.house.site, 'paula'),
    pass: (milliseconds) => {
      skew += milliseconds;
      for (const one of [peer, other]) one.now = () => new Date(Date.now() + skew);
    },
    async say(text) {
      const post = await publishPost(ctx(), hoster._id, { fr: text, en: '' });
      await run();
      const object = `${app.house.site.baseUrl}/objects/${post._id}`;
      return { post, object, page: `/@${hoster.handle}/posts/${post._id}` };
    },
    async send(actor, activity, from = peer) {
      const document = { '@context': 'https://www.w3.org/ns/activitystreams', actor: actor.iri, ...activity };
      return (await from.post(actor, `${app.url}/inbox`, document)).status;
    },
  };
}

let serial = 0;

/** A public Note of an actor elsewhere. */
export function noteBy(actor: PeerActor, change: Json = {}): Json & { id: string } {
  serial += 1;
  return {
    id: `${actor.iri}/posts/${serial}`,
    type: 'Note',
    attributedTo: actor.iri,
    to: [publicIri],
    cc: [`${actor.iri}/followers`],
    published: new Date(Date.now() - 60_000 + serial).toISOString(),
    content: `<p>Post ${serial}</p>`,
    ...change,
  };
}

export function createOf(object: Json, id: string): Json {
  return { id, type: 'Create', to: object.to, cc: object.cc, object };
}
