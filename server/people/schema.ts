// A person with an account here: who they are, how they prove it, what they chose. Shapes and types only.
import { z } from 'zod';
import { type CollectiveRole, type InstanceRole, languages } from '../context.js';
import type { Eventful } from '../events.js';
import { checkbox, email, line, localParagraph, requiredLine } from '../shapes.js';
import type { Doc } from '../store/store.js';

export const instanceRoles = ['administrator', 'moderator'] as const satisfies readonly InstanceRole[];

/** Mails that a person may do without. Mails about the account itself always go out. */
export const mailKinds = [
  'sourceFailed',
  'followRequested',
  'surveyOpened',
  'surveyReminder',
  'surveyExtended',
  'surveyPublished',
  'surveyDate',
  'surveyRefused',
] as const;
export type MailKind = (typeof mailKinds)[number];
/** digest: no mail of its own; what waits stands in the mail that gathers all. */
export const mailTimes = ['at-once', 'digest', 'off'] as const;
/** When the mail leaves that gathers what needs a person. important: only what is due within two days, each once. */
export const digestTimes = ['off', 'daily', 'weekly', 'important'] as const;
export type DigestTime = (typeof digestTimes)[number];

/** Ways to prove who one is. A second factor or an account elsewhere becomes one more field here. */
const credentials = z.object({
  password: z.object({ hash: z.string(), changedAt: z.date() }).nullable(),
});

/** A person as stored. A field added here must get its line in personExport and personErasure (rules.ts). */
export const personFields = z.object({
  _id: z.string(),
  /** Sign-in name: lower case, for ever. */
  username: z.string(),
  /** As typed; mails go there. */
  email: z.string(),
  /** Lower case: one account per address. Absent once the person is gone. */
  emailKey: z.string().optional(),
  displayName: z.string(),
  bio: z.object({ fr: z.string(), en: z.string() }),
  /** Name on the Fediverse, claimed when the profile was first made public; for ever. */
  handle: z.string().nullable(),
  publicProfile: z.boolean(),
  credentials,
  /** Rises when all sessions end: a session of an older epoch is dead. */
  sessionEpoch: z.number(),
  instanceRole: z.enum(instanceRoles).nullable(),
  /** Null: what the browser asks for. */
  language: z.enum(languages).nullable(),
  /** Null: the instance's. */
  timeZone: z.string().nullable(),
  /** One that is missing is 'at-once'. */
  mailChoices: z.partialRecord(z.enum(mailKinds), z.enum(mailTimes)),
  /** Missing: 'off'. */
  digest: z.enum(digestTimes).optional(),
  /** A mail server refused this address for good: until it is confirmed or changed, no mail that one may do without. */
  addressProblem: z.object({ email: z.string(), at: z.date(), reason: z.string() }).optional(),
  /** Pictures of others are loaded, through this server, without being asked for. Absent: no. */
  showsPictures: z.boolean().optional(),
  /** Missing: 'at-once'. */
  acceptsFollowers: z.enum(['at-once', 'by-hand']).optional(),
  /** Words of name, user name and address, folded: what the administrator's search compares. */
  terms: z.array(z.string()),
  invitationId: z.string().optional(),
  createdAt: z.date(),
  disabledAt: z.date().nullable(),
  deletedAt: z.date().nullable(),
});

export type Person = z.output<typeof personFields> & Eventful;

export interface Invitation extends Doc, Eventful {
  email: string;
  emailKey: string;
  instanceRole: InstanceRole | null;
  collective: { id: string; role: CollectiveRole } | null;
  language: 'fr' | 'en';
  /** actorName() of who invited. */
  invitedBy: string;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
  usedBy: string | null;
  revokedAt: Date | null;
}

/** A link to choose a new password. A request for an unknown address leaves one without a person, which opens nothing. */
export interface Reset extends Doc, Eventful {
  personId: string | null;
  requestedBy: 'self' | 'administrator';
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
}

export interface EmailChange extends Doc, Eventful {
  personId: string;
  email: string;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
}

/** The one-time link of the first start. */
export interface Setup extends Doc {
  createdAt: Date;
  usedAt: Date | null;
}

const token = z.string().min(3).max(200);
export const tokenParams = z.object({ token });
export const idParams = z.object({ id: z.uuid() });
export const nameParams = z.object({ name: z.string().min(1).max(40) });
export const sessionParams = z.object({ key: z.string().regex(/^[0-9a-f]{64}$/) });

/** What is typed into a password field; 1,024 bytes at most are hashed. */
const typedPassword = z
  .string()
  .min(1, 'shape.required')
  .refine((value) => Buffer.byteLength(value) <= 1024, 'people.password.tooLong');
/** A new password: 10 characters at least, in NFC so that all keyboards type the same one. */
export const newPassword: z.ZodType<string> = typedPassword
  .transform((value) => value.normalize('NFC'))
  .superRefine((value, check) => {
    if ([...value].length < 10) check.addIssue({ code: 'custom', message: 'people.password.tooShort' });
  });

const username = z
  .string()
  .transform((value) => value.trim().toLowerCase())
  .pipe(z.string().min(1, 'shape.required').max(30, 'handle.invalid'));
const timeZone = z
  .string()
  .refine(
    (zone) => zone === '' || zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(zone),
    'shape.timeZone',
  )
  .transform((zone) => zone || null);
const language = z.enum(['', ...languages]).transform((value) => value || null);
const optionalRole = z.enum(['', ...instanceRoles]).transform((value) => value || null);

export const signInShape = z.object({
  login: requiredLine(254),
  password: typedPassword,
  next: z.string().max(2000).optional(),
});
export const nextQuery = z.object({ next: z.string().max(2000).optional() });
export const forgotShape = z.object({ email: requiredLine(254) });
export const resetShape = z.object({ password: newPassword });
export const accountShape = z.object({ username, displayName: requiredLine(80), password: newPassword });
export const setupShape = z.object({
  username,
  displayName: requiredLine(80),
  email,
  password: newPassword,
  language,
  instanceName: line(80),
  collectiveName: line(120),
});
export const profileShape = z.object({
  displayName: requiredLine(80),
  bio: localParagraph(2000),
  publicProfile: checkbox,
  handle: username.optional(),
  decidesFollowers: checkbox,
});
export const passwordShape = z.object({ current: typedPassword, password: newPassword });
export const emailChangeShape = z.object({ email, proof: typedPassword });
export const proofShape = z.object({ current: typedPassword });
export const preferencesShape = z.object({
  language,
  timeZone,
  mailChoices: z.partialRecord(z.enum(mailKinds), z.enum(mailTimes)),
  digest: z.enum(digestTimes).optional(),
  showsPictures: checkbox,
});
export const inviteShape = z.object({ email, instanceRole: optionalRole });
export const roleShape = z.object({ instanceRole: optionalRole });
export const peopleQuery = z.object({
  q: line(100).optional(),
  page: z.coerce.number().int().min(1).max(10_000).optional(),
});

/** `decidesFollowers` missing: as before. */
export type ProfileInput = Omit<z.output<typeof profileShape>, 'decidesFollowers'> & { decidesFollowers?: boolean };
export type Preferences = z.output<typeof preferencesShape>;
export type AccountInput = z.output<typeof accountShape>;
