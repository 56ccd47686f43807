// The texts of the house: complete in both languages, all used, none written into a template. A key that is put together
// at run time (`home.news.${kind}`, "people.role." + role) counts for every key it may become.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { IntlMessageFormat } from 'intl-messageformat';
import { languages } from '../server/context.js';
import { defaultSettings, wordsIn } from '../server/instances/settings.js';
import { projectDir, viewsDir } from '../server/paths.js';

type Catalogue = Map<string, { text: string; file: string }>;

function catalogueOf(language: string): Catalogue {
  const dir = join(viewsDir, 'locales', language);
  return new Map(
    readdirSync(dir).flatMap((file) =>
      Object.entries(JSON.parse(readFileSync(join(dir, file), 'utf8')) as Record<string, string>).map(
        ([key, text]) => [key, { text, file }] as const,
      ),
    ),
  );
}

function filesUnder(folder: string, ends: string[]): string[] {
  return readdirSync(join(projectDir, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ends.some((end) => name.endsWith(end)) && !/node_modules|locales/.test(name))
    .map((name) => join(folder, name));
}

const french = catalogueOf('fr');
const english = catalogueOf('en');
const all = new Set([...french.keys(), ...english.keys()]);
const rooms = new Set([...all].map((key) => key.split('.')[0] ?? ''));
const sources = [
  ...['server', 'federation', 'jobs'].flatMap((folder) => filesUnder(folder, ['.ts'])),
  ...filesUnder('views', ['.hbs', '.json']),
].map((path) => ({ path, text: withoutLimits(readFileSync(join(projectDir, path), 'utf8')) }));

/** The name of a limit (server/http/limits.ts) may look like a key. */
function withoutLimits(source: string): string {
  return source.replace(/\{ name: '[\w.-]+', limit:/g, '{ limit:');
}

/** Names of files and of fields in other formats that look like keys of ours. */
const otherwise = /\.(csv|json|atom|properties|hbs|ts|css|svg|test|js|tmp|db|log|txt)$/;

interface Use {
  path: string;
  key: string;
}

/** Strings that look like a key of one of our rooms. */
function usedKeys(): Use[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(/['"`]([a-z][A-Za-z]*(?:\.[\w-]+)+)['"`]/g)]
      .map(([, key = '']) => ({ path, key }))
      .filter(({ key }) => all.has(key) || (rooms.has(key.split('.')[0] ?? '') && !otherwise.test(key))),
  );
}

/** "collectives.field" where keys such as "collectives.field.name" exist: the beginning of a key put together. */
function isBeginning(key: string): boolean {
  return [...all].some((one) => one.startsWith(`${key}.`));
}

/** Keys put together from parts: a pattern of the keys they may become. */
function usedPatterns(): (Use & { pattern: RegExp })[] {
  return sources.flatMap(({ path, text }) => {
    const templates = [...text.matchAll(/`([a-z][A-Za-z]*\.[^`\s]*\$\{[^`]*)`/g)].map(([, key = '']) => key);
    const beginnings = [...text.matchAll(/['"]([a-z][A-Za-z]*(?:\.[\w-]+)*\.)['"]/g)].map(
      ([, key = '']) => `${key}\${}`,
    );
    return [...templates, ...beginnings]
      .filter((key) => rooms.has(key.split('.')[0] ?? ''))
      .map((key) => {
        const parts = key.replace(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, '\u0000').split('\u0000');
        const pattern = parts.map((part) => part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')).join('[\\w.-]+');
        return { path, key, pattern: new RegExp(`^${pattern}$`) };
      });
  });
}

/** Templates that stand inside a tag: attributes, not text. */
const partsOfTags = new Set(['fieldAria.hbs', 'surveyQuestionAria.hbs'].map((name) => join('views', 'partials', name)));

/** Names that are the same in every language. */
const properNames = /^(ChatonsInfos|Chatière|ActivityPub|JSON|CSV|Atom)$/;

describe('the texts of the house', () => {
  it('are there in French and in English', () => {
    expect(
      [...all].filter((key) => !french.has(key)),
      'missing in French',
    ).to.deep.equal([]);
    expect(
      [...all].filter((key) => !english.has(key)),
      'missing in English',
    ).to.deep.equal([]);
  });

  it('stand in the file of the same name, and are not empty', () => {
    for (const key of all) {
      expect(french.get(key)?.file, key).to.equal(english.get(key)?.file);
      expect(french.get(key)?.text, key).to.not.equal('');
      expect(english.get(key)?.text, key).to.not.equal('');
    }
  });

  it('exist when code or a template names them', () => {
    const missing = usedKeys().filter(({ key }) => !all.has(key) && !isBeginning(key));
    expect(missing.map(({ path, key }) => `${path}: ${key}`)).to.deep.equal([]);
    const vain = usedPatterns().filter(({ pattern }) => ![...all].some((key) => pattern.test(key)));
    expect(vain.map(({ path, key }) => `${path}: ${key}`)).to.deep.equal([]);
  });

  it('are all used', () => {
    const named = new Set(usedKeys().map(({ key }) => key));
    const patterns = usedPatterns().map(({ pattern }) => pattern);
    const beginnings = [...named].filter((key) => !all.has(key) && isBeginning(key));
    const idle = [...all].filter(
      (key) =>
        !named.has(key) &&
        !patterns.some((pattern) => pattern.test(key)) &&
        !beginnings.some((beginning) => key.startsWith(`${beginning}.`)),
    );
    expect(idle).to.deep.equal([]);
  });

  it('take the same parameters in both languages', () => {
    for (const key of all) {
      expect(parametersOf(french.get(key)?.text, 'fr'), key).to.deep.equal(parametersOf(english.get(key)?.text, 'en'));
    }
  });

  it('have typographic apostrophes: a straight one would hide a parameter', () => {
    for (const language of languages) {
      for (const [key, { text }] of catalogueOf(language)) {
        expect(text.replace(/'[{}]+'/g, ''), `${language} ${key}`).to.not.include("'");
      }
    }
  });

  it('leave no word in a template', () => {
    const templates = filesUnder('views', ['.hbs']).filter((path) => !partsOfTags.has(path));
    const words = templates.flatMap((path) => {
      const source = readFileSync(join(projectDir, path), 'utf8')
        .replace(/\{\{!--[\s\S]*?--\}\}/g, ' ')
        .replace(/\{\{\{?[\s\S]*?\}?\}\}/g, '·');
      const spoken = [...source.matchAll(/\s(?:title|alt|placeholder|aria-label|data-label)="([^"]*)"/g)].map(
        ([, value = '']) => value,
      );
      const shown = source
        .replace(/<[^>]*>/g, '\n')
        .replace(/&[a-z#0-9]+;/gi, ' ')
        .split('\n');
      return [...spoken, ...shown]
        .filter((line) => /\p{L}/u.test(line) && !properNames.test(line.trim()))
        .map((line) => `${path}: ${line.trim()}`);
    });
    expect(words).to.deep.equal([]);
  });
});

/** Names and kinds of a message's parameters; the words that a network may rename are not asked of the caller. */
function parametersOf(text: string | undefined, language: string): string[] {
  const words = new Set(Object.keys(wordsIn(defaultSettings, 'fr')));
  const found = new Set<string>();
  const ast = new IntlMessageFormat(text ?? '', language, undefined, { ignoreTag: true }).getAst();
  const walk = (parts: typeof ast): void => {
    for (const part of parts) {
      if ('value' in part && part.type !== 0 && !words.has(part.value)) found.add(part.value);
      if ('options' in part) for (const option of Object.values(part.options)) walk(option.value);
    }
  };
  walk(ast);
  return [...found].sort();
}
