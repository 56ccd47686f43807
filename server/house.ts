// What the process is made of, put together once by server/main.ts and handed to every routes.ts.
import type { Request, Response } from 'express';
import type { Actor, Context, Log, Site } from './context.js';
import type { FetchText, Pictures } from './fetching.js';
import type { Views } from './http/views.js';
import type { I18n } from './i18n.js';
import type { LookUpActor, ReadThread, RefreshPost, RemotePost } from './partners/schema.js';
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
  /** Reads a published file elsewhere, by the safe way out (federation/fetch.ts). */
  fetchText: FetchText;
  /** Pictures of others, for readers here (federation/pictures.ts). */
  pictures: Pictures;
  /** Finds an actor of the Fediverse (federation/lookUp.ts). */
  lookUpActor: LookUpActor;
  /** Reads a post of the Fediverse from its own server (federation/remoteObjects.ts); null: there is none at that address. */
  lookUpPost(address: string): Promise<RemotePost | null>;
  /** Reads a poll elsewhere again (federation/remoteObjects.ts). */
  refreshPost: RefreshPost;
  /** Reads a post elsewhere again, with what stands around it (federation/threads.ts). */
  readThread: ReadThread;
  /** The clock. Tests set it; nothing in the house reads the time elsewhere. */
  now(): Date;
}

/** What only the process itself can tell; the pages of the administration show it. Put together by server/main.ts. */
export interface Engine {
  version: string;
  /** Runs from sources: pages for builders are shown, templates read anew for each page. */
  isDevelopment: boolean;
  /** Where mails, backups and the secret are kept. */
  dataDir: string;
  startedAt: Date;
  /** False: no nightly backup is made (BACKUP_KEEP_DAYS=0). */
  keepsBackups: boolean;
  /** False: mails wait in the data folder for the administrator. */
  sendsMail: boolean;
  /** Null unless METRICS_TOKEN is set. */
  metrics: Metrics | null;
  jobs: JobDesk;
  /** Looks at the instance from outside, as a peer would: federation/selfTest.ts. */
  selfTest(): Promise<SelfTestLine[]>;
  /** True from SIGTERM on: no new work is welcome. */
  isStopping(): boolean;
}

export interface SelfTestLine {
  name:
    | 'actor'
    | 'representations'
    | 'webFingerByName'
    | 'webFingerByAddress'
    | 'hostMeta'
    | 'nodeInfo'
    | 'redirect'
    | 'clock'
    | 'signature'
    | 'inbox'
    | 'deliveryCavage'
    | 'deliveryMessage';
  /** What was tried, and what came back. */
  exchanges: { request: string; answer: string }[];
  /** What was found instead of what should be; null: all is well. */
  finding: string | null;
}

export interface Metrics {
  token: string;
  observe(req: Request, res: Response, milliseconds: number): void;
  render(): Promise<{ contentType: string; text: string }>;
}

export interface JobPlan {
  name: string;
  cron: string;
  nextAt: Date | null;
  isRunning: boolean;
}

/** What the administrator's page may see and ask of the jobs. */
export interface JobDesk {
  list(): JobPlan[];
  /** Runs a job soon after, outside its times. False: there is no such job, or it is running. */
  runNow(name: string): Promise<boolean>;
}

export function contextOf(house: Pick<House, 'store' | 'site' | 'log' | 'now'>, actor: Actor): Context {
  return { store: house.store, actor, now: house.now(), site: house.site, log: house.log };
}
