// A whole app with two hosters of the same shape, alpha and beta. What is private to one carries its canary word; what is
// public does not. People in every role, and a session for each.

import { keysOf } from '../../federation/actorKeys.js';
import { federationConsumer } from '../../federation/outbox.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { catalogueEvent } from '../../server/catalogue/actions/catalogueEvent.js';
import { beginImport } from '../../server/catalogue/actions/imports.js';
import { createService, emptyProfile, withdrawService } from '../../server/catalogue/actions/services.js';
import { saveSource } from '../../server/catalogue/actions/sources.js';
import type { Service } from '../../server/catalogue/schema.js';
import { createCollective, setLogo, updateProfile } from '../../server/collectives/actions.js';
import { getCollective } from '../../server/collectives/queries.js';
import type { Collective } from '../../server/collectives/schema.js';
import { addSource } from '../../server/elsewhere/actions/sources.js';
import { pending } from '../../server/events.js';
import { receiveGroupPost } from '../../server/groups/actions/receive.js';
import { openAnnouncements } from '../../server/groups/actions.js';
import { groupKey } from '../../server/groups/rules.js';
import { recordChange } from '../../server/history/actions.js';
import { forgetCounts } from '../../server/http/limits.js';
import { newId } from '../../server/ids.js';
import { setRule } from '../../server/instances/actions/domainRules.js';
import { deliveriesIn, peersIn } from '../../server/instances/peerQueries.js';
import type { FailedEvent } from '../../server/instances/schema.js';
import { makeReport } from '../../server/moderation/actions.js';
import { noticeEvent } from '../../server/notices/actions/noticeEvent.js';
import { block } from '../../server/partners/actions/blocking.js';
import { receivePost } from '../../server/partners/actions/feed.js';
import { followActor, receiveFollowAnswer } from '../../server/partners/actions/following.js';
import { beginFollowImport } from '../../server/partners/actions/importing.js';
import { receiveMentions } from '../../server/partners/actions/mentions.js';
import { receiveFollow } from '../../server/partners/actions.js';
import { blocksIn } from '../../server/partners/blockQueries.js';
import { followingsIn, followsIn } from '../../server/partners/queries.js';
import { postKey } from '../../server/partners/rules.js';
import type { RemoteActor } from '../../server/partners/schema.js';
import { invitePerson } from '../../server/people/actions/invitations.js';
import type { Person } from '../../server/people/schema.js';
import { deletePost, publishPost } from '../../server/posts/actions.js';
import type { Post } from '../../server/posts/schema.js';
import { eventfulCollections } from '../../server/store/schema.js';
import { submitAnswer } from '../../server/surveys/actions/answering.js';
import { createSurvey, saveSettings } from '../../server/surveys/actions/drafting.js';
import { openSurvey } from '../../server/surveys/actions/running.js';
import { answererFor } from '../../server/surveys/askedSurveys.js';
import { pollsIn } from '../../server/surveys/pollQueries.js';
import { png } from '../server/uploads/pictures.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import { atEnd } from '../support/endOfRun.js';
import { takeSnapshot } from '../support/oracles.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';

export type TenantName = 'alpha' | 'beta';

/** Stands in everything that only the members of this hoster (and administrators) may read. */
export const canaries = { alpha: 'zqxalphaword', beta: 'zqxbetaword' } as const;

export interface Tenant {
  collective: Collective;
  /** A second hoster of the same people, never published. */
  draft: Collective;
  representative: Person;
  member: Person;
  service: Service;
  draftService: Service;
  withdrawnService: Service;
  post: Post;
  deletedPost: Post;
  importId: string;
  importFile: string;
  invitationId: string;
  requestedFollow: string;
  acceptedFollow: string;
  following: string;
  /** Written elsewhere for followers only. */
  partnerPost: string;
  /** Asked by this hoster of itself; its title, intro and questions are private. */
  survey: string;
  /** A poll that belongs to it: of a poll everything is public. */
  poll: string;
  /** With a private note. */
  block: string;
  /** Written elsewhere for the hoster alone, beneath its post. */
  mention: string;
  logoId: string;
  draftLogoId: string;
  mailIds: string[];
}

export const roles = [
  'visitor',
  'plain',
  'memberA',
  'representativeA',
  'memberB',
  'moderator',
  'administrator',
  'disabled',
] as const;
export type Role = (typeof roles)[number];

