// What the instance keeps about its own running: leases, runs of jobs, events that could not be handed on. Shapes only.
import { z } from 'zod';
import type { Eventful, PendingEvent } from '../events.js';
import { checkbox, line, requiredLine } from '../shapes.js';
import type { Doc } from '../store/store.js';

/** Who may run the jobs, among all processes on one store. */
export interface Lease extends Doc {
  holder: string;
  until: Date;
  /** Rises with each new holder; a write that carries an older one is refused. */
  fence: number;
}

/** What a job says it did: counted things by name ("sent": 3). */
export type JobResult = Record<string, number>;

/** The last run of a job. The _id is the job's name. */
export interface JobRun extends Doc {
  /** The moment for which the run was due: each runs once. */
  slot: Date;
  fence: number;
  startedAt: Date;
  finishedAt: Date | null;
  durationMs: number | null;
  result: JobResult | null;
  error: string | null;
  failuresInRow: number;
  /** An administrator asked for a run outside the schedule. */
  wanted: boolean;
}

/** An event that a consumer refused. Waiting: it still stands in its document. Parked: it was moved here. */
export interface FailedEvent extends Doc {
  collection: string;
  docId: string;
  type: string;
  attempts: number;
  nextAt: Date;
  lastError: string;
  parkedAt: Date | null;
  event: PendingEvent;
}

export const jobParams = z.object({ name: z.string().regex(/^[a-zA-Z]{1,40}$/) });
export const eventParams = z.object({ id: z.uuid() });

/** block: nothing comes in or goes out. allow: dealt with also in island mode. limit: its follows wait for an answer. */
export const ruleKinds = ['block', 'allow', 'limit'] as const;
export type RuleKind = (typeof ruleKinds)[number];

/** One rule about a domain and all below it. The _id is the domain, as `readDomain` writes it. */
export interface DomainRule extends Doc, Eventful {
  kind: RuleKind;
  publicReason: string;
  privateReason: string;
  /** actorName() of who made or last changed it. */
  by: string;
  at: Date;
  /** A removed rule counts for nothing; it stays until its news is told. */
  removedAt: Date | null;
}

/** Whom the instance deals with, besides the rules. Kept under `peers` in the collection `settings`. */
export interface PeerSettings {
  /** Island mode: only allowed domains. */
  island: boolean;
  /** The rules stand on the page About, with their public reasons. */
  publishesRules: boolean;
}

const reasons = { publicReason: line(300), privateReason: line(1000) };
export const ruleShape = z.object({ domain: requiredLine(300), kind: z.enum(ruleKinds), ...reasons });
export const ruleChangeShape = z.object({ kind: z.enum(ruleKinds), ...reasons });
export const ruleParams = z.object({ domain: z.string().min(1).max(253) });
export const rulesQuery = z.object({
  q: line(100).catch(''),
  only: z.enum(ruleKinds).or(z.literal('')).catch(''),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});
export const islandShape = z.object({ island: z.enum(['on', 'off']) });
export const publishShape = z.object({ publishesRules: checkbox });
export const exportParams = z.object({ list: z.enum(['blocks', 'allows']) });

/** Bytes of a list of rules in a file. */
export const maxRuleFileBytes = 1024 * 1024;
export const ruleImportShape = z.object({ csv: z.string().max(maxRuleFileBytes).default(''), kind: z.enum(ruleKinds) });

/** Another instance as we know it. The _id is its host, with the port where it has one. */
export interface Peer extends Doc {
  /** Where to ask for its NodeInfo. */
  origin: string;
  /** As its NodeInfo says; empty: not known. */
  software: string;
  version: string;
  /** When its NodeInfo was asked for last; the beginning of time: never. */
  checkedAt: Date;
  firstSeenAt: Date;
  /** Last activity of it that was taken; last delivery that it took. */
  lastInAt: Date | null;
  lastOutAt: Date | null;
  /** Activities a minute that are taken from it; missing: the usual number. */
  inboundLimit?: number;
  /** How many were refused on a day (UTC, "2026-05-21") because they were more than that. */
  refusedDay?: string;
  refusedCount?: number;
}

export const peersQuery = z.object({
  q: line(100).catch(''),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});
export const peerParams = z.object({ host: z.string().regex(/^[a-z0-9._:[\]-]{1,260}$/) });
/** Empty: the usual number. */
export const peerLimitShape = z.object({
  inboundLimit: z
    .string()
    .trim()
    .regex(/^(\d{1,6})?$/, 'instances.peers.limitWrong')
    .transform((text) => (text === '' ? null : Number(text)))
    .refine((limit) => limit === null || (limit >= 1 && limit <= 100_000), 'instances.peers.limitWrong'),
});
export const peerDeliveryParams = peerParams.extend({ delivery: z.string().regex(/^[0-9a-f-]{36,38} [0-9a-f]{32}$/) });
