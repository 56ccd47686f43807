// An organisation of many services read over HTTP from a local server, planned and applied; beside what the same number of
// bare durable inserts costs in the same store.

import { applyImport, beginImport, viewImport } from '../../server/catalogue/actions/imports.js';
import { crawlOrganization } from '../../server/catalogue/crawl.js';
import { createCollective } from '../../server/collectives/actions.js';
import type { Context } from '../../server/context.js';
import type { FetchText } from '../../server/fetching.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes } from '../../server/store/schema.js';
import type { Doc } from '../../server/store/store.js';
import { startChatonsInfosServer } from '../support/chatonsinfosServer.js';
import { roseauChatonsInfosFiles } from '../support/roseau.js';

export interface ImportFigures {
  services: number;
  crawlMs: number;
  planMs: number;
  applyMs: number;
  applyAgainMs: number;
  bareInsertsMs: number;
}

export async function benchImport(dataDir: string, services: number): Promise<ImportFigures> {
  const server = await startChatonsInfosServer({ files: organizationOf(services) });
  const store = await openStore({ dataDir, onScan: 'warn' });
  try {
    await store.ensureIndexes(allIndexes);
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    const ctx: Context = {
      store,
      actor: { kind: 'system', name: 'bench' },
      now: new Date(),
      site: { baseUrl: 'http://localhost:3000', host: 'localhost:3000', defaultLanguage: 'fr' },
      log: quiet,
    };
    const name = { fr: 'Grand hébergeur', en: 'Large hoster' };
    const { _id } = await createCollective(ctx, { handle: 'grand', name, legalForm: 'ASSOCIATION', published: true });
    const url = `${server.baseUrl}/organization.properties`;

    const crawl = await timed(() => crawlOrganization(plainFetch, url));
    if (!crawl.value.ok) throw new Error(crawl.value.failure.key);
    const { files, failures } = crawl.value;
    const draft = await beginImport(ctx, _id, { origin: { kind: 'url', url }, files, failures });
    const plan = await timed(() => viewImport(ctx, _id, draft._id));
    const confirmation = { digest: plan.value.plan.digest, publish: true, everyHours: null };
    const apply = await timed(() => applyImport(ctx, _id, draft._id, confirmation));
    const again = await beginImport(ctx, _id, { origin: { kind: 'url', url }, files, failures });
    const { plan: unchanged } = await viewImport(ctx, _id, again._id);
    const repeat = await timed(() => applyImport(ctx, _id, again._id, { ...confirmation, digest: unchanged.digest }));

    const bare = store.collection<Doc & { text: string }>('settings');
    const text = 'x'.repeat(1500);
    const inserts = await timed(async () => {
      for (let n = 0; n < services; n += 1) await bare.insertOne({ _id: `bench-${n}`, text });
    });
    return {
      services,
      crawlMs: crawl.ms,
      planMs: plan.ms,
      applyMs: apply.ms,
      applyAgainMs: repeat.ms,
      bareInsertsMs: inserts.ms,
    };
  } finally {
    await store.close();
    await server.close();
  }
}

/** One of ROSEAU's members with its first service repeated under other names. */
function organizationOf(services: number): Map<string, string> {
  const files = [...roseauChatonsInfosFiles('ecluse', '{{base}}')];
  const [, organization = ''] = files.find(([, text]) => /^file\.class\s*=\s*organization/im.test(text)) ?? [];
  const [, service = ''] = files.find(([, text]) => /^file\.class\s*=\s*service/im.test(text)) ?? [];
  const own = organization.split('\n').filter((line) => !line.startsWith('subs.'));
  const result = new Map<string, string>();
  for (let n = 0; n < services; n += 1) {
    const lines = service.split('\n').filter((line) => !line.startsWith('subs.'));
    const named = lines.map((line) => (line.startsWith('service.name') ? `${line} ${n}` : line));
    result.set(`/service-${n}.properties`, named.join('\n'));
    own.push(`subs.service${n} = {{base}}/service-${n}.properties`);
  }
  return result.set('/organization.properties', own.join('\n'));
}

const plainFetch: FetchText = async (url) => {
  const response = await fetch(url);
  const body = new Uint8Array(await response.arrayBuffer());
  return { outcome: 'read', body, etag: null, lastModified: null, finalUrl: url };
};

async function timed<T>(run: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now();
  const value = await run();
  return { value, ms: Math.round(performance.now() - began) };
}
