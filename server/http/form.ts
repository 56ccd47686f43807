// Forms as data: dotted field names become nested objects, zod checks them, mistakes are said by field.
import type { z } from 'zod';
import { DomainError, type Message } from '../errors.js';

export interface FieldError {
  /** The name attribute of the field: "name.fr". Empty: about the whole form. */
  field: string;
  message: Message;
}

/** What a form shows again after a refusal: what was typed, and what is wrong. */
export interface FormState {
  values: Record<string, unknown>;
  errors: FieldError[];
}

const forbidden = /^(__proto__|constructor|prototype|_.*|\$.*)$/;

/** "name.fr=x" -> { name: { fr: 'x' } }. Keys that could touch a prototype or the store's own fields are refused. */
export function nest(flat: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const parts = path.split('.');
    if (path === '_csrf') continue;
    if (parts.length > 4 || parts.some((part) => forbidden.test(part) || part.includes('['))) {
      throw new DomainError('invalid', 'shape.invalid', { field: path.slice(0, 60) });
    }
    let node = result;
    for (const part of parts.slice(0, -1)) {
      const next = Object.hasOwn(node, part) ? node[part] : undefined;
      if (next !== undefined && (typeof next !== 'object' || next === null || Array.isArray(next))) {
        throw new DomainError('invalid', 'shape.invalid', { field: path.slice(0, 60) });
      }
      const child = (next as Record<string, unknown> | undefined) ?? {};
      node[part] = child;
      node = child;
    }
    const last = parts[parts.length - 1] ?? path;
    if (typeof node[last] === 'object' && !Array.isArray(node[last])) {
      throw new DomainError('invalid', 'shape.invalid', { field: path.slice(0, 60) });
    }
    node[last] = value;
  }
  return result;
}

/** zod's issues as field errors. A message that is one of our keys stays; zod's own become "shape.invalid". */
export function fieldErrors(error: z.ZodError): FieldError[] {
  const seen = new Set<string>();
  return error.issues.flatMap((issue) => {
    const field = issue.path.map(String).join('.');
    if (seen.has(field)) return [];
    seen.add(field);
    return [{ field, message: messageOf(issue) }];
  });
}

function messageOf(issue: z.core.$ZodIssue): Message {
  const params: Record<string, string | number> = { max: 0, min: 0 };
  if ('maximum' in issue && typeof issue.maximum === 'number') params.max = issue.maximum;
  if ('minimum' in issue && typeof issue.minimum === 'number') params.min = issue.minimum;
  if (/^[a-z][\w-]*(\.[\w-]+)+$/i.test(issue.message)) return { key: issue.message, params };
  if (issue.code === 'invalid_type' && issue.input === undefined) return { key: 'shape.required' };
  return { key: 'shape.invalid' };
}
