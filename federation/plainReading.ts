// Reading without a JSON-LD processor, for documents in which it would change nothing that normalise.ts looks at: plain words
// of ActivityStreams and plain addresses, as nearly every server sends them. Whatever could be read in another way is left
// to the processor (test/federation/plainReading.test.ts compares the two).
import { activityStreamsTerms, extensionTerms, pinnedTerms } from './contexts.js';
import { isObject } from './json.js';

type Json = Record<string, unknown>;

/** Types whose name is the same before and after: our contexts give them no other. */
const types = new Set(
  Object.entries(activityStreamsTerms).flatMap(([term, id]) =>
    id === `as:${term}` && /^[A-Z]/.test(term) ? [term] : [],
  ),
);

/** Words whose value is a map from languages, and those that open some other structure than a value or a list. */
const languageMaps = new Set<string>();
const structures = new Set<string>();
/** Addresses that begin with one of these would be written in short by the processor. */
const namespaces: string[] = [];

for (const [term, definition] of [...Object.entries(pinnedTerms), ...Object.entries(extensionTerms)]) {
  const container = isObject(definition) ? definition['@container'] : undefined;
  if (container === '@language') languageMaps.add(term);
  else if (container !== undefined && container !== '@set' && container !== '@list') structures.add(term);
  const target = isObject(definition) ? definition['@id'] : definition;
  if (typeof target === 'string' && /^https?:/.test(target)) namespaces.push(new URL(target).origin);
}

/** What the processor would make of a document without contexts, as far as normalise.ts reads it; null: let it read. */
export function readPlainly(document: Json): Json | null {
  const { id, type, actor, object } = document;
  if (typeof type !== 'string' || !types.has(type) || !isAddress(actor) || !mayBeAddress(id)) return null;
  if (!isHarmless(document)) return null;
  const read = { ...(id === undefined ? {} : { id }), type, actor: [actor] };
  if (object === undefined) return read;
  if (isAddress(object)) return { ...read, object: [object] };
  const node = isObject(object) ? readNode(object) : null;
  return node === null ? null : { ...read, object: [node] };
}

function readNode({ id, type, actor, object, attributedTo }: Json): Json | null {
  if (!mayBeAddress(id) || (type === undefined ? id === undefined : typeof type !== 'string' || !types.has(type)))
    return null;
  const node: Json = { ...(id === undefined ? {} : { id }), ...(type === undefined ? {} : { type }) };
  for (const [name, value] of Object.entries({ actor, object, attributedTo })) {
    if (value === undefined) continue;
    const values = Array.isArray(value) && name === 'attributedTo' ? value : [value];
    const addresses = values.map((one: unknown) => (isObject(one) ? one.id : one));
    if (addresses.length === 0 || !addresses.every(isAddress) || new Set(addresses).size < addresses.length)
      return null;
    node[name] = addresses;
  }
  return node;
}

function mayBeAddress(value: unknown): boolean {
  return value === undefined || isAddress(value);
}

function isAddress(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^https?:\/\/[a-z0-9]/.test(value) &&
    !namespaces.some((namespace) => value.startsWith(namespace))
  );
}

/** Nothing in it, however deep, that the processor refuses, drops, moves or takes for a word of another name. */
function isHarmless(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((one: unknown) => !Array.isArray(one) && isHarmless(one));
  if (!isObject(value)) return true;
  const { id, type } = value;
  if (id !== undefined && typeof id !== 'string') return false;
  if (type !== undefined && ![type].flat().every((one) => typeof one === 'string')) return false;
  return Object.entries(value).every(([name, child]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) || structures.has(name)) return false;
    return languageMaps.has(name) ? isLanguageMap(child) : isHarmless(child);
  });
}

function isLanguageMap(value: unknown): boolean {
  const isTag = (tag: string): boolean => /^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/.test(tag);
  return isObject(value) && Object.entries(value).every(([tag, text]) => isTag(tag) && typeof text === 'string');
}
