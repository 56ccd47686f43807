// Every letter of the house with invented values: what people will read, before they do. Shown to administrators; nothing
// of it is sent.
import { z } from 'zod';
import type { Language } from '../context.js';
import { type Letter, writeLetter } from './actions/letters.js';
import { type LetterKind, letterKinds, linkMark, stopMark } from './schema.js';

/** What a letter may depend on; the first of each is shown unless another is chosen. */
const choices = {
  who: ['collective', 'person'],
  /** link: an anonymous survey elsewhere, of which nobody knows who answered. */
  reminded: ['collective', 'person', 'link'],
  names: ['named', 'anonymous'],
  end: ['with', 'without'],
  source: ['visitor', 'person', 'server'],
} as const;
type Choice = keyof typeof choices;

const dependsOn: Partial<Record<LetterKind, readonly Choice[]>> = {
  surveyOpened: ['who', 'names', 'end'],
  followRequested: ['who'],
  surveyDate: ['who'],
  surveyReminder: ['reminded', 'end'],
  surveyExtended: ['who', 'end'],
  reportMade: ['source'],
};

export const sampleQuery = z.object({
  kind: z.enum(letterKinds).default('invitation'),
  who: z.enum(choices.who).default('collective'),
  reminded: z.enum(choices.reminded).default('collective'),
  names: z.enum(choices.names).default('named'),
  end: z.enum(choices.end).default('with'),
  source: z.enum(choices.source).default('visitor'),
});
export type SampleChoice = z.output<typeof sampleQuery>;

/** What can be chosen for a letter of this kind. */
export function choicesOf(kind: LetterKind): { name: Choice; values: readonly string[] }[] {
  return (dependsOn[kind] ?? []).map((name) => ({ name, values: choices[name] }));
}

/** Every way in which a letter of this kind can read. */
export function samplesOf(kind: LetterKind): SampleChoice[] {
  const one = sampleQuery.parse({ kind });
  return choicesOf(kind).reduce<SampleChoice[]>(
    (found, { name, values }) =>
      found.flatMap((sample) => values.map((value) => ({ ...sample, [name]: value }) as SampleChoice)),
    [one],
  );
}

const words = {
  fr: {
    title: 'Revue annuelle',
    end: 'jeudi 31 décembre 2026 à 18:00 (Europe/Paris)',
    slot: 'jeu. 10 décembre à 19:00 (Europe/Paris)',
    copy: 'Combien d’heures par semaine ?\n4\n\nQu’est-ce qui manque ?\nUne page commune sur les pannes.',
  },
  en: {
    title: 'Yearly review',
    end: 'Thursday 31 December 2026 at 18:00 (Europe/Paris)',
    slot: 'Thu 10 December at 19:00 (Europe/Paris)',
    copy: 'How many hours a week?\n4\n\nWhat is missing?\nOne page about outages.',
  },
} as const;

type Writer = Parameters<typeof writeLetter>[0];

export async function writeSample(house: Writer, language: Language, choice: SampleChoice): Promise<Letter> {
  const { kind, names, end, source } = choice;
  const who = kind === 'surveyReminder' ? choice.reminded : choice.who;
  const t = house.i18n.translator(language);
  const { title } = words[language];
  const collective = 'L’Écluse Libre';
  const needs = [
    {
      text: `${collective}${t('mail.colon')} ${t('mail.digest.due', { what: t('notices.need.survey', { title }), date: words[language].end.replace(/ \(.*/, '') })}`,
      href: `${house.site.baseUrl}/my`,
    },
    { text: t('notices.need.mentions', { count: 2 }), href: `${house.site.baseUrl}/me/partners/mentions` },
  ];
  const params = {
    ...words[language],
    ...{ collective, organiser: 'ROSEAU', name: 'Camille', source, who, asked: who, count: needs.length },
    address: 'https://ecluse.example/chatonsinfos.properties',
    follower: 'inconnue@social.example',
    rule: names === 'anonymous' ? 'anonymous' : choice.who,
    end: end === 'with' ? words[language].end : 'none',
  };
  const lines = kind === 'digest' ? needs : [];
  return writeLetter(house, kind, language, params, { hasLink: kind !== 'emailChanged', lines });
}

/** With a word, or an address that leads nowhere, in place of the links that only the mail itself holds. */
export function withoutLinks({ subject, text, html }: Letter, hidden: string): Letter {
  return {
    subject,
    text: text.replaceAll(linkMark, `[${hidden}]`).replaceAll(stopMark, `[${hidden}]`),
    html: html
      .replaceAll(`"${linkMark}"`, '"#"')
      .replaceAll(`"${stopMark}"`, '"#"')
      .replaceAll(linkMark, `[${hidden}]`),
  };
}
