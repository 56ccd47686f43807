// What the pages around the slices take: the switch of language and the search field of the home page. Shapes only.
import { z } from 'zod';
import { languages } from '../context.js';

/** A path of this server: never another host, never a scheme. What is not becomes "/". */
export const ownPath = z
  .string()
  .max(2000)
  .transform((value) => (isOwnPath(value) ? value : '/'))
  .catch('/');

function isOwnPath(value: string): boolean {
  if (!/^\/(?!\/)[^\p{Cc}\\]*$/u.test(value)) return false;
  const base = 'http://own.invalid';
  return URL.canParse(value, base) && new URL(value, base).origin === base;
}

export const languageChoice = z.object({ to: z.enum(languages), back: ownPath });

const themes = ['system', 'light', 'dark'] as const;
export const themeChoice = z.object({ theme: z.enum(themes).optional() });
export const themeFile = z.object({ theme: z.enum(themes) });