export interface TwinHouse extends WholeApp {
  alpha: Tenant;
  beta: Tenant;
  people: Record<Exclude<Role, 'visitor'>, Person>;
  clients: Record<Role, Client>;
  /** Keys of the sessions, as the list of one's own sessions has them. */
  sessionKeys: Partial<Record<Role, string>>;
  failedEventId: string;
  /** A group with one thread by somebody elsewhere: its name, and the key of the thread. */
  group: { handle: string; thread: string };
  adminInvitationId: string;
  /** Of a post of alpha. */
  reportId: string;
  drain(): Promise<void>;
}

const noJob = { cron: '0 0 4 * * *', nextAt: null, isRunning: false };

let shared: Promise<{ app: TwinHouse; reset(): Promise<void> }> | undefined;

/** The one twin house that is open, as it was when it was built, whatever was done in it since. */
export async function startTwinHouse(): Promise<TwinHouse> {
  shared ??= buildTwinHouse().then(async (app) => {
    atEnd(() => {
      shared = undefined;
    });
    const snapshot = await takeSnapshot(app.house.store, []);
    const cookies = Object.values(app.clients).map((client) => [client, new Map(client.cookies)] as const);
    const reset = async () => {
      await snapshot.restore();
      forgetCounts(app.house);
      app.house.logged.length = 0;
      for (const [client, kept] of cookies) {
        client.cookies.clear();
        for (const [name, value] of kept) client.cookies.set(name, value);
      }
    };
    return { app, reset };
  });
  const { app, reset } = await shared;
  await reset();
  return app;
}

async function buildTwinHouse(): Promise<TwinHouse> {
  const jobs = { list: () => [{ name: 'prune', ...noJob }], runNow: async (name: string) => name === 'prune' };
  const lookUpActor = async () => ({ outcome: 'failed', reason: 'unavailable' }) as const;
  const picture = { type: 'image/png' as const, bytes: png };
  const pictures = { find: async () => null, load: async () => picture, prune: async () => 0 };
  const app = await startWholeApp({
    metricsToken: 'a-token-of-the-tests',
    engine: { jobs },
    house: { pictures, lookUpActor },
  });
  const { house } = app;
  const drain = () => drainAll(app);
  const alpha = await buildTenant(app, 'alpha', drain);
  const beta = await buildTenant(app, 'beta', drain);
  const people = {
    plain: await buildPerson(house, { username: 'paul' }),
    memberA: alpha.member,
    representativeA: alpha.representative,
    memberB: beta.member,
    moderator: await buildPerson(house, { username: 'mo', instanceRole: 'moderator' }),
    administrator: await buildPerson(house, { username: 'ada', instanceRole: 'administrator' }),
    disabled: await buildPerson(house, { username: 'dora' }),
  };
  const clients: Record<string, Client> = { visitor: app.client() };
  const sessionKeys: Record<string, string> = {};
  for (const [role, person] of Object.entries(people)) {
    const client = app.client();
    await signIn(client, person);
    clients[role] = client;
    const session = await house.store.collection('sessions').findOne({ personId: person._id });
    sessionKeys[role] = session?._id ?? '';
  }
  await house.store.collection('people').updateOne({ _id: people.disabled._id }, { $set: { disabledAt: house.now() } });
  const invitation = await invitePerson(contextFor(house, systemActor), {
    email: 'future-moderator@example.org',
    instanceRole: 'moderator',
    collective: null,
    language: 'fr',
  });
  const report = await makeReport(contextFor(house, null), {
    about: `/@alpha/posts/${alpha.post._id}`,
    reason: 'spam',
    comment: 'For the tests',
    contact: 'visitor@example.org',
    tellsTheirs: false,
  });
  await drain();
  const failedEventId = await parkEvent(app, alpha);
  const reasons = { publicReason: 'Spam', privateReason: '' };
  await setRule(contextFor(app.house, systemActor), 'blocked.example', { kind: 'block', ...reasons });
  await keepPeer(app);
  const group = await openGroup(app);
  // Kept in memory once made: made here, so that no deed of the tests is the first to need them.
  await keysOf(app.federation, 'instance');
  return {
    ...app,
    alpha,
    beta,
    people,
    clients: clients as Record<Role, Client>,
    sessionKeys,
    failedEventId,
    group,
    adminInvitationId: invitation._id,
    reportId: report._id,
    drain,
  };
}

