// Every letter of the house in both languages, with invented values: what people will read, before they do.
import { z } from 'zod';
import { languages } from '../../context.js';
import type { Routes } from '../../http/routes.js';
import { writeLetter } from '../actions/letters.js';
import { isOptional } from '../rules.js';
import { letterKinds, linkMark, stopMark } from '../schema.js';

const query = z.object({ kind: z.enum(letterKinds).optional() });

const sample = {
  fr: {
    collective: 'L’Écluse Libre',
    organiser: 'ROSEAU',
    title: 'Revue annuelle',
    end: 'jeudi 31 décembre à 18:00',
    slot: 'jeu. 10 décembre à 19:00 (Europe/Paris)',
  },
  en: {
    collective: 'L’Écluse Libre',
    organiser: 'ROSEAU',
    title: 'Yearly review',
    end: 'Thursday 31 December at 18:00',
    slot: 'Thu 10 December at 19:00 (Europe/Paris)',
  },
} as const;
const common = {
  name: 'Camille',
  address: 'https://ecluse.example/chatonsinfos.properties',
  follower: 'inconnue@social.example',
  asked: 'collective',
  source: 'visitor',
  who: 'collective',
  rule: 'collective',
  count: 2,
  copy: '…',
} as const;
const withoutLink = ['emailChanged'];

export function templatePages(routes: Routes): void {
  const { house } = routes;
  routes.get('/admin/mails/templates', { access: 'administrator', query }, async (visit) => {
    const kind = visit.query.kind ?? letterKinds[0];
    const letters = await Promise.all(
      languages.map(async (language) => {
        const t = house.i18n.translator(language);
        const title = sample[language].title;
        const text = `${sample[language].collective}${t('mail.colon')} ${t('notices.need.survey', { title })}`;
        const lines = kind === 'digest' ? [{ text, href: `${house.site.baseUrl}/my` }] : [];
        const hasLink = !withoutLink.includes(kind);
        const letter = await writeLetter(house, kind, language, { ...common, ...sample[language] }, { hasLink, lines });
        const hidden = `[${t('notices.mail.hiddenLink')}]`;
        const written = letter.text.replaceAll(linkMark, hidden).replaceAll(stopMark, hidden);
        return { language, subject: letter.subject, written };
      }),
    );
    const model = {
      kinds: letterKinds.map((one) => ({
        href: `/admin/mails/templates?kind=${one}`,
        key: `notices.kind.${one}`,
        current: one === kind,
      })),
      kind: `notices.kind.${kind}`,
      isOptional: isOptional(kind),
      letters,
    };
    await visit.page('notices/templates', model, { title: visit.t('notices.templates.title'), nav: 'admin' });
  });
}
