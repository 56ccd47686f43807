// Handlebars: loads views/ once, gives the helpers that templates may use. No slice knows Handlebars.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Handlebars from 'handlebars';
import type { Language } from '../context.js';
import type { Message, MessageParams } from '../errors.js';
import { dateFormat, languageName, numberFormat, regionName } from '../formatters.js';
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
  /**
   * Renders views/<name>.hbs inside views/layouts/<layout>.hbs (as {{{body}}}, with {{sheet}}: the address of the slice's own
   * stylesheet, public/<slice>.css, where it has one); layout null: alone.
   */
  render(name: string, model: object, page: PageFrame, layout?: string | null): string;
  names(): string[];
}

type Data = { root: { page: PageFrame } };

export function loadViews(viewsDir: string, options: { reload?: boolean } = {}): Views {
  let engine = compileAll(viewsDir);
  return {
    names: () => [...engine.templates.keys()],
    render(name, model, page, layout = 'page') {
      if (options.reload) engine = compileAll(viewsDir);
      const { templates, assets } = engine;
      const template = templates.get(name);
      if (!template) throw new Error(`no view ${name}`);
      const body = template({ ...model, page });
      if (layout === null) return body;
      const frame = templates.get(`layouts/${layout}`);
      if (!frame) throw new Error(`no layout ${layout}`);
      return frame({ ...model, page, body, sheet: assets.get(`${name.split('/')[0]}.css`) });
    },
  };
}

interface Engine {
  templates: Map<string, HandlebarsTemplateDelegate>;
  /** Addresses of the files of views/public. */
  assets: Map<string, string>;
}

function compileAll(viewsDir: string): Engine {
  const handlebars = Handlebars.create();
  const assets = assetAddresses(join(viewsDir, 'public'));
  const helpers = houseHelpers(assets);
  for (const [name, helper] of Object.entries(helpers)) handlebars.registerHelper(name, orField(name, helper));
  const knownHelpers = Object.fromEntries(Object.keys(helpers).map((name) => [name, true]));
  // Whatever is no helper is a field of the data: templates need not ask each time which of both a name is.
  const options = { knownHelpers, knownHelpersOnly: true, preventIndent: true };
  const templates = new Map<string, HandlebarsTemplateDelegate>();
  for (const file of readdirSync(viewsDir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.hbs')) continue;
    const name = relative('.', file).replaceAll('\\', '/').slice(0, -'.hbs'.length);
    const source = readFileSync(join(viewsDir, file), 'utf8');
    if (name.startsWith('partials/')) handlebars.registerPartial(name.slice('partials/'.length), source);
    else templates.set(name, handlebars.compile(source, options));
  }
  return { templates, assets };
}

function frameOf(options: Handlebars.HelperOptions): PageFrame {
  return (options.data as Data).root.page;
}

/** {{text}} alone, where the thing shown has a field "text", is that field: a helper's name takes no name from the data. */
function orField(name: string, helper: Handlebars.HelperDelegate): Handlebars.HelperDelegate {
  return function (this: unknown, ...args: unknown[]) {
    const alone = args.length === 1 && typeof this === 'object' && this !== null && Object.hasOwn(this, name);
    return alone ? (this as Record<string, unknown>)[name] : Reflect.apply(helper, this, args);
  };
}

/** views/public/<name> -> /assets/<name>?v=<digest of the file>, so that browsers may keep it for ever. */
function assetAddresses(publicDir: string): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const entry of readdirSync(publicDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(publicDir, path).replaceAll('\\', '/');
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 8);
    addresses.set(name, `/assets/${name}?v=${digest}`);
  }
  return addresses;
}

