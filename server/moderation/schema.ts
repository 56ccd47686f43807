// What somebody holds against a thing shown here, or against somebody elsewhere whom we read. Shapes only.
import { z } from 'zod';
import type { Eventful } from '../events.js';
import { checkbox, optionalEmail, paragraph } from '../shapes.js';
import type { Doc } from '../store/store.js';

export const reasons = ['spam', 'illegal', 'rules', 'wrong', 'other'] as const;
export type Reason = (typeof reasons)[number];

/** nothing: there was nothing to do. handled: done elsewhere. hidden: what was reported can no longer be read here. */
export const outcomes = ['nothing', 'handled', 'hidden'] as const;
export type Outcome = (typeof outcomes)[number];

/** Ids in one report. */
export const maxReported = 50;
export const maxComment = 3000;

export type ReportSource = 'visitor' | 'person' | 'server';

/** One line of what the moderators did. */
export interface ReportStep {
  at: Date;
  /** Person id. */
  by: string;
  what: 'noted' | 'taken' | 'released' | 'removed' | 'closed' | 'reopened';
  text: string;
  outcome: Outcome | null;
}

export interface Report extends Doc, Eventful {
  source: ReportSource;
  /** Whose server sent it; null: it was made here. Who asked that server is its secret. */
  host: string | null;
  /** Who made it here; null: a visitor, a server, or somebody who is gone. */
  personId: string | null;
  /** Address that a visitor left, to be asked or answered. */
  contact: string | null;
  /** Null: a server said none. */
  reason: Reason | null;
  /** Plain text. */
  comment: string;
  /** Ids and addresses of what it is about. */
  objects: string[];
  /** The actor elsewhere that it is about; null: it is about us. */
  about: string | null;
  /** Their server is told too. */
  tellsTheirs: boolean;
  /** One report each: the id of the Flag, or its digest; our own id for those made here. */
  dedupeKey: string;
  status: 'open' | 'closed';
  outcome: Outcome | null;
  /** The moderator who looks after it. */
  assignedTo: string | null;
  steps: ReportStep[];
  createdAt: Date;
  closedAt: Date | null;
  /** Rises with every step. */
  version: number;
}

/** What a server says about a report, as plain text of bounded length. */
export function reportComment(text: string): string {
  return (
    text
      .normalize('NFC')
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: leaving them out is the point
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '')
      .trim()
      .slice(0, maxComment)
      // Not through the middle of a letter made of two units.
      .replace(/[\ud800-\udbff]$/, '')
  );
}

export const aboutQuery = z.object({ about: z.string().max(1000).default('') });
export const reportShape = z.object({
  about: z.string().max(1000),
  reason: z.enum(reasons, 'moderation.error.chooseReason'),
  comment: paragraph(maxComment),
  contact: optionalEmail.default(null),
  tellsTheirs: checkbox,
});

const version = z.coerce.number().int().min(1);
export const reportParams = z.object({ id: z.uuid() });
export const reportsQuery = z.object({
  status: z.enum(['open', 'closed']).default('open').catch('open'),
  page: z.coerce.number().int().min(1).max(10_000).default(1).catch(1),
});
export const stepShape = z.object({ version });
export const noteShape = z.object({ text: paragraph(maxComment).refine((text) => text !== '', 'shape.required') });
export const closeShape = z.object({
  version,
  outcome: z.enum(outcomes, 'moderation.error.chooseOutcome'),
  closing: paragraph(maxComment).default(''),
});
export const removeShape = z.object({ version, post: z.uuid() });

export type ReportInput = z.output<typeof reportShape>;
