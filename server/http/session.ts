// Sessions in the store: an opaque cookie, a document per session, absolute and idle limits. Knows no person: the
// people slice puts the person's id into the session at sign-in and takes sessions away.
import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import session, { type SessionData } from 'express-session';
import type { House } from '../house.js';
import { deriveKey } from '../secrets.js';
import type { Coll, Doc } from '../store/store.js';

/** Days without a visit after which a session ends. */
export const idleDays = 14;
/** Days after sign-in after which a session ends whatever happens. */
export const absoluteDays = 60;
const day = 24 * 60 * 60 * 1000;

declare module 'express-session' {
  interface SessionData {
    /** When the session began, in milliseconds since 1970. */
    startedAt?: number;
    /** Set by the people slice: who is signed in, and from what. */
    passport?: { user: string };
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
  constructor(
    private readonly sessions: Coll<SessionDoc>,
    private readonly now: () => Date,
  ) {
    super();
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

  private async write(sid: string, data: SessionData): Promise<void> {
    const now = this.now();
    const startedAt = new Date(data.startedAt ?? now.getTime());
    const personId = data.passport?.user;
    const _id = sessionKey(sid);
    const doc = {
      data: JSON.stringify(data),
      startedAt,
      seenAt: now,
      expiresAt: expiry(startedAt, now),
      device: data.device ?? '',
      ...(personId === undefined ? {} : { personId }),
    };
    // A session that was revoked while a request ran must not come back with that request's last write.
    const saved = await this.sessions.updateOne({ _id }, { $set: doc });
    if (saved.matchedCount === 0 && data.startedAt === undefined) return this.begin(_id, doc);
    if (saved.matchedCount === 0 && now.getTime() - startedAt.getTime() < 60_000) return this.begin(_id, doc);
  }

  private async begin(_id: string, doc: Omit<SessionDoc, '_id'>): Promise<void> {
    await this.sessions.replaceOne({ _id }, doc, { upsert: true });
  }

  /** Writes at most once a minute per session: reading a page is not worth a disk flush. */
  private async renew(sid: string): Promise<void> {
    const now = this.now();
    const doc = await this.sessions.findOne({ _id: sessionKey(sid) }, { projection: { startedAt: 1, seenAt: 1 } });
    if (!doc || now.getTime() - doc.seenAt.getTime() < 60_000) return;
    await this.sessions.updateOne({ _id: doc._id }, { $set: { seenAt: now, expiresAt: expiry(doc.startedAt, now) } });
  }
}

function expiry(startedAt: Date, now: Date): Date {
  return new Date(Math.min(startedAt.getTime() + absoluteDays * day, now.getTime() + idleDays * day));
}

/** Behind https the cookie is __Host-sid and Secure; plain http exists on this machine only (config.ts). */
export function sessions(house: House): RequestHandler {
  const secure = house.site.baseUrl.startsWith('https:');
  return session({
    name: secure ? '__Host-sid' : 'sid',
    secret: deriveKey(house.secret, 'session').toString('hex'),
    store: new SessionStore(house.store.collection<SessionDoc>('sessions'), house.now),
    resave: false,
    saveUninitialized: false,
    proxy: secure,
    cookie: { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: idleDays * day },
  });
}
