// What the edge is made of, put together once by server/main.ts from the house. Everything here takes it as first argument.
import type { KeyPairKeyObjectResult } from 'node:crypto';
import type { Context } from '../server/context.js';
import type { House } from '../server/house.js';
import { readPolicy } from '../server/instances/queries.js';
import { isRefusedPeer, usualInboundLimit } from '../server/instances/rules.js';
import { type Apex, buildApex } from './apex.js';
import { createFetch, type Fetch, type FetchOptions } from './fetch.js';
import { WindowLimit } from './limits.js';

export interface FederationHouse extends Pick<House, 'store' | 'site' | 'log' | 'i18n' | 'privateHosts' | 'now'> {
  /** For links inside what we say. Absent in tools that look and say nothing. */
  secret?: string;
}

export interface Federation {
  house: FederationHouse;
  apex: Apex;
  fetch: Fetch;
  /** Requests before their signature is looked at, by the sender's address and the host of the key together. */
  inboundLimit: WindowLimit;
  /** Requests whose signature did not hold, by address: what rotating keys and names does not get around. */
  strangerLimit: WindowLimit;
  /** Activities that were signed well, by host: all its actors together, whatever addresses they come from. */
  hostLimit: WindowLimit;
  /** Documents fetched, by host. */
  fetchLimit: WindowLimit;
  /** Those among them that strangers had us fetch: by whom and host together, and all strangers together by host. */
  strangerFetchLimit: WindowLimit;
  strangersFetchLimit: WindowLimit;
  /** Deletions of what is not known here that are remembered, by host. */
  deletionLimit: WindowLimit;
  /** Bytes that were taken in and kept, by host. */
  bytesLimit: WindowLimit;
  /** Answers of others that are passed on, by their server. */
  forwardLimit: WindowLimit;
  /** Surveys of others, and answers to ours, by their server. */
  surveyLimit: WindowLimit;
  /** Where a new actor's RSA keys come from: making them takes long, and tests deal them out. */
  makeRsaKeys?: () => Promise<KeyPairKeyObjectResult>;
  /** This process's name on the deliveries that it holds. */
  workerId: string;
  /** Deliveries being sent by this process, by host. */
  sending: Map<string, number>;
}

const minute = 60_000;

export function createFederation(
  house: FederationHouse,
  options: { version: string; workerId: string; lookup?: FetchOptions['lookup'] } & Pick<Federation, 'makeRsaKeys'>,
): Federation {
  return {
    house,
    apex: buildApex(house.site),
    fetch: createFetch({
      ownOrigin: house.site.baseUrl,
      userAgent: `Chatiere/${options.version} (+${house.site.baseUrl}/)`,
      privateHosts: house.privateHosts,
      now: house.now,
      isRefused: async (host) => isRefusedPeer(await readPolicy(house.store), host),
      ...(options.lookup ? { lookup: options.lookup } : {}),
    }),
    inboundLimit: new WindowLimit(usualInboundLimit, minute, house.now),
    strangerLimit: new WindowLimit(600, minute, house.now),
    hostLimit: new WindowLimit(usualInboundLimit, minute, house.now),
    fetchLimit: new WindowLimit(60, minute, house.now),
    strangerFetchLimit: new WindowLimit(10, minute, house.now),
    strangersFetchLimit: new WindowLimit(30, minute, house.now),
    deletionLimit: new WindowLimit(300, 24 * 60 * minute, house.now),
    bytesLimit: new WindowLimit(50_000_000, 24 * 60 * minute, house.now),
    forwardLimit: new WindowLimit(120, 60 * minute, house.now),
    surveyLimit: new WindowLimit(600, 60 * minute, house.now),
    ...(options.makeRsaKeys ? { makeRsaKeys: options.makeRsaKeys } : {}),
    workerId: options.workerId,
    sending: new Map(),
  };
}

/** The context in which activities from elsewhere act: nobody of ours, only the system. */
export function contextFor(federation: Federation): Context {
  const { store, site, log, now } = federation.house;
  return { store, site, log, now: now(), actor: { kind: 'system', name: 'federation' } };
}
