// From bytes to JSON, for what strangers send: strict UTF-8, limits on depth and number, no key that could touch a prototype
// or pass for one of our own fields, no key twice. Knows nothing of ActivityStreams.
import { Refusal } from './refusal.js';

const maxDepth = 32;
/** Keys and elements in one document. A long honest activity has some hundreds. */
const maxNodes = 3000;

const dangerous = new Set([
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
]);
/** Names of our own fields. Foreign ones that begin with "_", such as _misskey_content, are harmless and ignored. */
const ours = new Set(['_id', '_meta', '_local']);
const keywords = new Set(['@context', '@id', '@type', '@value', '@language']);

/** A JSON object. Refuses with 400 whatever is not one, or is one that nobody honest would send. */
export function readJson(bytes: Uint8Array): Record<string, unknown> {
  const text = decode(bytes);
  checkTokens(text);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
  if (!isObject(json)) throw new Refusal(400, 'the body is not a JSON object');
  checkTree(json);
  return json;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(400, 'the body is not UTF-8');
  }
}

/** Depth, number and doubled keys, found before the text is parsed. Runs in one pass, without recursion. */
function checkTokens(text: string): void {
  const token = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+|\s+/gy;
  const open: (Set<string> | null)[] = [];
  let nodes = 0;
  let previous = '';
  while (token.lastIndex < text.length) {
    const [part] = token.exec(text) ?? [];
    if (part === undefined) throw new Refusal(400, 'the body is not JSON');
    if (/^\s/.test(part)) continue;
    if (part === '{' || part === '[') {
      open.push(part === '{' ? new Set() : null);
      if (open.length > maxDepth) throw new Refusal(400, `the body is nested deeper than ${maxDepth}`);
    } else if (part === '}' || part === ']') open.pop();
    else if (part === ',' || part === ':') {
      if (++nodes > maxNodes) throw new Refusal(413, `the body has more than ${maxNodes} values`);
      const keys = open.at(-1);
      if (part === ':' && keys) rememberKey(keys, previous);
    }
    previous = part;
  }
}

function rememberKey(keys: Set<string>, quoted: string): void {
  let key = quoted;
  try {
    key = String(JSON.parse(quoted));
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
  if (keys.has(key)) throw new Refusal(400, 'a key stands twice');
  keys.add(key);
}

function checkTree(root: Record<string, unknown>): void {
  const waiting: { value: unknown; inContext: boolean }[] = [{ value: root, inContext: false }];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    const { value, inContext } = item;
    if (typeof value === 'string') checkText(value);
    else if (typeof value === 'number' && !Number.isFinite(value)) throw new Refusal(400, 'a number is too large');
    else if (Array.isArray(value)) for (const element of value) waiting.push({ value: element, inContext });
    else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        if (!inContext) checkKey(key);
        if (dangerous.has(key)) throw new Refusal(400, 'a key is not allowed');
        waiting.push({ value: child, inContext: inContext || key === '@context' });
      }
    }
  }
}

function checkKey(key: string): void {
  checkText(key);
  const isOurs = ours.has(key) || /^[$\uff04]/.test(key) || /[.\uff0e]/.test(key.replace(/^https?:\/\/\S+$/, ''));
  const isKeyword = key.startsWith('@') && !keywords.has(key);
  if (isOurs || isKeyword || key === '') throw new Refusal(400, 'a key is not allowed');
}

function checkText(text: string): void {
  if (text.includes('\0') || !isWellFormed(text)) throw new Refusal(400, 'a text cannot be read');
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
