// Partners of the sample's hoster on the Fediverse, and of its member: who follows, who is followed and in which lists, what
// they wrote, an account found, a list brought along. By the same deeds as from the wire.
import { publicAudience } from '../../federation/contexts.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import type { House } from '../../server/house.js';
import { block } from '../../server/partners/actions/blocking.js';
import { receiveBoost, receivePost } from '../../server/partners/actions/feed.js';
import { followActor, receiveFollowAnswer } from '../../server/partners/actions/following.js';
import { beginFollowImport } from '../../server/partners/actions/importing.js';
import { receiveFollow } from '../../server/partners/actions.js';
import { findFollowing, remoteActorsIn } from '../../server/partners/queries.js';
import { actorIri, followKey, postKey } from '../../server/partners/rules.js';
import type { LookUp, RemoteActor, RemotePost } from '../../server/partners/schema.js';

const hour = 3_600_000;

function actor(host: string, user: string, name: string, change: Partial<RemoteActor> = {}): RemoteActor {
  const _id = `https://${host}/users/${user}`;
  return {
    ...{ _id, type: 'Person', host, handle: `${user}@${host}`, name, url: `https://${host}/@${user}` },
    ...{ inbox: `${_id}/inbox`, sharedInbox: null, keys: [], fetchedAt: new Date(), goneAt: null },
    ...change,
  };
}

const people = {
  marais: actor('marais.example', 'marais', 'Le Marais libre', {
    summary: '<p>Nous hébergeons des pads et des carnets, à Niort. <a href="https://marais.example/">Le site</a></p>',
    fields: [{ name: 'Site', value: '<a href="https://marais.example/">marais.example</a>' }],
  }),
  peertube: actor('videos.example', 'framablogue', 'Tutoriels du réseau'),
  lemmy: actor('lemmy.example', 'entraide', 'Entraide entre hébergeurs', { type: 'Group' }),
  ines: actor('social.voisins.example', 'ines', 'Inès Morel'),
  long: actor(
    'un-nom-de-serveur-vraiment-tres-long.example',
    'association_du_libre',
    'Association pour le libre partage',
  ),
  shy: actor('discret.example', 'ombre', 'Ombre'),
};

/** Returns the keys of a thread and of what is linked from it. */
export async function addPartners(house: House, hoster: Collective, ctx: Context): Promise<Record<string, string>> {
  const { store } = house;
  const iri = actorIri(house.site, hoster.handle);
  const ref = { kind: 'collective', id: hoster._id } as const;
  await remoteActorsIn(store).insertMany(Object.values(people));
  for (const [name, acceptsAtOnce] of [
    ['ines', true],
    ['long', true],
    ['marais', true],
    ['shy', false],
  ] as const) {
    const followed = { iri, kind: 'collective', ownerId: hoster._id, acceptsAtOnce } as const;
    const follower = people[name];
    await receiveFollow(ctx, { followIri: `${follower._id}#follow`, follower, followed });
  }
  for (const [name, lists] of [
    ['marais', ['réseau']],
    ['peertube', ['logiciels']],
    ['lemmy', ['réseau', 'entraide']],
    ['long', []],
  ] as const) {
    const { _id } = people[name];
    await followActor(ctx, ref, { actor: _id, lists: [...lists] });
    const followIri = (await findFollowing(store, followKey(iri, _id)))?.followIri ?? null;
    if (name !== 'long') await receiveFollowAnswer(ctx, { answer: 'accept', followed: _id, followIri, follower: null });
  }
  const post = (by: RemoteActor, key: string, hoursAgo: number, change: object): RemotePost => {
    const json = { id: `https://${by.host}/posts/${key}`, type: 'Note', attributedTo: by._id, to: [publicAudience] };
    const published = new Date(house.now().getTime() - hoursAgo * hour).toISOString();
    const found = fromPost({ published, ...json, ...change }, [], house.now());
    if (!found) throw new Error('no post');
    return found;
  };
  const question = post(people.ines, '1', 30, {
    content: '<p>Qui peut reprendre douze boîtes aux lettres d’ici à juin ?</p>',
  });
  const answer = post(people.marais, '2', 20, {
    inReplyTo: question.iri,
    content: '<p>Nous avons de la place. Écrivez-nous avant vendredi, nous préparons la migration ensemble.</p>',
  });
  await receiveBoost(ctx, question, people.lemmy._id, ctx.now);
  await receivePost(ctx, answer, people.marais._id);
  const orphan = post(people.marais, '3', 9, {
    inReplyTo: 'https://ailleurs.example/notes/99',
    content: '<p>D’accord pour mardi.</p>',
  });
  await receivePost(ctx, orphan, people.marais._id);
  const lead = '<p>Trois ans de blocs-notes, ce que nous avons appris, et ce que nous changeons.</p>';
  await receivePost(
    ctx,
    post(people.marais, '4', 6, {
      ...{
        type: 'Article',
        name: 'Trois ans de blocs-notes',
        summary: lead,
        content: `${lead}<p>D’abord, les sauvegardes…</p>`,
      },
    }),
    people.marais._id,
  );
  await receivePost(
    ctx,
    post(people.peertube, '5', 4, {
      ...{ type: 'Video', name: 'Installer un pad en une heure', content: '<p>Pas à pas, sous-titré.</p>' },
      attachment: [
        { type: 'Image', mediaType: 'image/png', url: 'https://videos.example/5.png', name: 'La page d’accueil' },
      ],
    }),
    people.peertube._id,
  );
  const poll = post(people.marais, '6', 2, {
    ...{ type: 'Question', content: '<p>Quel soir pour la rencontre du réseau ?</p>' },
    endTime: new Date(house.now().getTime() + 48 * hour).toISOString(),
    oneOf: ['Mardi', 'Jeudi', 'Un autre soir, à décider avec les associations qui nous accueillent'].map(
      (name, index) => {
        return { type: 'Note', name, replies: { totalItems: 3 * index + 2 } };
      },
    ),
  });
  await receivePost(ctx, poll, people.marais._id);
  await block(ctx, ref, { kind: 'muteActor', actor: people.ines._id }, '');
  await block(ctx, ref, { kind: 'mute', domain: 'bruyant.example' }, 'Trop de relais');
  await beginFollowImport(
    ctx,
    ref,
    'Account address\nnoor@pads.example\nmarais@marais.example\nali@pads.example\nsans adresse\n',
  );
  const found: LookUp = {
    ...{ outcome: 'found', actor: people.shy, followersCount: 1234 },
    posts: [
      post(people.shy, '7', 50, { content: '<p>Nous cherchons une salle pour l’atelier de juin.</p>' }),
      post(people.shy, '8', 80, { content: '<p>Serveur à jour.</p>', summary: 'Technique' }),
    ],
  };
  house.lookUpActor = async (address) =>
    address === '@ombre@discret.example' ? found : { outcome: 'failed', reason: 'not-found' };
  return { thread: postKey(answer.iri), orphan: postKey(orphan.iri), remotePoll: postKey(poll.iri) };
}
