// Sessions in the store: an opaque cookie, a document per session, absolute and idle limits. Knows no person: the
// people slice puts the person's id into the session at sign-in and takes sessions away.
import { createHash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import session, { type SessionData } from 'express-session';
import type { House } from '../house.js';
import { deriveKey } from '../secrets.js';
import { type Coll, type Doc, DuplicateKeyError, type Store } from '../store/store.js';

/** Days without a visit after which a session ends. */
export const idleDays = 14;
/** Days after sign-in after which a session ends whatever happens. */
export const absoluteDays = 60;
/** Hours without a visit after which the session of a visitor (a form begun) ends. */
export const visitorHours = 12;
const hour = 60 * 60 * 1000;
const day = 24 * hour;

declare module 'express-session' {
  interface SessionData {
    /** When the session began, in milliseconds since 1970; set once, when it is made. */
    startedAt?: number;
    /** Set at sign-in: who it is (a person's id). */
    passport?: { user: string };
    /** The person's sessionEpoch at sign-in: a session of an older epoch is dead, whatever is still stored. */
    epoch?: number;
    /** What the browser said it is, shortened; shown to the person in the list of sessions. */
    device?: string;
  }
}

export interface SessionDoc extends Doc {
  /** The person signed in; absent for a visitor in the middle of a form. */
  personId?: string;
  data: string;
  startedAt: Date;
  seenAt: Date;
  expiresAt: Date;
  device: string;
}

export const sessionIndexes = {
  sessions: [{ keys: { personId: 1 as const, _id: 1 as const }, sparse: true }, { keys: { expiresAt: 1 as const } }],
};

/** The key under which a session is kept: the cookie's value itself is never stored. */
export function sessionKey(sid: string): string {
  return createHash('sha256').update(sid).digest('hex');
}

class SessionStore extends session.Store {
  /** Sessions made in this process and never written: the only ones that a write may bring into being. */
  private readonly fresh = new WeakSet<object>();

  constructor(
    private readonly sessions: Coll<SessionDoc>,
    private readonly now: () => Date,
  ) {
    super();
  }

  /** A session made just now (first visit of a form, sign-in, sign-out) gets its birth date and may be stored. */
  begin(req: Request): void {
    req.session.startedAt = this.now().getTime();
    this.fresh.add(req.session);
  }

  override get(sid: string, done: (error: unknown, data?: SessionData | null) => void): void {
    this.read(sid).then((data) => done(null, data), done);
  }

  override set(sid: string, data: SessionData, done: (error?: unknown) => void = () => {}): void {
    this.write(sid, data).then(() => done(), done);
  }

  override destroy(sid: string, done: (error?: unknown) => void = () => {}): void {
    this.sessions.deleteOne({ _id: sessionKey(sid) }).then(() => done(), done);
  }

  override touch(sid: string, _data: SessionData, done: (error?: unknown) => void = () => {}): void {
    this.renew(sid).then(() => done(), done);
  }

  private async read(sid: string): Promise<SessionData | null> {
    const doc = await this.sessions.findOne({ _id: sessionKey(sid) });
    return doc && doc.expiresAt > this.now() ? (JSON.parse(doc.data) as SessionData) : null;
  }

  /** A session that was revoked while a request ran does not come back with that request's last write. */
  private async write(sid: string, data: SessionData): Promise<void> {
    const now = this.now();
    const startedAt = new Date(data.startedAt ?? now.getTime());
    const personId = data.passport?.user;
    const doc = {
      data: JSON.stringify(data),
      startedAt,
      seenAt: now,
      expiresAt: expiry(startedAt, now, personId !== undefined),
      device: data.device ?? '',
      ...(personId === undefined ? {} : { personId }),
    };
    if (!this.fresh.delete(data)) {
      await this.sessions.updateOne({ _id: sessionKey(sid) }, { $set: doc });
      return;
    }
    try {
      await this.sessions.insertOne({ _id: sessionKey(sid), ...doc });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }

  /** Writes at most once a minute per session: reading a page is not worth a disk flush. */
  private async renew(sid: string): Promise<void> {
    const now = this.now();
    const doc = await this.sessions.findOne({ _id: sessionKey(sid) });
    if (!doc || now.getTime() - doc.seenAt.getTime() < 60_000) return;
    const expiresAt = expiry(doc.startedAt, now, doc.personId !== undefined);
    await this.sessions.updateOne({ _id: doc._id }, { $set: { seenAt: now, expiresAt } });
  }
}

function expiry(startedAt: Date, now: Date, signedIn: boolean): Date {
  const idle = signedIn ? idleDays * day : visitorHours * hour;
  return new Date(Math.min(startedAt.getTime() + absoluteDays * day, now.getTime() + idle));
}

/** Behind https the cookie is __Host-sid and Secure; plain http exists on this machine only (config.ts). */
export function sessions(house: House): RequestHandler {
  const secure = house.site.baseUrl.startsWith('https:');
  const store = new SessionStore(house.store.collection<SessionDoc>('sessions'), house.now);
  const middleware = session({
    name: secure ? '__Host-sid' : 'sid',
    secret: deriveKey(house.secret, 'session').toString('hex'),
    store,
    resave: false,
    saveUninitialized: false,
    proxy: secure,
    cookie: { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: absoluteDays * day },
  });
  // express-session puts the maker of sessions onto the store; every new session, also at sign-in, passes here.
  const maker = store as SessionStore & { generate(req: Request): void };
  const make = maker.generate.bind(maker);
  maker.generate = (req) => {
    make(req);
    store.begin(req);
  };
  return middleware;
}

/** Ends sessions of a person; `except` (a session key) stays. Effective with the next request. */
export async function endSessions(store: Store, personId: string, except?: string): Promise<number> {
  const filter = except === undefined ? { personId } : { personId, _id: { $ne: except } };
  return (await store.collection<SessionDoc>('sessions').deleteMany(filter)).deletedCount;
}

/** Ends one session of this person. False: there is none by that key. */
export async function endSession(store: Store, personId: string, key: string): Promise<boolean> {
  return (await store.collection<SessionDoc>('sessions').deleteOne({ _id: key, personId })).deletedCount === 1;
}

/** The sessions of a person that are still good, the one seen last first. */
export async function listSessions(store: Store, personId: string, now: Date): Promise<SessionDoc[]> {
  const found = await store.collection<SessionDoc>('sessions').find({ personId }, { limit: 200 }).toArray();
  return found.filter((one) => one.expiresAt > now).sort((a, b) => b.seenAt.getTime() - a.seenAt.getTime());
}

/** For the nightly job: takes away what has expired. Returns how many. */
export async function pruneSessions(store: Store, now: Date): Promise<number> {
  return (await store.collection<SessionDoc>('sessions').deleteMany({ expiresAt: { $lte: now } })).deletedCount;
}