/** Hands every event to everybody who must know, as the jobs do. */
async function drainAll({ house, federation }: WholeApp): Promise<void> {
  const { store, log, now } = house;
  const ctx = contextFor(house, systemActor);
  const consumers = [
    { name: 'history', receive: (event: Parameters<typeof recordChange>[1]) => recordChange(store, event) },
    { name: 'catalogue', receive: (event: Parameters<typeof catalogueEvent>[1]) => catalogueEvent(ctx, event) },
    { name: 'notices', receive: (event: Parameters<typeof noticeEvent>[1]) => noticeEvent({ house }, event) },
    federationConsumer(federation),
  ];
  await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
}

async function buildTenant(app: WholeApp, name: TenantName, drain: () => Promise<void>): Promise<Tenant> {
  const { house } = app;
  const canary = canaries[name];
  const ctx = contextFor(house, systemActor);
  const named = (role: string) => ({
    username: `${role}_${name}`,
    displayName: `${role} ${canary}`,
    email: `${role}.${canary}@example.org`,
  });
  const representative = await buildPerson(house, named('rep'));
  const member = await buildPerson(house, named('mem'));
  const members = [
    { personId: representative._id, role: 'representative' as const },
    { personId: member._id, role: 'member' as const },
  ];
  const create = (handle: string, text: string, published: boolean) =>
    createCollective(ctx, {
      handle,
      name: { fr: `Hébergeur ${text}`, en: `Hoster ${text}` },
      legalForm: 'ASSOCIATION',
      published,
      acceptsFollowers: 'by-hand',
      members,
    });
  let collective = await create(name, 'twin', true);
  const { profile } = collective;
  // What it was called before it was published is nobody's business but its members'.
  const was = { ...profile, description: { fr: `Brouillon ${canary}`, en: '' } };
  collective = await updateProfile(ctx, collective._id, { version: collective.version, profile: was });
  collective = await updateProfile(ctx, collective._id, { version: collective.version, profile });
  let draft = await create(`${name}draft`, canary, false);
  collective = await setLogo(ctx, collective._id, png);
  draft = await setLogo(ctx, draft._id, png);

  const offer = (words: string, slug: string, published: boolean) =>
    createService(ctx, collective._id, {
      slug,
      published,
      profile: {
        ...emptyProfile({ fr: `Service ${words}`, en: `Service ${words}` }),
        needs: ['write'],
        registration: 'Free',
      },
    });
  const service = await offer('pads', 'pads', true);
  const draftService = await offer(canary, 'brouillon', false);
  let withdrawnService = await offer(`${canary} old`, 'ancien', false);
  withdrawnService = await withdrawService(ctx, withdrawnService._id);
  await createService(ctx, draft._id, {
    profile: emptyProfile({ fr: `Service of a draft ${canary}`, en: '' }),
    published: true,
  });

  const asMember = contextFor(house, {
    kind: 'person',
    personId: member._id,
    username: member.username,
    displayName: member.displayName,
    instanceRole: null,
    memberships: { [collective._id]: 'member' },
  });
  const post = await publishPost(asMember, collective._id, { fr: 'Une nouvelle', en: 'Some news' });
  const deletedPost = await publishPost(asMember, collective._id, { fr: `Effacé ${canary}`, en: '' });
  await drain();
  await deletePost(asMember, collective._id, deletedPost._id);

  const body = Buffer.from(`file.class=organization\norganization.name=${canary}\n`);
  const file = { address: `${canary}.properties`, subKey: null, parent: null, body, etag: null, lastModified: null };
  const draftImport = await beginImport(asMember, collective._id, {
    origin: { kind: 'files' },
    files: [file],
    failures: [],
  });
  await saveSource(ctx, collective._id, {
    url: `https://${canary}.example/organization.properties`,
    everyHours: 12,
    corrections: [],
    skipped: [],
    files: [{ ...file, address: `https://${canary}.example/organization.properties` }],
    warningCount: 0,
  });
  const invitation = await invitePerson(ctx, {
    email: `invited.${canary}@example.org`,
    instanceRole: null,
    collective: { id: collective._id, role: 'member' },
    language: 'fr',
  });
  const survey = await addSurvey(app, collective, canary);
  const requestedFollow = await addFollower(app, collective, `asks-${canary}`, false);
  const acceptedFollow = await addFollower(app, collective, `follows-${name}`, true);
  const objectIri = `${house.site.baseUrl}/objects/${post._id}`;
  const mention = await addMention(app, collective, objectIri, `<p>Only you: ${canary}</p>`);
  const partner = await addPartner(app, collective, `asks-${canary}`, `<p>${canary}</p>`);
  await drain();
  const mails = await house.store.collection<{ _id: string; to: string }>('mails').find({}).toArray();
  collective = await getCollective(house.store, collective._id);
  return {
    collective,
    draft,
    representative,
    member,
    service,
    draftService,
    withdrawnService,
    post,
    deletedPost,
    importId: draftImport._id,
    importFile: file.address,
    invitationId: invitation._id,
    requestedFollow,
    acceptedFollow,
    ...partner,
    survey,
    poll: await addPoll(app, collective, survey),
    mention,
    logoId: collective.logoId ?? '',
    draftLogoId: draft.logoId ?? '',
    mailIds: mails.filter(({ to }) => to.includes(canary)).map(({ _id }) => _id),
  };
}

