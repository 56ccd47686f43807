// Small zod shapes that several slices share. A shape of one slice only belongs in that slice's schema.ts.
// The messages are keys of views/locales (shape.*), so that a form can show them in the reader's language.
import { z } from 'zod';

/** A text in French and English; either may be empty when the author has not written it yet. */
export interface LocalText {
  fr: string;
  en: string;
}

/** One line: trimmed, NFC, no control characters. */
export function line(max: number): z.ZodType<string> {
  return z
    .string()
    .transform((value) => value.normalize('NFC').trim())
    .pipe(
      z
        .string()
        .max(max, 'shape.tooLong')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
        .regex(/^[^\u0000-\u001f\u007f]*$/, 'shape.controlCharacter'),
    );
}

/** Like line(), and not empty. */
export function requiredLine(max: number): z.ZodType<string> {
  return line(max).refine((value) => value.length > 0, 'shape.required');
}

/** Several lines: trimmed, NFC, line feeds only, no other control characters. */
export function paragraph(max: number): z.ZodType<string> {
  return z
    .string()
    .transform((value) => value.normalize('NFC').replace(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .max(max, 'shape.tooLong')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
        .regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/, 'shape.controlCharacter'),
    );
}

/** The two-language text of a form: both optional. */
export function localLine(max: number): z.ZodType<LocalText> {
  return z.object({ fr: line(max), en: line(max) });
}
export function localParagraph(max: number): z.ZodType<LocalText> {
  return z.object({ fr: paragraph(max), en: paragraph(max) });
}

export const emptyText: LocalText = { fr: '', en: '' };

/** The text in the reader's language, else in the other one. */
export function textIn(text: LocalText, language: 'fr' | 'en'): string {
  return text[language] || text[language === 'fr' ? 'en' : 'fr'];
}

/** An http(s) address without credentials, at most 2,000 characters; empty means none (null). */
export const optionalUrl: z.ZodType<string | null> = z
  .string()
  .trim()
  .max(2000, 'shape.tooLong')
  .transform((value, check) => {
    if (value === '') return null;
    const url = URL.canParse(value) ? new URL(value) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || !url.hostname) {
      check.addIssue({ code: 'custom', message: 'shape.url' });
      return z.NEVER;
    }
    return url.href;
  });

/** An e-mail address in a strict grammar (one @, no quotes, no control characters), lower-cased domain. */
export const email: z.ZodType<string> = z
  .string()
  .trim()
  .max(254, 'shape.tooLong')
  .pipe(z.email('shape.email'))
  .transform((value) => {
    const at = value.lastIndexOf('@');
    return value.slice(0, at) + value.slice(at).toLowerCase();
  });

/** Like email, where empty means none (null). */
export const optionalEmail: z.ZodType<string | null> = z
  .string()
  .trim()
  .transform((value, check) => {
    if (value === '') return null;
    const parsed = email.safeParse(value);
    if (!parsed.success) {
      check.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'shape.email' });
      return z.NEVER;
    }
    return parsed.data;
  });

/** A calendar day YYYY-MM-DD that exists; empty means none (null). */
export const optionalDay: z.ZodType<string | null> = z
  .string()
  .trim()
  .transform((value, check) => {
    if (value === '') return null;
    const date = /^\d{4}-\d{2}-\d{2}$/.test(value) ? new Date(`${value}T00:00:00Z`) : null;
    if (!date || Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== value) {
      check.addIssue({ code: 'custom', message: 'shape.day' });
      return z.NEVER;
    }
    return value;
  });

/** ISO 3166-1 alpha-2, upper case; empty means none (null). */
export const optionalCountry: z.ZodType<string | null> = z
  .string()
  .trim()
  .toUpperCase()
  .transform((value, check) => {
    if (value === '') return null;
    if (
      !/^[A-Z]{2}$/.test(value) ||
      new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(value) === undefined
    ) {
      check.addIssue({ code: 'custom', message: 'shape.country' });
      return z.NEVER;
    }
    return value;
  });

/** BCP 47 primary language tags, comma or space separated in forms: "fr, en" -> ['fr', 'en']. */
export const languageList: z.ZodType<string[]> = z
  .string()
  .trim()
  .max(200, 'shape.tooLong')
  .transform((value, check) => {
    const tags = [
      ...new Set(
        value
          .toLowerCase()
          .split(/[\s,;]+/)
          .filter(Boolean),
      ),
    ];
    if (tags.length > 20 || tags.some((tag) => !/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(tag))) {
      check.addIssue({ code: 'custom', message: 'shape.languages' });
      return z.NEVER;
    }
    return tags;
  });

/** A check box: present means true. */
export const checkbox: z.ZodType<boolean> = z
  .enum(['on', 'true', '1', ''])
  .optional()
  .transform((value) => value !== undefined && value !== '');

/** Lower case, accents folded, punctuation to spaces: what search compares. */
export function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/œ/g, 'oe')
    .replace(/æ/g, 'ae')
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** A handle made from a name: letters, digits and underscores, 1 to 30 characters, or '' when nothing is left. */
export function slug(text: string): string {
  return fold(text)
    .replace(/[^a-z0-9]+/g, '')
    .slice(0, 30);
}
