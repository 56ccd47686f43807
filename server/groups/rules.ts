// Who may write into a group, and who may take out of it (FEP-1b12). Pure: no store, no clock of its own.
import { createHash } from 'node:crypto';
import type { Actor, Site } from '../context.js';
import { DomainError } from '../errors.js';
import type { Group } from './schema.js';

/** What somebody is to a group, read afresh. */
export interface Standing {
  isModerator: boolean;
  isFollower: boolean;
  /** A public collective of this instance. */
  isLocalHoster: boolean;
  /** From a server that the administrators limit. */
  isLimited: boolean;
}

export type WritingDeed = 'begin' | 'comment';

/** What one author may do in one group within an hour. */
export const activitiesAnHour = 30;

export function groupKey(groupId: string, iri: string): string {
  return createHash('sha256').update(`${groupId} ${iri}`).digest('hex');
}

/** The id of a thread (FEP-7888). */
export function contextIri(site: Site, thread: string): string {
  return `${site.baseUrl}/contexts/${thread}`;
}

export function isOpen(group: Pick<Group, 'closedAt' | 'deletedAt'>): boolean {
  return group.closedAt === null && group.deletedAt === null;
}

/** Moderators do both; followers and our collectives comment, and begin threads where that is not restricted. */
export function mayWrite(
  group: Pick<Group, 'closedAt' | 'deletedAt' | 'postingRestrictedToMods'>,
  standing: Standing,
  deed: WritingDeed,
): boolean {
  if (!isOpen(group) || standing.isLimited) return false;
  if (standing.isModerator) return true;
  if (deed === 'begin' && group.postingRestrictedToMods) return false;
  return standing.isFollower || standing.isLocalHoster;
}

/** Refuses: closed. For those who write here, and can be told. */
export function checkMayWrite(group: Group, standing: Standing, deed: WritingDeed): void {
  if (!isOpen(group)) throw new DomainError('closed', 'groups.error.closed');
  if (!mayWrite(group, standing, deed)) throw new DomainError('closed', 'groups.error.moderatorsOnly');
}

/** On pages here: moderators and administrators of the instance. */
export function mayModerate(actor: Actor): boolean {
  return actor?.kind === 'system' || (actor?.kind === 'person' && actor.instanceRole !== null);
}

/** Refuses: conflict. The page from which the change comes shows an older state. */
export function checkGroupVersion(group: Pick<Group, 'version'>, version: number): void {
  if (group.version !== version) throw new DomainError('conflict', 'groups.error.changedMeanwhile');
}

/** Addresses as people write them, one a line, each once. */
export function readLines(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[\n,;]+/)
        .map((one) => one.trim())
        .filter(Boolean),
    ),
  ];
}
