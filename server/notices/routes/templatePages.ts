// Every letter of the house in both languages, with invented values: what people will read, before they do.
import { languages } from '../../context.js';
import type { Routes } from '../../http/routes.js';
import { isOptional } from '../rules.js';
import { choicesOf, sampleQuery, withoutLinks, writeSample } from '../samples.js';
import { letterKinds } from '../schema.js';

export function templatePages(routes: Routes): void {
  const { house } = routes;
  routes.get('/admin/mails/templates', { access: 'administrator', query: sampleQuery }, async (visit) => {
    const { kind } = visit.query;
    const letters = await Promise.all(
      languages.map(async (language) => {
        const hidden = house.i18n.translator(language)('notices.mail.hiddenLink');
        return { language, ...withoutLinks(await writeSample(house, language, visit.query), hidden) };
      }),
    );
    const model = {
      kinds: letterKinds.map((one) => ({
        href: `/admin/mails/templates?kind=${one}`,
        key: `notices.kind.${one}`,
        current: one === kind,
      })),
      kind: `notices.kind.${kind}`,
      value: kind,
      isOptional: isOptional(kind),
      choices: choicesOf(kind).map(({ name, values }) => ({
        name,
        label: `notices.sample.${name}`,
        value: visit.query[name],
        options: values.map((value) => ({ value, key: `notices.sample.${name}.${value}` })),
      })),
      letters,
    };
    await visit.page('notices/templates', model, { title: visit.t('notices.templates.title'), nav: 'admin' });
  });
}