/** Somebody elsewhere follows, or asks to. Returns the id of the follow. */
async function addFollower(app: WholeApp, of: Collective, name: string, atOnce: boolean): Promise<string> {
  const { house } = app;
  const iri = `https://elsewhere.example/users/${name}`;
  const actor: RemoteActor = {
    _id: iri,
    type: 'Person',
    host: 'elsewhere.example',
    handle: `${name}@elsewhere.example`,
    name,
    url: null,
    inbox: `${iri}/inbox`,
    sharedInbox: null,
    keys: [],
    fetchedAt: house.now(),
    goneAt: null,
  };
  await house.store.collection<RemoteActor>('remoteActors').insertOne(actor);
  await receiveFollow(contextFor(house, null), {
    followIri: `${iri}#follow`,
    follower: actor,
    followed: {
      iri: `${house.site.baseUrl}/actors/${of.handle}`,
      kind: 'collective',
      ownerId: of._id,
      acceptsAtOnce: atOnce,
    },
  });
  const follow = await followsIn(house.store).findOne({ follower: iri });
  if (!follow) throw new Error('no follow');
  return follow._id;
}

/** The hoster asks itself something, and has answered. */
async function addSurvey({ house }: WholeApp, owner: Collective, canary: string): Promise<string> {
  const ctx = contextFor(house, systemActor);
  const answerer = answererFor(ctx, owner);
  const label = { fr: `Question ${canary}` };
  const asked = { help: {}, required: false, showIf: null, criterion: '' };
  const question = { ...asked, id: 'q', kind: 'shortText' as const, label };
  const sections = [{ id: 's', title: {}, intro: {}, showIf: null, questions: [question] }];
  const settings = { title: { fr: `Enquête ${canary}` }, languages: ['fr'], timeZone: 'Europe/Paris' };
  const survey = await createSurvey(ctx, owner._id, { ...settings, sections });
  const invited = [{ iri: answerer.key, collectiveId: owner._id, name: answerer.name, handle: answerer.handle }];
  await saveSettings(ctx, survey._id, { ...survey, invited });
  await openSurvey(ctx, survey._id);
  const sent = { surveyId: survey._id, answerer, by: 'p', byName: canary, home: '', version: 1, raw: { q: canary } };
  await submitAnswer(ctx, sent);
  return survey._id;
}

async function addPoll({ house }: WholeApp, owner: Collective, surveyId: string): Promise<string> {
  const now = house.now();
  const options = [
    { id: 'yes', name: 'Oui' },
    { id: 'no', name: 'Non' },
  ];
  const _id = newId();
  await pollsIn(house.store).insertOne({
    ...{
      _id,
      surveyId,
      questionId: 'p',
      slot: `${surveyId} p`,
      collectiveId: owner._id,
      title: { fr: 'Un avis' },
      label: { fr: 'Alors ?' },
    },
    ...{ languages: ['fr'], options, multiple: false, endsAt: new Date(now.getTime() + 86_400_000), state: 'open' },
    ...{ closedAt: null, counts: [0, 0], voters: 0, isStale: false, toldAt: now, offeredAt: now },
  });
  return _id;
}

