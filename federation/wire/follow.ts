// Follow, and our answers to it. The answer embeds the whole Follow, since some peers match it by its parts.
import type { Follow } from '../../server/partners/schema.js';
import type { Json } from './namespace.js';

export function toFollow(follow: Pick<Follow, 'followIri' | 'follower' | 'followed'>): Json {
  return { id: follow.followIri, type: 'Follow', actor: follow.follower, object: follow.followed };
}
