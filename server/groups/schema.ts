// Groups of the wire: who posts where, in threads, and what the group passes on. Shapes only.
import { z } from 'zod';
import { handleName, pageNumber, versionShape } from '../collectives/schema.js';
import type { Eventful } from '../events.js';
import type { RemotePost } from '../partners/schema.js';
import { checkbox, type LocalText, line, localLine, localParagraph, paragraph } from '../shapes.js';
import type { Doc } from '../store/store.js';

/** A place where many write under one name that others follow (FEP-1b12). */
export interface Group extends Doc, Eventful {
  /** "announcements" while that group of the instance lives, its own id otherwise: there is one of the first. */
  slot: string;
  handle: string;
  name: LocalText;
  /** What it is for, as plain text. */
  summary: LocalText;
  /** Every public hoster of this instance moderates. */
  hostersModerate: boolean;
  /** IRIs of the other moderators. */
  moderators: string[];
  /** Only moderators begin threads; others comment. */
  postingRestrictedToMods: boolean;
  createdAt: Date;
  updatedAt: Date;
  /** Nothing new is taken since; what is there stays. */
  closedAt: Date | null;
  /** Gone for good: its name answers 410. */
  deletedAt: Date | null;
  version: number;
}

/** A post in a group: the beginning of a thread, or a comment. The _id is made of the group and the post's IRI. */
export interface GroupPost extends Doc {
  groupId: string;
  /** _id of the first post of its thread; its own when it is the first. */
  thread: string;
  iri: string;
  inReplyTo: string | null;
  /** IRI of who posted it: a collective of ours, or an actor elsewhere. */
  author: string;
  /** The post of ours; null: it is from elsewhere. */
  postId: string | null;
  /** What was written elsewhere; null: ours, or removed. */
  content: RemotePost | null;
  /** Sorts as the time of arrival does. */
  position: string;
  /** The activity by which it came. */
  createdBy: string;
  receivedAt: Date;
  removedAt: Date | null;
  removedBy: 'author' | 'moderator' | null;
}

/** What followers think of a post: passed on, and not counted here. */
export type GroupVote = 'Like' | 'Dislike';

/** Something done in a group, to be passed on to its followers once. The _id is made of the group and the activity's IRI. */
export interface GroupActivity extends Doc, Eventful {
  groupId: string;
  post: string;
  /** removal: by a moderator on a page here, without an activity of its own. */
  type: 'Create' | 'Update' | 'Delete' | 'Remove' | 'removal' | GroupVote | 'Undo';
  /** Of a like or dislike: its id, by which it may be taken back. */
  activityIri?: string;
  /** Of a like, a dislike, or what takes one back: whose it is, and the one before. Unique. */
  follows?: string;
  /** IRI of who did it. */
  author: string;
  /** The activity as it came, with its proof: what is announced. Emptied once the post is removed. */
  raw: string;
  at: Date;
}

const groupName: z.ZodType<LocalText> = localLine(80).superRefine((name, check) => {
  if (!name.fr && !name.en) check.addIssue({ code: 'custom', path: ['fr'], message: 'shape.required' });
});

/** `moderators`: one address a line. `handle` counts only while the group is new. */
export const groupShape = z.object({
  handle: line(30).default(''),
  name: groupName,
  summary: localParagraph(2000),
  hostersModerate: checkbox,
  moderators: paragraph(4000).default(''),
  postingRestrictedToMods: checkbox,
  version: versionShape.default(0),
});
export type GroupInput = Omit<z.output<typeof groupShape>, 'moderators'> & { moderators: string[] };

export const deleteShape = z.object({ handle: line(40).default('') });
const hexKey = z.string().regex(/^[0-9a-f]{64}$/);
export const namedParams = z.object({ name: handleName });
export const threadParams = z.object({ name: handleName, thread: hexKey });
export const removeParams = threadParams.extend({ post: hexKey });
export const pageQuery = z.object({ page: pageNumber });
