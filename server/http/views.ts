// Handlebars: loads views/ once, gives the helpers that templates may use. No slice knows Handlebars.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Handlebars from 'handlebars';
import type { Language } from '../context.js';
import type { Translate } from '../i18n.js';
import { type LocalText, textIn } from '../shapes.js';

/** What every template can reach as @root.page. */
export interface PageFrame {
  language: Language;
  t: Translate;
  timeZone: string;
  [key: string]: unknown;
}

export interface Views {
  /** Renders views/<name>.hbs inside views/layouts/<layout>.hbs (as {{{body}}}); layout null: alone. */
  render(name: string, model: object, page: PageFrame, layout?: string | null): string;
  names(): string[];
}

type Data = { root: { page: PageFrame } };

export function loadViews(viewsDir: string, options: { reload?: boolean } = {}): Views {
  let engine = compileAll(viewsDir);
  return {
    names: () => [...engine.keys()],
    render(name, model, page, layout = 'page') {
      if (options.reload) engine = compileAll(viewsDir);
      const template = engine.get(name);
      if (!template) throw new Error(`no view ${name}`);
      const body = template({ ...model, page });
      if (layout === null) return body;
      const frame = engine.get(`layouts/${layout}`);
      if (!frame) throw new Error(`no layout ${layout}`);
      return frame({ ...model, page, body });
    },
  };
}

function compileAll(viewsDir: string): Map<string, HandlebarsTemplateDelegate> {
  const handlebars = Handlebars.create();
  registerHelpers(handlebars);
  const templates = new Map<string, HandlebarsTemplateDelegate>();
  for (const file of readdirSync(viewsDir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.hbs')) continue;
    const name = relative('.', file).replaceAll('\\', '/').slice(0, -'.hbs'.length);
    const source = readFileSync(join(viewsDir, file), 'utf8');
    if (name.startsWith('partials/')) handlebars.registerPartial(name.slice('partials/'.length), source);
    else templates.set(name, handlebars.compile(source, { strict: false, preventIndent: true }));
  }
  return templates;
}

function frameOf(options: Handlebars.HelperOptions): PageFrame {
  return (options.data as Data).root.page;
}

function registerHelpers(handlebars: typeof Handlebars): void {
  const helpers: Record<string, Handlebars.HelperDelegate> = {
    /** {{t "key" name=value}}: a text of the catalogues. */
    t: (key: unknown, options: Handlebars.HelperOptions) => frameOf(options).t(String(key), options.hash),
    /** {{say message}}: a Message {key, params}. */
    say: (message: { key: string; params?: Record<string, string | number | Date> } | undefined, options) =>
      message ? frameOf(options).t(message.key, message.params) : '',
    /** {{text name}}: a LocalText in the reader's language. */
    text: (text: LocalText | undefined, options: Handlebars.HelperOptions) =>
      text ? textIn(text, frameOf(options).language) : '',
    /** {{otherLang text}}: the language attribute when the text shown is in the other language. */
    otherLang: (text: LocalText | undefined, options: Handlebars.HelperOptions) => {
      const { language } = frameOf(options);
      return text && !text[language] ? (language === 'fr' ? 'en' : 'fr') : language;
    },
    date: (value: unknown, options: Handlebars.HelperOptions) => formatDate(value, frameOf(options), { dateStyle: 'long' }),
    shortDate: (value: unknown, options: Handlebars.HelperOptions) =>
      formatDate(value, frameOf(options), { dateStyle: 'medium' }),
    dateTime: (value: unknown, options: Handlebars.HelperOptions) =>
      formatDate(value, frameOf(options), { dateStyle: 'long', timeStyle: 'short' }),
    isoDate: (value: unknown) => (value instanceof Date ? value.toISOString() : String(value ?? '')),
    number: (value: unknown, options: Handlebars.HelperOptions) =>
      typeof value === 'number' ? new Intl.NumberFormat(frameOf(options).language).format(value) : '',
    country: (code: unknown, options: Handlebars.HelperOptions) =>
      code ? (new Intl.DisplayNames(frameOf(options).language, { type: 'region' }).of(String(code)) ?? String(code)) : '',
    languageName: (code: unknown, options: Handlebars.HelperOptions) =>
      code ? (new Intl.DisplayNames(frameOf(options).language, { type: 'language' }).of(String(code)) ?? String(code)) : '',
    eq: (a: unknown, b: unknown) => a === b,
    not: (a: unknown) => !a,
    and: (...values: unknown[]) => values.slice(0, -1).every(Boolean),
    or: (...values: unknown[]) => values.slice(0, -1).some(Boolean),
    concat: (...values: unknown[]) => values.slice(0, -1).join(''),
    /** {{includes list value}} */
    includes: (list: unknown, value: unknown) => Array.isArray(list) && list.includes(value),
    /** {{jsonLd object}} for <script type="application/ld+json">: cannot end the script element. */
    jsonLd: (value: unknown) => new Handlebars.SafeString(JSON.stringify(value).replaceAll('<', '\\u003c')),
  };
  for (const [name, helper] of Object.entries(helpers)) handlebars.registerHelper(name, helper);
}

function formatDate(value: unknown, page: PageFrame, style: Intl.DateTimeFormatOptions): string {
  if (value === null || value === undefined || value === '') return '';
  const day = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);
  const date = value instanceof Date ? value : new Date(String(value));
  if (Number.isNaN(date.getTime())) return String(value);
  return new Intl.DateTimeFormat(page.language, { ...style, timeZone: day ? 'UTC' : page.timeZone }).format(date);
}
