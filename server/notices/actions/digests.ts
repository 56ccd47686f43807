// The mail that gathers what needs a person: in the morning, when they want it, and never about nothing.
import { createHash } from 'node:crypto';
import type { Context } from '../../context.js';
import { dateFormat } from '../../formatters.js';
import { say } from '../../i18n.js';
import { readSettings, wordsIn } from '../../instances/settings.js';
import { eachWithDigest } from '../../people/queries.js';
import type { Person } from '../../people/schema.js';
import { listNeeds, type Need } from '../needs.js';
import { listToldNeeds } from '../queries.js';
import { digestSlot, isReachable } from '../rules.js';
import { type Desk, isQueued, queueMail, toPerson } from './queue.js';

/** For the job. Returns how many were written; each once in its slot, whoever else tries. */
export async function writeDigests(house: Desk, ctx: Context): Promise<number> {
  const { timeZone } = await readSettings(house.store);
  let written = 0;
  for await (const person of eachWithDigest(house.store)) {
    const slot = digestSlot(person.digest ?? 'off', ctx.now, person.timeZone ?? timeZone);
    if (slot === null || !isReachable(person)) continue;
    if (await writeDigest(house, ctx, person, slot)) written += 1;
  }
  return written;
}

async function writeDigest(house: Desk, ctx: Context, person: Person, slot: string): Promise<boolean> {
  const isImportant = person.digest === 'important';
  if (!isImportant && (await isQueued(house, `digest:${slot}:${person._id}`))) return false;
  const language = person.language ?? house.site.defaultLanguage;
  const all = await listNeeds(ctx, person, language);
  const needs = isImportant ? all.filter(({ urgency }) => urgency === 'now') : all;
  const told = isImportant ? await listToldNeeds(house.store, person._id) : new Set<string>();
  const fresh = needs.filter(({ id }) => !told.has(id));
  if (fresh.length === 0) return false;
  const settings = await readSettings(house.store);
  const t = house.i18n.translator(language, wordsIn(settings, language));
  const style = { dateStyle: 'full', timeStyle: 'short', timeZone: person.timeZone ?? settings.timeZone } as const;
  const when = dateFormat(language === 'en' ? 'en-GB' : language, style);
  const withEnd = (what: string, due: Date | null) =>
    due === null ? what : t('mail.digest.due', { what, date: when.format(due) });
  const lines = needs.map((need) => ({
    text: [need.collective, withEnd(say(t, need.what), need.due)].filter(Boolean).join(`${t('mail.colon')} `),
    href: `${house.site.baseUrl}${need.href}`,
  }));
  const draft = toPerson(house, person, 'digest', { count: needs.length }, { path: '/my' });
  // What presses is told once: not each morning until it is done, and not again when something else is done.
  const cause = isImportant ? `digest:${digestOf(fresh)}` : `digest:${slot}`;
  return queueMail(house, cause, { ...draft, lines, ...(isImportant ? { needs: needs.map(({ id }) => id) } : {}) });
}

function digestOf(needs: readonly Need[]): string {
  return createHash('sha256')
    .update(
      needs
        .map(({ id }) => id)
        .sort()
        .join(' '),
    )
    .digest('hex')
    .slice(0, 32);
}
