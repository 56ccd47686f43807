// Follows the accounts of lists that were brought along, a few in a minute: each asks a server elsewhere.
import { findNamed } from '../federation/lookUp.js';
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { followImported as follow } from '../server/partners/actions/importing.js';
import { listRunningImports } from '../server/partners/importQueries.js';
import type { JobTools } from './tools.js';

/** Lists, and accounts of each, in one run. */
const lists = 4;
const accounts = 10;

export async function followImported({ house, federation }: JobTools, signal: AbortSignal): Promise<JobResult> {
  let followed = 0;
  for (const list of await listRunningImports(house.store, lists)) {
    if (signal.aborted) break;
    const due = list.rows.filter(({ state }) => state === 'waiting').slice(0, accounts);
    const found = await Promise.all(
      due.map(async ({ address }) => ({ address, actor: await findNamed(federation, address) })),
    );
    followed += await follow(contextOf(house, { kind: 'system', name: 'followImported' }), list, found);
  }
  return { followed };
}
