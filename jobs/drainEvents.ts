// Hands events on to whoever must know, then takes them out of the documents they were written with. A crash at any
// point repeats a hand-over, so every consumer is idempotent by eventId. An event that a consumer refuses waits longer
// each time, holds back only later events of its own document, and is parked after `attempts` tries.
import type { Log } from '../server/context.js';
import type { Eventful, PendingEvent } from '../server/events.js';
import type { FailedEvent, JobResult } from '../server/instances/schema.js';
import type { Coll, Doc, Store } from '../server/store/store.js';

type Carrier = Doc & Eventful;

export interface Consumer {
  name: string;
  /** Idempotent by eventId. Throws when the event must be handed over again later. */
  receive(event: PendingEvent): Promise<unknown>;
}

export interface DrainTools {
  store: Store;
  log: Log;
  now(): Date;
  collections: readonly string[];
  consumers: readonly Consumer[];
}

/** Tries of one event before it is parked: with the waits below, about a day and a half. */
export const attempts = 12;
/** Documents read at once from one collection. */
const batch = 200;

/** Milliseconds to wait after the n-th failure: 5 s, 20 s, 80 s ..., 6 h at most. */
export function waitAfter(failures: number): number {
  return Math.min(5_000 * 4 ** (failures - 1), 6 * 3_600_000);
}

interface Waiting {
  collection: string;
  docId: string;
  event: PendingEvent;
}

/** Returns how many events were handed on, refused for now, and parked. */
export async function drainEvents(tools: DrainTools, signal?: AbortSignal): Promise<JobResult> {
  const total = { handedOn: 0, refused: 0, parked: 0 };
  for (;;) {
    const held = await heldDocuments(tools);
    const waiting = await collect(tools, held);
    let done = 0;
    for (const item of waiting) {
      if (signal?.aborted) return total;
      if (held.has(item.docId)) continue;
      const outcome = await handOn(tools, item);
      total[outcome] += 1;
      if (outcome === 'refused') held.add(item.docId);
      else done += 1;
    }
    if (done === 0) return total;
  }
}

/** Documents with an event whose next try is not due. */
async function heldDocuments(tools: DrainTools): Promise<Set<string>> {
  const failed = tools.store.collection<FailedEvent>('failedEvents');
  const waiting = await failed
    .find({ parkedAt: null, nextAt: { $gt: tools.now() } }, { projection: { docId: 1 } })
    .toArray();
  return new Set(waiting.map((one) => one.docId));
}

/** The oldest unsent events of all collections, in the order in which they happened. */
async function collect(tools: DrainTools, held: ReadonlySet<string>): Promise<Waiting[]> {
  const found: Waiting[] = [];
  for (const collection of tools.collections) {
    const filter = { 'events.eventId': { $gt: '' }, ...(held.size > 0 ? { _id: { $nin: [...held] } } : {}) };
    const documents = await tools.store
      .collection<Carrier>(collection)
      .find(filter, { sort: { 'events.eventId': 1 }, limit: batch, projection: { events: 1 } })
      .toArray();
    for (const { _id, events = [] } of documents)
      for (const event of events) found.push({ collection, docId: _id, event });
  }
  return found.sort((a, b) => (a.event.eventId < b.event.eventId ? -1 : 1));
}

async function handOn(
  tools: DrainTools,
  { collection, docId, event }: Waiting,
): Promise<'handedOn' | 'refused' | 'parked'> {
  const carriers = tools.store.collection<Carrier>(collection);
  const failed = tools.store.collection<FailedEvent>('failedEvents');
  for (const consumer of tools.consumers) {
    try {
      await consumer.receive(event);
    } catch (error) {
      return await refuse(tools, { collection, docId, event }, `${consumer.name}: ${messageOf(error)}`, error);
    }
  }
  await takeOut(carriers, docId, event);
  await failed.deleteOne({ _id: event.eventId });
  return 'handedOn';
}

async function refuse(
  tools: DrainTools,
  item: Waiting,
  lastError: string,
  cause: unknown,
): Promise<'refused' | 'parked'> {
  const { collection, docId, event } = item;
  const failed = tools.store.collection<FailedEvent>('failedEvents');
  const before = await failed.findOne({ _id: event.eventId });
  const tries = (before?.attempts ?? 0) + 1;
  const isLast = tries >= attempts;
  const now = tools.now();
  const note = {
    collection,
    docId,
    event,
    type: event.type,
    attempts: tries,
    nextAt: new Date(now.getTime() + waitAfter(tries)),
    lastError: lastError.slice(0, 500),
    parkedAt: isLast ? now : null,
  };
  await failed.replaceOne({ _id: event.eventId }, note, { upsert: true });
  tools.log.error(
    { err: cause, eventId: event.eventId, type: event.type, docId, tries },
    isLast ? 'event parked' : 'event refused',
  );
  if (!isLast) return 'refused';
  await takeOut(tools.store.collection<Carrier>(collection), docId, event);
  return 'parked';
}

async function takeOut(carriers: Coll<Carrier>, docId: string, event: PendingEvent): Promise<void> {
  await carriers.updateOne({ _id: docId }, { $pull: { events: event } });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