function houseHelpers(assets: ReadonlyMap<string, string>): Record<string, Handlebars.HelperDelegate> {
  return {
    /** {{t "key" name=value}}: a text of the catalogues. */
    t: (key: unknown, options: Handlebars.HelperOptions) => spaced(frameOf(options), String(key), options.hash),
    /** {{say message}}: a Message {key, params}. */
    say: (message: Message | undefined, options) =>
      message ? spaced(frameOf(options), message.key, message.params) : '',
    /** {{text name}}: a LocalText in the reader's language. */
    text: (text: LocalText | undefined, options: Handlebars.HelperOptions) =>
      text ? textIn(text, frameOf(options).language) : '',
    /** {{otherLang text}}: the language attribute when the text shown is in the other language. */
    otherLang: (text: LocalText | undefined, options: Handlebars.HelperOptions) => {
      const { language } = frameOf(options);
      return text && !text[language] ? (language === 'fr' ? 'en' : 'fr') : language;
    },
    date: (value: unknown, options: Handlebars.HelperOptions) =>
      formatDate(value, frameOf(options), { dateStyle: 'long' }),
    shortDate: (value: unknown, options: Handlebars.HelperOptions) =>
      formatDate(value, frameOf(options), { dateStyle: 'medium' }),
    dateTime: (value: unknown, options: Handlebars.HelperOptions) =>
      formatDate(value, frameOf(options), { dateStyle: 'long', timeStyle: 'short' }),
    isoDate: (value: unknown) => (value instanceof Date ? value.toISOString() : String(value ?? '')),
    number: (value: unknown, options: Handlebars.HelperOptions) =>
      typeof value === 'number' ? numberFormat(frameOf(options).language, undefined).format(value) : '',
    country: (code: unknown, options: Handlebars.HelperOptions) =>
      code ? regionName(frameOf(options).language, String(code)) : '',
    languageName: (code: unknown, options: Handlebars.HelperOptions) =>
      code ? languageName(frameOf(options).language, String(code)) : '',
    eq: (a: unknown, b: unknown) => a === b,
    not: (a: unknown) => !a,
    and: (...values: unknown[]) => values.slice(0, -1).every(Boolean),
    or: (...values: unknown[]) => values.slice(0, -1).some(Boolean),
    concat: (...values: unknown[]) => values.slice(0, -1).join(''),
    /** {{includes list value}}: also for the one value that a form sends for a list of one. */
    includes: (list: unknown, value: unknown) => (Array.isArray(list) ? list.includes(value) : sameValue(list, value)),
    /** {{same a b}}: equal as a form would send them: null and '' are one, 3 and "3" too. */
    same: sameValue,
    /** {{default value fallback}} */
    default: (value: unknown, fallback: unknown) =>
      value === undefined || value === null || value === '' ? fallback : value,
    /** {{given value}}: there is a value, be it 0 or false. */
    given: (value: unknown) => value !== undefined && value !== null && value !== '',
    /** {{object a=1 b=2}} and {{list a b}}: parameters for partials. */
    object: (options: Handlebars.HelperOptions) => ({ ...options.hash }),
    list: (...values: unknown[]) => values.slice(0, -1),
    /** {{errorFor errors "name.fr"}}: the Message about that field, or nothing. */
    errorFor: (errors: unknown, field: unknown) => errorFor(errors, field),
    /** {{idFor "name.fr"}}: the id of a form field. */
    idFor: (name: unknown) => `f-${String(name).replace(/[^\w-]/g, '-')}`,
    /** {{capital word}}: a renamed word at the start of a title. */
    capital: (word: unknown) => capital(String(word ?? '')),
    /** {{initial name}}: what stands in the arch when there is no picture. */
    initial: (name: unknown) => initial(String(name ?? '')),
    encode: (value: unknown) => encodeURIComponent(String(value ?? '')),
    /** {{asset "chatiere.css"}}: the address of a file of views/public. */
    asset: (name: unknown) => {
      const address = assets.get(String(name));
      if (!address) throw new Error(`no file views/public/${String(name)}`);
      return address;
    },
    /** {{jsonLd object}} for <script type="application/ld+json">: cannot end the script element. */
    jsonLd: (value: unknown) => new Handlebars.SafeString(JSON.stringify(value).replaceAll('<', '\\u003c')),
  };
}

function sameValue(a: unknown, b: unknown): boolean {
  return String(a ?? '') === String(b ?? '');
}

function errorFor(errors: unknown, field: unknown): Message | undefined {
  if (!Array.isArray(errors)) return undefined;
  return (errors as { field: string; message: Message }[]).find((error) => error.field === field)?.message;
}

/** The text, with French spaces that keep a sign and its word on one line. */
function spaced(page: PageFrame, key: string, params: MessageParams | undefined): string {
  const text = page.t(key, params);
  return page.language === 'fr' ? text.replace(/ (?=[:;?!»%])|(?<=«) /g, '\u00a0') : text;
}

/** The first letter that tells a name from others: that of "Écluse" in "L’Écluse Libre". */
function initial(name: string): string {
  const bare = name.replace(/^(?:l[’']|(?:le|la|les|the)\s)\s*(?=\p{L})/iu, '');
  return /[\p{L}\p{N}]/u.exec(bare)?.[0]?.toUpperCase() ?? '';
}

function capital(word: string): string {
  const [first = ''] = word;
  return first.toLocaleUpperCase() + word.slice(first.length);
}

function formatDate(value: unknown, page: PageFrame, style: Intl.DateTimeFormatOptions): string {
  if (value === null || value === undefined || value === '') return '';
  const day = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);
  const date = value instanceof Date ? value : new Date(String(value));
  if (Number.isNaN(date.getTime())) return String(value);
  return dateFormat(page.language === 'en' ? 'en-GB' : page.language, {
    ...style,
    timeZone: day ? 'UTC' : page.timeZone,
  }).format(date);
}
