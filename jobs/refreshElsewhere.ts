// Reads the hosters elsewhere whose time has come. How to read them is federation/catalogues.ts and server/elsewhere.
import { readCatalogue } from '../federation/catalogues.js';
import { readFileSource } from '../server/elsewhere/actions/read.js';
import { postpone } from '../server/elsewhere/actions/sources.js';
import { listDueSources } from '../server/elsewhere/queries.js';
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

/** Sources read in one run, one after the other: an instance first, then the hosters that it names. */
const perRun = 40;

export async function refreshElsewhere({ house, federation }: JobTools, signal: AbortSignal): Promise<JobResult> {
  let read = 0;
  while (read < perRun && !signal.aborted) {
    const [source] = await listDueSources(house.store, house.now(), 1);
    if (!source) break;
    const ctx = contextOf(house, { kind: 'system', name: 'refreshElsewhere' });
    // If this one makes us fail, the others have their turn first.
    await postpone(ctx, source);
    if (source.kind === 'actor' || source.kind === 'instance') await readCatalogue(federation, source);
    else await readFileSource(ctx, house.fetchText, source);
    read += 1;
  }
  return { cataloguesRead: read };
}
