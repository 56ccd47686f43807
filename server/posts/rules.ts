// When somebody of ours may speak, and what becomes of what was said. Who may speak for a collective: collectives/rules.ts.
import type { Site } from '../context.js';
import { DomainError } from '../errors.js';
import type { Post } from './schema.js';

/** Refuses: closed. What cannot be seen has no readers, and its actor does not answer. */
export function checkMaySpeak(isOwnerPublic: boolean): void {
  if (!isOwnerPublic) throw new DomainError('closed', 'posts.error.collectiveNotPublished');
}

/** Refuses: conflict. The page from which the change comes shows an older text. */
export function checkPostVersion(post: Pick<Post, 'version'>, version: number): void {
  if (post.version !== version) throw changedMeanwhile();
}

export function changedMeanwhile(): DomainError {
  return new DomainError('conflict', 'posts.error.changedMeanwhile');
}

/** The id of a post on the wire. */
export function objectIri(site: Site, post: Pick<Post, '_id'>): string {
  return `${site.baseUrl}/objects/${post._id}`;
}
