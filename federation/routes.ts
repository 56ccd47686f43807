// The addresses of the wire. Spells out the inbox pipeline of security.md 0.3, one small function for each step; what a
// step refuses goes to the sender with the statuses of security.md 0.1, and no input makes a 5xx of our own.
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import { findServiceBySlug } from '../server/catalogue/queries.js';
import { findCollectiveByHandle } from '../server/collectives/queries.js';
import {
  commentsPerPage,
  countThread,
  findGroup,
  findGroupPostByKey,
  listModerators,
  listThreadAfter,
} from '../server/groups/queries.js';
import { contextIri } from '../server/groups/rules.js';
import { readPolicy } from '../server/instances/queries.js';
import { usualInboundLimit } from '../server/instances/rules.js';
import { countFollows, countReactions, listFollowersAfter } from '../server/partners/queries.js';
import {
  type Activity,
  activitiesIn,
  countOutbox,
  findLastOfObject,
  findLastOfSubject,
  listOutbox,
  outboxPageSize,
} from './activities.js';
import { findLocalActor, type LocalActor } from './actors.js';
import { describeActor } from './announce/actors.js';
import { describeCatalogue } from './announce/catalogue.js';
import { mayRead, requesterOf } from './audience.js';
import { attribute, readCarried } from './authorship.js';
import { ourContextDocument, ourContextPath } from './contexts.js';
import type { Errand } from './errand.js';
import type { Federation } from './federation.js';
import { activityType } from './fetchAnswers.js';
import { followersOn, noteSynchronisation, synchronisationIri } from './followerSync.js';
import { limitHost, strangersLimited, tooMany } from './inboundLimits.js';
import { asRefusal, receive, receiveGone } from './inbox.js';
import { readJson } from './json.js';
import { prefersActivity, prefersPage } from './negotiate.js';
import { peekActor } from './normalise.js';
import { notePeer } from './peers.js';
import { checkPeer } from './policy.js';
import { Refusal } from './refusal.js';
import { GoneError } from './remoteActors.js';
import type { SignatureClaim } from './signatures/request.js';
import { isOwnProbe, readClaim, signedRequestOf, verifyClaim } from './verify.js';
import { wellKnownRouter } from './wellKnown.js';
import { toActorTombstone } from './wire/actor.js';
import { toCollection, toCollectionPage } from './wire/collections.js';
import type { Json } from './wire/namespace.js';

/** Bytes of one activity. */
export const maxActivityBytes = 64 * 1024;
const followersPageSize = 50;
const synchronisation = 'collection-synchronization';
/** Where what is read depends on who asks, a cache must keep answers apart. */
const varyingBySigner = 'Accept, Signature, Signature-Input';

/** Everything of the wire. Mounted before sessions, forms and the check of origins: none of them concerns servers. */
export function federationRouter(federation: Federation, options: { version: string }): Router {
  const router = Router({ caseSensitive: true });
  inboxRoutes(router, federation);
  router.use(wellKnownRouter(federation, options.version));
  actorRoutes(router, federation);
  objectRoutes(router, federation);
  groupRoutes(router, federation);
  router.get(ourContextPath, (_req, res) => {
    res.set('Access-Control-Allow-Origin', '*').set('Cache-Control', 'public, max-age=86400');
    res.type('application/ld+json').send(JSON.stringify(ourContextDocument));
  });
  router.use(answerRefusals(federation));
  return router;
}

function inboxRoutes(router: Router, federation: Federation): void {
  const steps = [checkContentType, readBody, answerInbox(federation)];
  router.post('/inbox', ...steps);
  router.post('/actors/:name/inbox', checkRecipient(federation), ...steps);
  for (const path of ['/inbox', '/actors/:name/inbox']) router.all(path, refuseMethod('POST'));
}

/** The pipeline: each step may refuse, none before it has had an effect. */
function answerInbox(federation: Federation): RequestHandler {
  return async (req, res) => {
    const raw = bodyOf(req);
    const request = signedRequestOf(federation, req, raw);
    if (await isOwnProbe(federation, request)) return void res.status(202).end();
    const verified = await strangersLimited(federation, req, async (errand) => {
      const claim = readClaim(federation, request);
      await limitSender(federation, req, claim);
      await checkPeer(federation, claim.keyId, raw);
      const sender = await verifyOrForget(federation, claim, raw, errand);
      return sender && { sender, errand, covered: claim.covered };
    });
    if (verified !== null) {
      const { sender, errand } = verified;
      await limitHost(federation, sender);
      const carried = await readCarried(federation, raw);
      const { author, received } = await attribute(federation, sender, carried, errand);
      await receive(federation, received.activity, author, received.raw, errand, author._id !== sender._id);
      await notePeer(federation, sender._id, 'in');
    }
    res.status(202).end();
    // Whoever stands between us could have added what is not signed.
    if (verified?.covered.includes(synchronisation))
      noteSynchronisation(federation, req.headers[synchronisation], verified.sender);
  };
}

