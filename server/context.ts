// What every action receives. The domain sees this and typed input, never a request, a response or an environment.
import type { Store } from './store/store.js';

export type InstanceRole = 'administrator' | 'moderator';
export type CollectiveRole = 'representative' | 'member';

/** Who acts. Null: a visitor. 'system': a job, the command line, the bootstrap file. */
export type Actor = PersonActor | SystemActor | null;

export interface PersonActor {
  kind: 'person';
  personId: string;
  username: string;
  displayName: string;
  instanceRole: InstanceRole | null;
  /** Collective id -> role there, read afresh for each request so that a removed role ends at once. */
  memberships: Readonly<Record<string, CollectiveRole>>;
}

export interface SystemActor {
  kind: 'system';
  /** What speaks: "job:refreshSources", "cli", "bootstrap". Stands in histories as the author. */
  name: string;
}

export interface Site {
  /** Scheme, host and port without a trailing slash: the origin of every id that we mint. */
  baseUrl: string;
  /** Host, with the port when it is not the default one: the right half of handles. */
  host: string;
  defaultLanguage: Language;
}

export const languages = ['fr', 'en'] as const;
export type Language = (typeof languages)[number];

export interface Log {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface Context {
  store: Store;
  actor: Actor;
  now: Date;
  site: Site;
  log: Log;
}

/** The person id, or the name of the machine part that acted; for histories. */
export function actorName(actor: Actor): string {
  if (actor === null) return 'visitor';
  return actor.kind === 'person' ? actor.personId : `system:${actor.name}`;
}
