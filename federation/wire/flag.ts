// Reports. All that we know send an actor and what it wrote as ids in one list; Pleroma sends what was written whole, Misskey one
// id alone. The comment is plain text; Lemmy calls it summary.
import type { Site } from '../../server/context.js';
import { maxReported, reportComment } from '../../server/moderation/schema.js';
import { isLocal, maxIri } from '../iris.js';
import { isObject } from '../json.js';

/** What of a Flag is about us: at most 50 ids of our origin, in order, each once, and what is said about them. */
export function fromFlag(json: Record<string, unknown>, site: Site): { objects: string[]; comment: string } {
  const listed = Array.isArray(json.object) ? json.object : [json.object];
  const ids = listed.map((one: unknown) => (isObject(one) ? one.id : one));
  const ours = ids.filter((id): id is string => typeof id === 'string' && id.length <= maxIri && isLocal(site, id));
  return {
    objects: [...new Set(ours)].slice(0, maxReported),
    comment: reportComment([json.content, json.summary].find((words) => typeof words === 'string') ?? ''),
  };
}