const checkContentType: RequestHandler = (req, _res, next) => {
  const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== activityType && type !== 'application/ld+json')
    throw new Refusal(415, 'the content type is not ActivityStreams');
  next();
};

/** Raw bytes, at most 64 KiB, never unpacked. The parser's own refusals are 413 and 415. */
const readBody: RequestHandler = express.raw({ type: () => true, limit: maxActivityBytes, inflate: false });

function bodyOf(req: Request): Buffer {
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
}

function checkRecipient(federation: Federation): RequestHandler<{ name: string }> {
  return async (req, _res, next) => {
    await actorNamed(federation, req.params.name);
    next();
  };
}

/**
 * Before the signature is known to hold, by sender's address and the host of the key together: nobody can use up another's
 * share by naming its key.
 */
async function limitSender(federation: Federation, req: Request, claim: SignatureClaim): Promise<void> {
  const { host } = new URL(claim.keyId);
  const own = (await readPolicy(federation.house.store)).inboundLimits?.get(host) ?? 0;
  const most = own > usualInboundLimit ? own : undefined;
  if (!federation.inboundLimit.take(`${req.ip} ${host}`, most)) throw tooMany(federation.inboundLimit);
}

/** The actor who signed. Null: a Delete by one who is gone, which has been dealt with. */
async function verifyOrForget(federation: Federation, claim: SignatureClaim, raw: Buffer, errand: Errand) {
  try {
    return await verifyClaim(federation, claim, errand);
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
  }
  const activity = await peekActor(federation.apex, readJson(raw), federation.house.privateHosts);
  if (await receiveGone(federation, activity, claim.keyId, errand)) return null;
  throw new Refusal(401, 'the key is gone');
}

function actorRoutes(router: Router, federation: Federation): void {
  router.get('/actors/:name', async (req, res) => {
    res.vary('Accept');
    const actor = await actorNamed(federation, req.params.name);
    if (prefersPage(req.headers.accept)) {
      return res.redirect(303, actor.kind === 'instance' ? '/about' : `/@${actor.handle}`);
    }
    sendJson(res, await describeActor(federation, actor));
  });

  router.get('/actors/:name/outbox', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    const { outbox } = federation.apex.streamsOf(actor.handle);
    const totalItems = await countOutbox(federation, actor.handle);
    const after = cursorIn(req, /^[0-9a-f-]{36}(-\d)?$/);
    if (after === undefined) return sendJson(res, toCollection(outbox, totalItems, totalItems > 0));
    const found = await listOutbox(federation, actor.handle, after);
    const next = found.length === outboxPageSize ? (found.at(-1)?._id ?? null) : null;
    const items = found.map((activity) => withoutContext(JSON.parse(activity.json)));
    sendJson(res, toCollectionPage({ iri: outbox, totalItems, items, after, next }, federation.house.site.baseUrl));
  });

  router.get('/actors/:name/followers', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    const { followers } = federation.apex.streamsOf(actor.handle);
    const totalItems = await countFollows(federation.house.store, actor.iri, 'accepted');
    // Who follows a person is the person's business; a hoster's followers are public, as on every platform.
    const isListed = actor.kind === 'collective' && totalItems > 0;
    const after = cursorIn(req, /^[0-9a-f]{64}$/);
    if (after === undefined || !isListed) return sendJson(res, toCollection(followers, totalItems, isListed));
    const found = await listFollowersAfter(federation.house.store, actor.iri, after, followersPageSize);
    const next = found.length === followersPageSize ? (found.at(-1)?._id ?? null) : null;
    const items = found.map((follow) => follow.follower);
    sendJson(res, toCollectionPage({ iri: followers, totalItems, items, after, next }, federation.house.site.baseUrl));
  });

  router.get('/actors/:name/followers/synchronization', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    res.vary(varyingBySigner);
    const asker = await requesterOf(federation, req);
    if (asker === null) throw new Refusal(401, 'only a signed request is answered');
    const origin = new URL(asker._id).origin;
    const followers = await followersOn(federation, actor.handle, origin);
    if (followers === null) throw new Refusal(404, 'there is no such list');
    const collection = toCollection(synchronisationIri(federation, actor.handle), followers.length, false);
    sendText(res, JSON.stringify({ ...collection, orderedItems: followers }), false);
  });

  router.get('/actors/:name/catalogue', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    const after = cursorIn(req, /^[0-9a-f-]{36}$/);
    sendJson(res, await describeCatalogue(federation, actor, after));
  });

  router.get('/actors/:name/following', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    sendJson(res, toCollection(federation.apex.streamsOf(actor.handle).following, 0, false));
  });
}

