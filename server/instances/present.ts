// The running of the instance as plain data for the administrator's pages, with the warnings that it deserves.
import type { Language } from '../context.js';
import type { Message } from '../errors.js';
import type { JobPlan } from '../house.js';
import type { BackupFile } from './dataFolder.js';
import type { FailedEvent, JobRun } from './schema.js';

export interface Warning {
  kind: 'waiting' | 'broken';
  message: Message;
  href?: string;
  hrefLabel?: string;
}

export interface OverviewFacts {
  now: Date;
  startedAt: Date;
  backup: BackupFile | null;
  keepsBackups: boolean;
  sendsMail: boolean;
  baseUrl: string;
  privateHosts: readonly string[];
  runs: readonly JobRun[];
  queues: Record<string, number>;
  /** Bytes; null where the system does not tell. */
  freeBytes: number | null;
}

const hour = 3_600_000;
const littleSpace = 500 * 1024 * 1024;

/** What an administrator should see to, worst first. */
export function warningsOf(facts: OverviewFacts): Warning[] {
  const broken: Warning[] = [];
  const waiting: Warning[] = [];
  if (facts.freeBytes !== null && facts.freeBytes < littleSpace) {
    broken.push({ kind: 'broken', message: { key: 'instances.warning.space' } });
  }
  if (facts.keepsBackups && facts.now.getTime() - (facts.backup?.at ?? facts.startedAt).getTime() > 49 * hour) {
    broken.push({ kind: 'broken', message: { key: 'instances.warning.backup' }, ...toJobs });
  }
  const failing = facts.runs.filter((run) => run.failuresInRow >= 3).length;
  if (failing > 0) {
    broken.push({ kind: 'broken', message: { key: 'instances.warning.jobs', params: { count: failing } }, ...toJobs });
  }
  const parked = facts.queues.parkedEvents ?? 0;
  if (parked > 0) {
    broken.push({ kind: 'broken', message: { key: 'instances.warning.parked', params: { count: parked } }, ...toJobs });
  }
  const held = facts.queues.held ?? 0;
  if (held > 0) {
    const toPeers = { href: '/admin/peers', hrefLabel: 'instances.warning.toPeers' };
    waiting.push({
      kind: 'waiting',
      message: { key: 'instances.warning.held', params: { count: held } },
      ...toPeers,
    });
  }
  if (facts.privateHosts.length > 0) {
    waiting.push({
      kind: 'waiting',
      message: { key: 'instances.warning.privateHosts', params: { hosts: facts.privateHosts.join(', ') } },
    });
  }
  if (facts.baseUrl.startsWith('http:')) {
    waiting.push({
      kind: 'waiting',
      message: { key: 'instances.warning.address', params: { address: facts.baseUrl } },
    });
  }
  if (!facts.sendsMail) {
    const toMails = { href: '/admin/mails', hrefLabel: 'instances.warning.toMails' };
    waiting.push({ kind: 'waiting', message: { key: 'instances.warning.mail' }, ...toMails });
  }
  return [...broken, ...waiting];
}

const toJobs = { href: '/admin/jobs', hrefLabel: 'instances.warning.toJobs' };

/** "1.4 GB", "380 kB": decimal units (IEC 80000-13). */
export function presentSize(bytes: number, language: Language): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const unit = units[power] ?? 'byte';
  const format = new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: power > 2 ? 1 : 0 });
  return format.format(bytes / 1000 ** power);
}

export function presentJob(plan: JobPlan, run: JobRun | undefined) {
  const lastAt = run && run.startedAt.getTime() > 0 ? run.startedAt : null;
  return {
    name: `jobs.name.${plan.name}`,
    about: `jobs.about.${plan.name}`,
    run: `/admin/jobs/${plan.name}/run`,
    nextAt: plan.nextAt,
    isRunning: plan.isRunning,
    lastAt,
    durationMs: run?.durationMs ?? 0,
    error: run?.error ?? null,
    failuresInRow: run?.failuresInRow ?? 0,
    isRepeated: (run?.failuresInRow ?? 0) > 1,
    counts: Object.entries(run?.result ?? {})
      .filter(([, count]) => count > 0)
      .map(([what, count]) => ({ key: `jobs.count.${what}`, count })),
  };
}

export function presentParkedEvent(event: FailedEvent) {
  return {
    type: event.type,
    since: event.parkedAt,
    reason: event.lastError,
    retry: `/admin/jobs/events/${event._id}/retry`,
    drop: `/admin/jobs/events/${event._id}/drop`,
  };
}
