// Actors elsewhere, from the document that their own server gives. Read as plain JSON, the one form in which all peers write
// it. What is not on the actor's own origin is not believed: keys, inboxes, pages.
import type { RemoteActor, RemoteKey } from '../../server/partners/schema.js';
import { readIri, sameOrigin } from '../iris.js';
import { isObject } from '../json.js';
import { readEd25519Multikey, readRsaPublicKey } from '../signatures/keys.js';

const actorTypes = ['Application', 'Group', 'Organization', 'Person', 'Service'];
const maxKeys = 10;
const maxFields = 16;

/** Null: not an actor that we can talk to. */
export function fromActor(json: unknown, privateHosts: readonly string[], now: Date): RemoteActor | null {
  if (!isObject(json)) return null;
  const iri = readIri(json.id, privateHosts);
  const type = listOf(json.type).find((one): one is string => typeof one === 'string' && actorTypes.includes(one));
  const inbox = iri === null ? null : ownAddress(iri, json.inbox, privateHosts);
  if (iri === null || type === undefined || inbox === null) return null;
  const { host } = new URL(iri);
  const name = readText(json.preferredUsername, 100).toLowerCase();
  const endpoints = isObject(json.endpoints) ? json.endpoints : {};
  return {
    _id: iri,
    type,
    host,
    handle: /^[\p{L}\p{N}._-]{1,100}$/u.test(name) ? `${name}@${host}` : host,
    name: readText(json.name, 500),
    url:
      listOf(json.url)
        .map((url) => ownAddress(iri, isObject(url) ? url.href : url, privateHosts))
        .find((url) => url !== null) ?? null,
    inbox,
    sharedInbox: ownAddress(iri, endpoints.sharedInbox, privateHosts),
    keys: [...rsaKeys(iri, json.publicKey, privateHosts), ...multikeys(iri, json.assertionMethod, privateHosts)],
    fetchedAt: now,
    goneAt: null,
    summary: typeof json.summary === 'string' ? json.summary.slice(0, 20_000) : '',
    icon: iconOf(json.icon, privateHosts),
    fields: listOf(json.attachment)
      .slice(0, maxFields)
      .flatMap((item) =>
        isObject(item) && item.type === 'PropertyValue'
          ? [{ name: readText(item.name, 200), value: typeof item.value === 'string' ? item.value.slice(0, 2000) : '' }]
          : [],
      ),
    outbox: ownAddress(iri, json.outbox, privateHosts),
    followers: ownAddress(iri, json.followers, privateHosts),
    webfinger: nameOf(json.webfinger),
    catalogue: ownAddress(iri, json.catalogue, privateHosts),
    alsoKnownAs: listOf(json.alsoKnownAs)
      .slice(0, 20)
      .map((other) => readIri(other, privateHosts))
      .filter((other) => other !== null),
    leadsTo: readIri(listOf(json.movedTo)[0], privateHosts),
  };
}

/** FEP-2c59: as "user@host"; some write it with a scheme or an @. */
function nameOf(value: unknown): string | null {
  const name = readText(value, 400)
    .toLowerCase()
    .replace(/^(acct:|@)/, '');
  return /^[\p{L}\p{N}._-]{1,100}@[^\s@/]{1,253}$/u.test(name) ? name : null;
}

/** FEP-844e: whether the actor, or the server that it names as its generator, says that it takes RFC 9421 signatures. */
export function declaresMessageSignatures(json: unknown): boolean {
  if (!isObject(json)) return false;
  const generator = isObject(json.generator) ? json.generator : {};
  return [...listOf(json.implements), ...listOf(generator.implements)].slice(0, 50).some((one) => {
    const href = isObject(one) ? (one.href ?? one.id) : one;
    return href === 'https://datatracker.ietf.org/doc/html/rfc9421';
  });
}

/** The owner that a document about a single key names; null: it is no such document. */
export function ownerOfKey(json: unknown, keyId: string, privateHosts: readonly string[]): string | null {
  if (!isObject(json)) return null;
  const key = isObject(json.publicKey) ? json.publicKey : json;
  return key.id === keyId ? readIri(key.owner ?? key.controller, privateHosts) : null;
}

function rsaKeys(iri: string, value: unknown, privateHosts: readonly string[]): RemoteKey[] {
  return keysOf(iri, value, privateHosts, (key) => {
    const { owner, publicKeyPem } = key;
    return owner === iri && typeof publicKeyPem === 'string' && readRsaPublicKey(publicKeyPem)
      ? { kind: 'rsa', value: publicKeyPem }
      : null;
  });
}

/** FEP-521a. */
function multikeys(iri: string, value: unknown, privateHosts: readonly string[]): RemoteKey[] {
  return keysOf(iri, value, privateHosts, (key) => {
    const { type, controller, publicKeyMultibase } = key;
    const isKey = type === 'Multikey' && controller === iri && typeof publicKeyMultibase === 'string';
    return isKey && readEd25519Multikey(publicKeyMultibase) ? { kind: 'ed25519', value: publicKeyMultibase } : null;
  });
}

function keysOf(
  iri: string,
  value: unknown,
  privateHosts: readonly string[],
  read: (key: Record<string, unknown>) => Omit<RemoteKey, 'id'> | null,
): RemoteKey[] {
  return listOf(value)
    .slice(0, maxKeys)
    .flatMap((item) => {
      if (!isObject(item)) return [];
      const id = ownAddress(iri, item.id, privateHosts);
      const key = read(item);
      return id === null || key === null ? [] : [{ id, ...key }];
    });
}

/** On whatever server: portraits are often kept elsewhere. */
function iconOf(value: unknown, privateHosts: readonly string[]): string | null {
  const [icon] = listOf(value);
  if (!isObject(icon)) return readIri(icon, privateHosts);
  const [link] = listOf(icon.url ?? icon.href);
  return readIri(isObject(link) ? link.href : link, privateHosts);
}

/** An address on the same origin as the actor; null: none, or somewhere else. */
function ownAddress(iri: string, value: unknown, privateHosts: readonly string[]): string | null {
  const address = readIri(value, privateHosts);
  return address !== null && sameOrigin(address, iri) ? address : null;
}

/** One line without controls, direction tricks or heaps of marks on one letter. */
function readText(value: unknown, max: number): string {
  return typeof value === 'string'
    ? value
        .slice(0, 10 * max)
        .replace(/[\p{C}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/gu, '')
        .replace(/(?<=\p{M}{3})\p{M}+/gu, '')
        .trim()
        .slice(0, max)
    : '';
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
