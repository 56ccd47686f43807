// The bootstrap file: what an instance declares of itself in JSON. Shapes only; texts take the shapes of the slices, so a
// file can say nothing that a form could not.
import { z } from 'zod';
import { type MetricsSeries, metricPath, type ServiceProfile, serviceProfileShape } from '../catalogue/schema.js';
import { type CollectiveProfile, emptyProfile, profileShape, roleShape } from '../collectives/schema.js';
import { languages } from '../context.js';
import { defaultSettings, type InstanceSettings, settingsShape } from '../instances/settings.js';

import { instanceRoles, newPassword } from '../people/schema.js';
import { postText } from '../posts/schema.js';
import { email, requiredLine } from '../shapes.js';

type Json = Record<string, unknown>;

/** Copies `given` over `base`, field by field; a field that `base` does not know is reported at its path. */
function complete(base: Json, given: Json, unknown: (path: string[]) => void, path: string[] = []): Json {
  const result: Json = { ...base };
  for (const [key, value] of Object.entries(given)) {
    const before = base[key];
    if (!Object.hasOwn(base, key)) unknown([...path, key]);
    else if (isObject(before) && isObject(value)) result[key] = complete(before, value, unknown, [...path, key]);
    else result[key] = value;
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Plain JSON as a form would send it: texts, and lists as numbered rows. What is no such value stays, to be refused. */
function asForm(value: unknown): unknown {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return Object.fromEntries(value.map((item, index) => [String(index), asForm(item)]));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asForm(item)]));
}

/** JSON with any of the fields of `base`, checked by the shape of the form. */
function partOf<T>(base: object, shape: z.ZodType<T>, toInput: (json: unknown) => unknown): z.ZodType<T> {
  return z.record(z.string(), z.unknown()).transform((given, check) => {
    let isKnown = true;
    const whole = complete({ ...base }, given, (path) => {
      isKnown = false;
      check.addIssue({ code: 'custom', path, message: 'there is no such field' });
    });
    const parsed = shape.safeParse(toInput(whole));
    if (parsed.success && isKnown) return parsed.data;
    for (const { message, path } of parsed.error?.issues ?? [])
      check.addIssue({ code: 'custom', path: [...path], message });
    return z.NEVER;
  });
}

const settings: z.ZodType<InstanceSettings> = partOf(defaultSettings, settingsShape, (json) => ({
  ...(json as Json),
  contactEmail: (json as Json).contactEmail ?? '',
}));
const collectiveProfile: z.ZodType<CollectiveProfile> = partOf(emptyProfile(), profileShape, (json) => {
  const { languages: tags, ...others } = json as Json;
  return { ...(asForm(others) as Json), languages: Array.isArray(tags) ? tags.join(' ') : tags };
});
const serviceProfile: z.ZodType<ServiceProfile> = partOf(
  serviceProfileShape.parse({ name: { fr: '-' } }),
  serviceProfileShape,
  (json) => json,
);

const username = z.string().trim().toLowerCase().min(2).max(30);
const person = z.strictObject({
  username,
  email,
  displayName: requiredLine(80).optional(),
  /** Left out: the person chooses one, by the link of `chatiere person reset` or "forgotten password". */
  password: newPassword.optional(),
  language: z.enum(languages).optional(),
  timeZone: z.string().max(60).optional(),
});

const metrics: z.ZodType<MetricsSeries> = z.strictObject({
  path: metricPath,
  year: z.number().int().min(1990).max(2100),
  step: z.enum(['months', 'weeks', 'days', 'year']),
  values: z.array(z.number().min(0).nullable()).max(366),
});

const service = z.strictObject({
  slug: z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'must be lower-case letters, digits and hyphens'),
  profile: serviceProfile,
  published: z.boolean().default(true),
  metrics: z.array(metrics).max(100).default([]),
});

const collective = z.strictObject({
  handle: z.string().trim().toLowerCase().min(2).max(30),
  profile: collectiveProfile,
  published: z.boolean().default(true),
  acceptsFollowers: z.enum(['at-once', 'by-hand']).default('at-once'),
  members: z
    .array(z.strictObject({ username, role: roleShape.default('member') }))
    .max(200)
    .default([]),
  services: z.array(service).max(500).default([]),
  posts: z
    .array(z.strictObject({ text: postText }))
    .max(50)
    .default([]),
});

export const bootstrapShape = z.strictObject({
  /** Ignored: lets an editor find a schema. */
  $schema: z.string().optional(),
  settings: settings.optional(),
  administrator: person.optional(),
  people: z
    .array(person.extend({ instanceRole: z.enum(instanceRoles).optional() }))
    .max(1000)
    .default([]),
  collectives: z.array(collective).max(500).default([]),
});

export type Bootstrap = z.output<typeof bootstrapShape>;
export type BootstrapPerson = z.output<typeof person> & { instanceRole?: (typeof instanceRoles)[number] | undefined };
export type BootstrapCollective = z.output<typeof collective>;
