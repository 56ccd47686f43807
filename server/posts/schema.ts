// A short text that a collective tells everybody, in French, English or both. Shapes only; HTML is made in render.ts.
import { z } from 'zod';
import { collectiveId, handleName, pageNumber, versionShape } from '../collectives/schema.js';
import type { Eventful } from '../events.js';
import { checkbox, type LocalText, localParagraph } from '../shapes.js';
import type { Doc } from '../store/store.js';

/** Characters of Markdown in one language. */
export const maxPostLength = 5000;

/** Who speaks: a collective, or a person in their own name. */
export type OwnerRef = { kind: 'collective' | 'person'; id: string };

export interface Post extends Doc, Eventful {
  ownerKind: OwnerRef['kind'];
  ownerId: string;
  /** Who wrote it; of a collective's known to its members only. */
  authorPersonId: string;
  /** Markdown as typed. Emptied by deletion. */
  text: LocalText;
  /** Whom it names: "handle" for an actor of this instance, "user@host" for one elsewhere; lower case, no doubles. */
  mentions: string[];
  /** What it answers elsewhere, and whose that is. */
  inReplyTo?: { iri: string; author: string };
  /** An answer for the author of what it answers alone: on no public page, in no outbox. */
  isPrivate?: boolean;
  /** The group of this instance for which it is, as a thread or a comment. */
  groupId?: string;
  publishedAt: Date;
  /** Null until the first correction. */
  updatedAt: Date | null;
  /** A Tombstone since: the address answers 410 for good. */
  deletedAt: Date | null;
  version: number;
}

export const postText: z.ZodType<LocalText> = localParagraph(maxPostLength).superRefine((text, check) => {
  if (!text.fr && !text.en) check.addIssue({ code: 'custom', path: ['fr'], message: 'posts.error.empty' });
});

const groupPostKey = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .or(z.literal(''))
  .default('');

/** `step` tells which button was pressed: look first, or publish. */
export const postShape = z.object({
  text: postText,
  step: z.enum(['preview', 'publish']),
  /** Also a thread in the announcements group. */
  announce: checkbox,
  /** Key of the group's post that it answers. */
  answers: groupPostKey,
  version: versionShape.default(0),
});

const postId = z.uuid();

export const idParams = z.object({ id: collectiveId });
/** `id` is there for a collective and absent for a person. */
export const editedPostParams = z.object({ id: collectiveId.optional(), post: postId });
export const namedParams = z.object({ name: handleName });
export const namedPostParams = z.object({ name: handleName, post: postId });
export const newQuery = z.object({ announce: checkbox, answers: groupPostKey });
export const pageQuery = z.object({ page: pageNumber });