/** An instance that we know, to which something was not delivered. */
async function keepPeer({ house }: WholeApp): Promise<void> {
  const now = house.now();
  const known = { origin: 'https://known.example', software: 'mastodon', version: '4', firstSeenAt: now };
  const seen = { checkedAt: now, lastInAt: now, lastOutAt: null };
  await peersIn(house.store).insertOne({ _id: 'known.example', ...known, ...seen });
  const address = 'https://known.example/organization.properties';
  await addSource(contextFor(house, systemActor), { kind: 'organization', address, reason: 'administrator' });
  await deliveriesIn(house.store).insertOne({
    _id: `01890000-0000-7000-8000-000000000001 ${'0'.repeat(32)}`,
    activityId: '01890000-0000-7000-8000-000000000001',
    host: 'known.example',
    inbox: 'https://known.example/inbox',
    state: 'failed',
    attempts: 3,
    refusals: 0,
    createdAt: now,
    nextAt: now,
    failedAt: now,
    lastError: 'no answer for a week: HTTP 503',
  });
}

/** Of every post from elsewhere. */
export const partnerPicture = 'https://elsewhere.example/picture.png';
async function openGroup({ house }: WholeApp) {
  const ctx = contextFor(house, systemActor);
  const author = 'https://elsewhere.example/users/moderator';
  const group = await openAnnouncements(ctx, {
    handle: 'annonces',
    name: { fr: 'Annonces', en: '' },
    summary: { fr: '', en: '' },
    hostersModerate: false,
    moderators: [author],
    postingRestrictedToMods: true,
    version: 0,
  });
  const to = ['https://www.w3.org/ns/activitystreams#Public'];
  const document = { id: `${author}/posts/2`, type: 'Note', attributedTo: author, to, content: '<p>Bonjour</p>' };
  const post = fromPost(document, [], house.now());
  if (!post) throw new Error('no post');
  const activityIri = `${author}/posts/2#create`;
  await receiveGroupPost(ctx, group, { activityIri, raw: '{}', author, post, postId: null });
  return { handle: group.handle, thread: groupKey(group._id, post.iri) };
}

/** The hoster follows somebody elsewhere, who writes to followers only. */
async function addPartner({ house }: WholeApp, by: Collective, name: string, content: string) {
  const ctx = contextFor(house, systemActor);
  const followed = `https://elsewhere.example/users/${name}`;
  await followActor(ctx, { kind: 'collective', id: by._id }, { actor: followed, lists: ['network'] });
  const following = await followingsIn(house.store).findOne({ followed });
  if (!following) throw new Error('no following');
  const { followIri } = following;
  await receiveFollowAnswer(ctx, { answer: 'accept', followed, followIri, follower: null });
  const iri = `${followed}/posts/1`;
  const attachment = { type: 'Image', mediaType: 'image/png', url: partnerPicture };
  const document = {
    id: iri,
    type: 'Note',
    attributedTo: followed,
    to: [`${followed}/followers`],
    content,
    attachment,
  };
  const post = fromPost(document, [], house.now());
  if (!post) throw new Error('no post');
  await receivePost(ctx, post, followed);
  await block(
    ctx,
    { kind: 'collective', id: by._id },
    { kind: 'domain', domain: 'unwanted.example' },
    canaries[by.handle as TenantName],
  );
  await beginFollowImport(ctx, { kind: 'collective', id: by._id }, 'brought@elsewhere.example');
  const kept = await blocksIn(house.store).findOne({ blocker: following.follower });
  return { following: following._id, partnerPost: post._id, block: kept?._id ?? '' };
}

/** Somebody elsewhere answers the hoster's post, for the hoster alone. */
async function addMention({ house }: WholeApp, to: Collective, answered: string, content: string): Promise<string> {
  const reader = `${house.site.baseUrl}/actors/${to.handle}`;
  const iri = `https://elsewhere.example/answers/${to.handle}`;
  const author = 'https://elsewhere.example/users/asker';
  const document = { id: iri, type: 'Note', attributedTo: author, to: [reader], content, inReplyTo: answered };
  const post = fromPost(document, [], house.now());
  if (!post) throw new Error('no post');
  await receiveMentions(contextFor(house, systemActor), post, [{ reader, answered }]);
  return postKey(`${reader} ${post._id}`);
}

async function parkEvent({ house }: WholeApp, { collective }: Tenant): Promise<string> {
  const event = pending({ type: 'collective.updated', collectiveId: collective._id }, house.now());
  const parked: FailedEvent = {
    _id: event.eventId,
    collection: 'collectives',
    docId: collective._id,
    type: 'collective.updated',
    attempts: 12,
    nextAt: house.now(),
    lastError: 'Error: for the tests',
    parkedAt: house.now(),
    event,
  };
  await house.store.collection<FailedEvent>('failedEvents').insertOne(parked);
  return parked._id;
}

export const missingId = '00000000-0000-7000-8000-000000000000';
