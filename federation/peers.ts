// The instances that we know: noted when something went between us, asked politely what they run (NodeInfo, FEP-f1d5).
import { peersIn } from '../server/instances/peerQueries.js';
import { DuplicateKeyError } from '../server/store/store.js';
import type { Federation } from './federation.js';

/** Milliseconds for which a note is good: a busy peer costs one write in ten minutes and direction. */
const noteMs = 10 * 60_000;
const askAgainMs = 7 * 24 * 3_600_000;
/** Peers asked in one run. */
const perRun = 25;
const maxNotes = 10_000;
const notes = new WeakMap<Federation, Map<string, number>>();

/** Notes that something came from an instance (in), arrived there (out), or was tried. */
export async function notePeer(federation: Federation, iri: string, way: 'in' | 'out' | 'tried'): Promise<void> {
  const { host, origin } = new URL(iri);
  const now = federation.house.now();
  const known = notes.get(federation) ?? new Map<string, number>();
  notes.set(federation, known);
  const name = `${host} ${way}`;
  if (now.getTime() - (known.get(name) ?? 0) < noteMs) return;
  if (known.size >= maxNotes) known.clear();
  known.set(name, now.getTime());
  const seen = { in: { lastInAt: now }, out: { lastOutAt: now }, tried: {} }[way];
  const peers = peersIn(federation.house.store);
  const { matchedCount } = await peers.updateOne({ _id: host }, { $set: { origin, ...seen } });
  if (matchedCount > 0) return;
  const first = { origin, software: '', version: '', checkedAt: new Date(0), firstSeenAt: now };
  try {
    await peers.insertOne({ _id: host, ...first, lastInAt: null, lastOutAt: null, ...seen });
  } catch (error) {
    // Another process met it in the same moment: its note says as much.
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** Asks those peers what they run that were not asked for a week: two small documents each. */
export async function refreshPeers(
  federation: Federation,
  signal?: AbortSignal,
): Promise<{ asked: number; answered: number }> {
  const report = { asked: 0, answered: 0 };
  const before = new Date(federation.house.now().getTime() - askAgainMs);
  const peers = peersIn(federation.house.store);
  const due = await peers.find({ checkedAt: { $lt: before } }, { sort: { checkedAt: 1 }, limit: perRun }).toArray();
  for (const { _id, origin } of due) {
    if (signal?.aborted) break;
    const found = await readNodeInfo(federation, origin);
    report.asked += 1;
    if (found !== null) report.answered += 1;
    await peers.updateOne({ _id }, { $set: { checkedAt: federation.house.now(), ...found } });
  }
  return report;
}

const keepMs = 180 * 24 * 3_600_000;

/** Forgets instances between which and us nothing went for half a year, and of which nothing was set here. Returns how many. */
export async function prunePeers(federation: Federation): Promise<number> {
  const before = new Date(federation.house.now().getTime() - keepMs);
  // Null is before no moment: a comparison does not find it.
  const silent = (field: 'lastInAt' | 'lastOutAt') => ({ $or: [{ [field]: null }, { [field]: { $lt: before } }] });
  const forgotten = { firstSeenAt: { $lt: before }, inboundLimit: { $exists: false } };
  const filter = { ...forgotten, $and: [silent('lastInAt'), silent('lastOutAt')] };
  return (await peersIn(federation.house.store).deleteMany(filter)).deletedCount;
}

const nodeInfoRel = /^http:\/\/nodeinfo\.diaspora\.software\/ns\/schema\/2\.[01]$/;

/** Null: it says nothing that can be read. The document must stand on the same server. */
async function readNodeInfo(federation: Federation, origin: string) {
  const { links } = (await readJson(federation, `${origin}/.well-known/nodeinfo`)) as { links?: unknown };
  const [link] = (Array.isArray(links) ? links : [])
    .filter((one: unknown) => isLink(one))
    .filter(({ rel }) => nodeInfoRel.test(rel))
    .sort((one, other) => other.rel.localeCompare(one.rel));
  if (!link || !URL.canParse(link.href) || new URL(link.href).origin !== origin) return null;
  const { software } = (await readJson(federation, link.href)) as { software?: unknown };
  const { name, version } = (software ?? {}) as { name?: unknown; version?: unknown };
  if (typeof name !== 'string') return null;
  return { software: clean(name), version: typeof version === 'string' ? clean(version) : '' };
}

function isLink(value: unknown): value is { rel: string; href: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { rel, href } = value as { rel?: unknown; href?: unknown };
  return typeof rel === 'string' && typeof href === 'string';
}

function clean(text: string): string {
  return text.replace(/\p{C}+/gu, '').slice(0, 60);
}

async function readJson(federation: Federation, url: string): Promise<object> {
  const limits = { maxBytes: 64 * 1024, timeoutMs: 5_000, accept: 'application/json' };
  const answer = await federation.fetch.fetchText(url, limits);
  if (answer.outcome !== 'read') return {};
  try {
    const json: unknown = JSON.parse(Buffer.from(answer.body).toString('utf8'));
    return typeof json === 'object' && json !== null ? json : {};
  } catch {
    return {};
  }
}
