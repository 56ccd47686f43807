// From a received JSON document to a flat ReceivedActivity: the one reading on which everything that follows is decided.
// Nothing is believed here (that is verify.ts and handlers.ts), nothing is fetched, nothing inline is kept as an object.
import type { Apex } from './apex.js';
import { withoutContexts } from './contexts.js';
import { readIri, sameOrigin } from './iris.js';
import { isObject } from './json.js';
import { readPlainly } from './plainReading.js';
import { Refusal } from './refusal.js';
import { fromVote } from './wire/question.js';

type Json = Record<string, unknown>;

/** The ids that an activity's object carries; its content stays in the raw bytes. */
export interface ReceivedObject {
  id: string | null;
  /** Null: only its id was sent. */
  type: string | null;
  actor: string | null;
  object: string | null;
  attributedTo: string[];
}

export interface ReceivedActivity {
  /** Null: a passing activity without an id of its own. */
  id: string | null;
  type: string;
  actor: string;
  /** Null: the activity has no object that has an id or a type. */
  object: ReceivedObject | null;
  /** `object` is the first of several; what it is about stands in all of them: votes in one poll, what is reported. */
  hasSeveral: boolean;
}

/** A report names an actor and what it wrote. Its handler reads the list; here stands the first alone. */
const withSeveralObjects: ReadonlySet<string> = new Set(['Flag']);

/** Refuses (400, 413) unknown shapes: no or several types, several actors, ids that are not addresses. */
export async function normalise(apex: Apex, json: Json, privateHosts: readonly string[]): Promise<ReceivedActivity> {
  const plain = withoutContexts(json);
  return interpret(readPlainly(plain) ?? (await readAsJsonLd(apex, plain)), plain, privateHosts);
}

/** Keys and elements of a document that the processor has to read, which holds everything else up: a tenth of a second. */
const maxProcessed = 1500;

function isTooMuch(document: Json): boolean {
  let count = 0;
  const waiting: unknown[] = [document];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const children: unknown[] = Object.values(value);
    count += children.length;
    if (count > maxProcessed) return true;
    waiting.push(...children);
  }
  return false;
}

/** The long way, which is right for every document. Refuses (413) those that would take it long. */
export async function readAsJsonLd(apex: Apex, plain: Json): Promise<Json> {
  if (isTooMuch(plain)) throw new Refusal(413, `the activity has more than ${maxProcessed} values`);
  try {
    return await apex.read(plain);
  } catch {
    throw new Refusal(400, 'the activity cannot be read as JSON-LD');
  }
}

/** The activity in a document that was read; `plain` is the same before. Refuses (400) like normalise. */
export function interpret(expanded: Json, plain: Json, privateHosts: readonly string[]): ReceivedActivity {
  if (!isObject(expanded)) throw new Refusal(400, 'the activity is empty');
  const type = expanded.type;
  if (typeof type !== 'string' || type.length > 100) throw new Refusal(400, 'an activity has exactly one type');
  const objects = listOf(expanded.object);
  const hasSeveral = objects.length > 1 || (Array.isArray(plain.object) && plain.object.length > 1);
  if (objects.length === 0 && plain.object !== undefined && plain.object !== null) {
    throw new Refusal(400, 'the object cannot be read');
  }
  const activity = {
    id: readId(expanded.id, privateHosts),
    type,
    actor: readActor(expanded.actor, plain.actor, privateHosts),
    object: objects.length === 0 ? null : readObject(objects[0], privateHosts),
    hasSeveral,
  };
  const mayHaveSeveral = withSeveralObjects.has(type) || (type === 'Create' && areVotes(objects, plain.object));
  if (hasSeveral && !(mayHaveSeveral && areBy(objects, activity, privateHosts)))
    throw new Refusal(400, 'an activity has exactly one object');
  return activity;
}

const maxVotes = 20;

/** GoToSocial sends all choices of a vote at once. The same ones in both readings, in one poll. */
function areVotes(objects: unknown[], plain: unknown): boolean {
  if (!Array.isArray(plain) || plain.length !== objects.length || plain.length > maxVotes) return false;
  const votes = plain.map(fromVote);
  return votes.every((vote, index) => {
    const read = objects[index];
    return vote !== null && vote.inReplyTo === votes[0]?.inReplyTo && isObject(read) && read.id === vote.iri;
  });
}

/** A report names what is others'; votes are their sender's own, on its own server. */
function areBy(objects: unknown[], { type, actor }: ReceivedActivity, privateHosts: readonly string[]): boolean {
  if (withSeveralObjects.has(type)) return true;
  return objects.every((object) => {
    const { id, attributedTo } = readObject(object, privateHosts);
    return id !== null && sameOrigin(id, actor) && attributedTo.every((author) => author === actor);
  });
}

/** Only the words that name the sender, for one case: a Delete by somebody whose key is gone. */
export async function peekActor(
  apex: Apex,
  json: Json,
  privateHosts: readonly string[],
): Promise<ReceivedActivity | null> {
  try {
    return await normalise(apex, json, privateHosts);
  } catch {
    return null;
  }
}

function readId(value: unknown, privateHosts: readonly string[]): string | null {
  if (value === undefined || value === null) return null;
  const iri = readIri(value, privateHosts);
  if (iri === null) throw new Refusal(400, 'an id is not an address');
  return iri;
}

function readActor(value: unknown, raw: unknown, privateHosts: readonly string[]): string {
  const actors = listOf(value);
  if (actors.length !== 1 || (Array.isArray(raw) && raw.length !== 1)) {
    throw new Refusal(400, 'an activity has exactly one actor');
  }
  const iri = readIri(idOf(actors[0]), privateHosts);
  if (iri === null) throw new Refusal(400, 'the actor is not an address');
  return iri;
}

function readObject(value: unknown, privateHosts: readonly string[]): ReceivedObject {
  if (typeof value === 'string') {
    return { id: readId(value, privateHosts), type: null, actor: null, object: null, attributedTo: [] };
  }
  if (!isObject(value)) throw new Refusal(400, 'the object cannot be read');
  const [inner, ...others] = listOf(value.object);
  return {
    id: readId(value.id, privateHosts),
    type: listOf(value.type).find((type): type is string => typeof type === 'string') ?? null,
    actor: optionalId(listOf(value.actor)[0], privateHosts),
    object: others.length > 0 ? null : optionalId(inner, privateHosts),
    attributedTo: readAuthors(value, privateHosts),
  };
}

/** Names without addresses (numbers, bare user names) are refused: peers have mistaken them for local people. */
function readAuthors(object: Json, privateHosts: readonly string[]): string[] {
  if (object['as:attributedTo'] !== undefined) throw new Refusal(400, 'attributedTo is not an address');
  return listOf(object.attributedTo).map((author) => {
    const iri = readIri(idOf(author), privateHosts);
    if (iri === null) throw new Refusal(400, 'attributedTo is not an address');
    return iri;
  });
}

function optionalId(value: unknown, privateHosts: readonly string[]): string | null {
  return readIri(idOf(value), privateHosts);
}

function idOf(value: unknown): unknown {
  return isObject(value) ? value.id : value;
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