function objectRoutes(router: Router, federation: Federation): void {
  router.get('/objects/:id', async (req, res) => {
    res.vary(varyingBySigner);
    const last = await findLastOfObject(federation, federation.apex.objectIri(req.params.id));
    if (!(await mayRead(federation, req, last)) || last === null) throw new Refusal(404, 'there is no such object');
    // Whoever is hidden takes what they said with them. A Tombstone stays.
    if (last !== null && last.type !== 'Delete' && last.isPublic) await actorNamed(federation, last.actor);
    sendObject(res, last, prefersPage(req.headers.accept));
  });

  for (const [name, kind] of [
    ['likes', 'like'],
    ['shares', 'boost'],
  ] as const) {
    router.get(`/objects/:id/${name}`, async (req, res) => {
      const iri = federation.apex.objectIri(req.params.id);
      const last = await findLastOfObject(federation, iri);
      if (last === null || !last.isPublic || last.type === 'Delete') throw new Refusal(404, 'there is no such object');
      await actorNamed(federation, last.actor);
      // How many, not who: that is their business.
      sendJson(res, toCollection(`${iri}/${name}`, await countReactions(federation.house.store, iri, kind), false));
    });
  }

  router.get('/activities/:id', async (req, res) => {
    res.vary(varyingBySigner);
    const activity = await activitiesIn(federation).findOne({ _id: req.params.id });
    if (!(await mayRead(federation, req, activity)) || activity === null)
      throw new Refusal(404, 'there is no such activity');
    await actorNamed(federation, activity.actor);
    if (activity.json === '') throw new Refusal(410, 'it was about something deleted');
    sendText(res, activity.json, activity.isPublic);
  });
}

/** Who moderates a group (FEP-1b12), and its threads as collections of posts in the order of arrival (FEP-7888). */
function groupRoutes(router: Router, federation: Federation): void {
  const { site, store } = federation.house;
  router.get('/actors/:name/moderators', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    if (actor.kind !== 'group') throw new Refusal(404, 'there is no such list');
    const moderators = await listModerators(store, site, actor.group);
    const collection = toCollection(`${actor.iri}/moderators`, moderators.length, false);
    sendJson(res, { ...collection, attributedTo: actor.iri, orderedItems: moderators });
  });

  router.get('/contexts/:id', async (req, res) => {
    res.vary('Accept');
    const first = await findGroupPostByKey(store, req.params.id);
    const group = first && (await findGroup(store, first.groupId));
    if (!first || !group || first.thread !== first._id) throw new Refusal(404, 'there is no such thread');
    const owner = await actorNamed(federation, group.handle);
    if (first.removedAt !== null) throw new Refusal(410, 'the thread was removed');
    if (prefersPage(req.headers.accept)) return res.redirect(303, `/@${group.handle}/threads/${first._id}`);
    const iri = contextIri(site, first._id);
    const totalItems = await countThread(store, first._id);
    const after = cursorIn(req, /^[0-9]{15}[0-9a-f]{64}$/);
    const owned = { attributedTo: owner.iri };
    if (after === undefined) return sendJson(res, { ...toCollection(iri, totalItems, totalItems > 0), ...owned });
    const found = await listThreadAfter(store, first._id, after);
    const next = found.length === commentsPerPage ? (found.at(-1)?.position ?? null) : null;
    const items = found.map((post) => post.iri);
    sendJson(res, { ...toCollectionPage({ iri, totalItems, items, after, next }, site.baseUrl), ...owned });
  });
}

/** The object as last announced; 410 with its Tombstone when deleted. */
function sendObject(res: Response, last: Activity | null, wantsPage: boolean): void {
  if (last === null || last.objectJson === null) throw new Refusal(404, 'there is no such object');
  if (last.type === 'Delete') res.status(410);
  else if (wantsPage) {
    const { url } = JSON.parse(last.objectJson) as { url?: unknown };
    if (typeof url === 'string') {
      res.redirect(303, url);
      return;
    }
  }
  sendText(res, last.objectJson, last.isPublic);
}

async function actorNamed(federation: Federation, name: string | undefined): Promise<LocalActor> {
  const actor = await findLocalActor(federation, name ?? '');
  if (actor === 'gone') throw new GoneActor(federation.apex.actorIri(name ?? ''));
  if (actor === null) throw new Refusal(404, 'there is no such actor');
  return actor;
}

/** 410 with a Tombstone, so that peers know for certain. */
class GoneActor extends Refusal {
  constructor(readonly iri: string) {
    super(410, 'the actor is gone');
  }
}

