// What the process is made of, put together once by server/main.ts and handed to every routes.ts.
import type { Actor, Context, Log, Site } from './context.js';
import type { Views } from './http/views.js';
import type { I18n } from './i18n.js';
import type { Store } from './store/store.js';

export interface House {
  store: Store;
  site: Site;
  log: Log;
  views: Views;
  i18n: I18n;
  /** Derives keys and signs links; see server/secrets.ts. */
  secret: string;
  /** Number of trusted reverse proxies. */
  trustProxy: number;
  /** host:port pairs that may be private and plain http. */
  privateHosts: readonly string[];
  /** The clock. Tests set it; nothing in the house reads the time elsewhere. */
  now(): Date;
}

export function contextOf(house: House, actor: Actor): Context {
  return { store: house.store, actor, now: house.now(), site: house.site, log: house.log };
}
