// When a collective may speak, and what becomes of what it said. Who may speak for it: collectives/rules.ts.
import { isPublic } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Site } from '../context.js';
import { DomainError } from '../errors.js';
import type { Post } from './schema.js';

/** Refuses: closed. A draft has no readers, and its actor does not answer. */
export function checkMaySpeak(collective: Pick<Collective, 'published' | 'deletedAt'>): void {
  if (!isPublic(collective)) throw new DomainError('closed', 'posts.error.collectiveNotPublished');
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
