// In the demo the first hoster of each instance follows those of the others, by real signed requests, so that there is
// something to see under "followers" and every post crosses from instance to instance.
import { keysOf } from '../federation/actorKeys.js';
import { createFederation, type FederationHouse } from '../federation/federation.js';
import { activityType } from '../federation/fetch.js';
import { signCavage } from '../federation/signatures/cavage.js';
import { loadI18n } from '../server/i18n.js';
import { newId } from '../server/ids.js';
import { createLog } from '../server/log.js';
import { viewsDir } from '../server/paths.js';
import { openStore } from '../server/store/openStore.js';
import type { DemoInstance } from './demo.js';

export async function followEachOther(
  instances: readonly DemoInstance[],
  privateHosts: readonly string[],
): Promise<void> {
  const i18n = loadI18n(`${viewsDir}/locales`);
  const log = createLog('error', process.stderr);
  for (const follower of instances) {
    const store = await openStore({ dataDir: follower.dataDir, shared: true });
    const site = { baseUrl: follower.baseUrl, host: new URL(follower.baseUrl).host, defaultLanguage: 'fr' as const };
    const house: FederationHouse = { store, site, log, i18n, privateHosts, now: () => new Date() };
    const federation = createFederation(house, { version: 'demo', workerId: 'demo' });
    try {
      for (const followed of instances.filter(({ key }) => key !== follower.key)) {
        const [handle = ''] = follower.members;
        const actor = federation.apex.actorIri(handle);
        const object = `${followed.baseUrl}/actors/${followed.members[0]}`;
        const id = `${follower.baseUrl}/activities/${newId()}`;
        const follow = { '@context': 'https://www.w3.org/ns/activitystreams', id, type: 'Follow', actor, object };
        const body = Buffer.from(JSON.stringify(follow));
        const { rsa } = await keysOf(federation, handle);
        const request = { method: 'POST', url: new URL(`${object}/inbox`), body, contentType: activityType };
        const headers = await signCavage(request, { keyId: rsa.id, privateKey: rsa.privateKey }, house.now());
        const { status } = await federation.fetch.post(request.url.href, body, headers);
        if (status !== 202) log.warn({ follower: actor, followed: object, status }, 'a follow of the demo was refused');
      }
    } finally {
      await federation.fetch.close();
      await store.close();
    }
  }
}