/**
 * For the pages /@name, /@name/posts/:id and /@name/services/:slug: answers ActivityStreams where that is preferred, else
 * leaves the request to the pages, with a Link to the other form of an actor.
 */
export function activityRepresentation(federation: Federation): RequestHandler {
  const router = Router({ caseSensitive: true });
  router.get(['/@:name', '/@:name/posts/:post', '/@:name/services/:slug'], (req, res, next) => {
    res.vary('Accept');
    if (prefersActivity(req.headers.accept)) return next();
    if (/^\/@[a-z0-9_]{1,30}$/.test(req.path)) {
      res.append('Link', `<${federation.apex.actorIri(req.path.slice(2))}>; rel="alternate"; type="${activityType}"`);
    }
    next('router');
  });
  router.get('/@:name', async (req, res) => {
    sendJson(res, await describeActor(federation, await actorNamed(federation, req.params.name)));
  });
  router.get('/@:name/posts/:post', async (req, res) => {
    const actor = await actorNamed(federation, req.params.name);
    const last = await findLastOfSubject(federation, `post:${req.params.post}`);
    sendObject(res, last?.actor === actor.handle && last.isPublic ? last : null, false);
  });
  router.get('/@:name/services/:slug', async (req, res) => {
    await actorNamed(federation, req.params.name);
    const collective = await findCollectiveByHandle(federation.house.store, req.params.name);
    const service = collective && (await findServiceBySlug(federation.house.store, collective._id, req.params.slug));
    const last = service ? await findLastOfSubject(federation, `service:${service._id}`) : null;
    sendObject(res, last?.isPublic ? last : null, false);
  });
  const refuse = answerRefusals(federation);
  // What is wrong with the address of a page is said by a page.
  const answer: ErrorRequestHandler = (error, req, res, next) =>
    prefersActivity(req.headers.accept) ? refuse(error, req, res, next) : next(error);
  router.use(answer);
  return router;
}

/** undefined: the collection itself is asked for; null: its first page; else where the page begins. */
function cursorIn(req: Request, form: RegExp): string | null | undefined {
  const { after, page } = req.query;
  if (page === undefined) return undefined;
  if (after === undefined) return null;
  if (typeof after !== 'string' || !form.test(after)) throw new Refusal(400, 'there is no such page');
  return after;
}

function withoutContext(document: Json): Json {
  const { '@context': _context, ...rest } = document;
  return rest;
}

function sendJson(res: Response, document: Json): void {
  sendText(res, JSON.stringify(document));
}

/** Express adds the ETag and answers 304. */
function sendText(res: Response, text: string, isPublic = true): void {
  res.vary('Accept');
  if (res.statusCode === 200) res.set('Cache-Control', isPublic ? 'public, max-age=60' : 'private, no-store');
  res.set('Content-Type', `${activityType}; charset=utf-8`).send(text);
}

function refuseMethod(allowed: string): RequestHandler {
  return (_req, res) => {
    res.status(405).set('Allow', allowed).json({ error: 'that is not possible here' });
  };
}

/** What was thrown as an answer. Our own failure (the store is down, the disk is full) is 503: the sender keeps the message. */
function answerRefusals(federation: Federation): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error);
    const refusal = asRefusal(parserRefusal(error) ?? error);
    res.set('Cache-Control', 'no-store');
    if (refusal instanceof GoneActor) {
      res
        .status(410)
        .set('Content-Type', `${activityType}; charset=utf-8`)
        .send(JSON.stringify(toActorTombstone(refusal.iri)));
      return;
    }
    if (refusal instanceof Refusal) {
      if (req.method === 'POST')
        federation.house.log.info(
          { status: refusal.status, reason: refusal.reason, path: req.path },
          'an activity was refused',
        );
      if (refusal.retryAfter !== undefined || refusal.status === 503)
        res.set('Retry-After', String(refusal.retryAfter ?? 60));
      res.status(refusal.status).json({ error: refusal.reason });
      return;
    }
    federation.house.log.error({ err: error, path: req.path }, 'the wire failed');
    res.status(503).set('Retry-After', '60').json({ error: 'unavailable' });
  };
}

/** Errors of express.raw and of addresses that cannot be read are the sender's. */
function parserRefusal(error: unknown): Refusal | null {
  if (error instanceof Refusal || !(error instanceof Error)) return null;
  const { status } = error as { status?: unknown };
  if (status === 413) return new Refusal(413, 'the body is too large');
  if (status === 415) return new Refusal(415, 'the body must not be packed');
  if (error instanceof URIError || (typeof status === 'number' && status >= 400 && status < 500))
    return new Refusal(400, 'the request cannot be read');
  return null;
}
