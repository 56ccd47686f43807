// Who follows whom across servers, and the actors elsewhere that we know. Shapes only.
import { z } from 'zod';
import type { Eventful } from '../events.js';
import type { HandleKind } from '../handles/handles.js';
import type { Doc } from '../store/store.js';

/** undone: taken back by the follower. rejected: refused or removed by the one followed. */
export const followStates = ['requested', 'accepted', 'rejected', 'undone'] as const;
export type FollowState = (typeof followStates)[number];

/** One actor follows another. One document for each pair, whatever happens between them. */
export interface Follow extends Doc, Eventful {
  /** IRIs of both actors. */
  follower: string;
  followed: string;
  /** The local side: which collective (or person, or the instance) is followed. */
  ownerKind: HandleKind;
  ownerId: string;
  /** Id of the last Follow activity: what our answer embeds, and what a repeat is known by. */
  followIri: string;
  state: FollowState;
  /** Where posts for this follower go: the shared inbox of their server when it has one. */
  deliverTo: string;
  requestedAt: Date;
  /** When it was accepted, rejected or undone. */
  decidedAt: Date | null;
}

export interface RemoteKey {
  id: string;
  kind: 'rsa' | 'ed25519';
  /** PEM for rsa, Multikey for ed25519. */
  value: string;
}

/** An actor elsewhere as its own server last described it. Only ever written from a document fetched from its id. */
export interface RemoteActor extends Doc {
  type: string;
  host: string;
  /** "user@host"; the name is only as good as the server that says it. */
  handle: string;
  name: string;
  /** Its page for people; null when it names none on its own server. */
  url: string | null;
  inbox: string;
  sharedInbox: string | null;
  keys: RemoteKey[];
  fetchedAt: Date;
  /** Its server says that it is gone for good. */
  goneAt: Date | null;
}

export const followersParams = z.object({ id: z.uuid() });
export const followParams = z.object({ id: z.uuid(), follow: z.string().regex(/^[0-9a-f]{64}$/) });
export const followersQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).default(1) });
