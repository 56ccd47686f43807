// Every refusal can be said: its message is there in both languages and gets each parameter that it names. Read from the
// sources, so that one which nobody tries is found too.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { languages } from '../server/context.js';
import { loadI18n } from '../server/i18n.js';
import { defaultSettings, wordsIn } from '../server/instances/settings.js';
import { projectDir, viewsDir } from '../server/paths.js';

interface Said {
  place: string;
  key: string;
  /** Names of what is given; null: put together elsewhere. */
  params: string[] | null;
}

const i18n = loadI18n(join(viewsDir, 'locales'));

function sourceFiles(): string[] {
  return ['server', 'federation', 'jobs'].flatMap((folder) =>
    readdirSync(join(projectDir, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => join(folder, name)),
  );
}

/** Messages handed to DomainError, to a function of the file that hands them on, or written as `message: { key, params }`. */
function refusalsOf(path: string, text: string): Said[] {
  const handsOn = new Map([['new DomainError', 1]]);
  for (const [, name = '', parameters = '', body = ''] of [...text.matchAll(declared), ...text.matchAll(arrow)]) {
    const thrown = /new DomainError\(\s*[^,()]+,\s*(\w+)\b/.exec(body)?.[1];
    const place = parameters.split(',').findIndex((one) => one.trim().split(/[?:\s]/)[0] === thrown);
    if (place >= 0) handsOn.set(name, place);
  }
  const calls = [...handsOn].flatMap(([name, place]) =>
    [...text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))].map(({ index, 0: { length } }) => ({
      index,
      given: partsFrom(text, index + length)[place] ?? '',
    })),
  );
  const written = [...text.matchAll(/\bmessage(?::| =) (?=\{)/g)].map(({ index, 0: { length } }) => ({
    index,
    given: `{${partsFrom(text, index + length + 1).join(',')}}`,
  }));
  return [...calls, ...written].flatMap(({ index, given }) => {
    const place = `${path}:${text.slice(0, index).split('\n').length}`;
    return messagesOf(given).map((one) => ({ place, ...one }));
  });
}

const declared = /^(?:export )?(?:async )?function (\w+)\(([^)]*)\)[^{]*\{([\s\S]*?)^\}/gm;
const arrow = /const (\w+) = \(([^)]*)\)[^=\n]*=>([^;]*);/g;

/** From an opening bracket to its end: the parts between commas. */
function partsFrom(text: string, start: number): string[] {
  const parts = [''];
  let depth = 0;
  let quote = '';
  for (const letter of text.slice(start, start + 1000)) {
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (/['"`]/.test(letter)) quote = letter;
    else if (/[([{]/.test(letter)) depth += 1;
    else if (/[)\]}]/.test(letter)) depth -= 1;
    if (depth < 0) break;
    if (letter === ',' && depth === 0 && quote === '') parts.push('');
    else parts.push(`${parts.pop()}${letter}`);
  }
  return parts;
}

/** `'a.b'`, `isA ? 'a.b' : 'a.c'`, `{ key: 'a.b', params: { max, min: 1 } }`. */
function messagesOf(given: string): { key: string; params: string[] | null }[] {
  return given.split(/(?<=\})\s*:\s/).flatMap((one) => {
    const [head = '', params] = one.split(/\bparams\b/);
    const names = params === undefined ? [] : namesIn(params);
    return [...head.matchAll(/'([a-z][A-Za-z]*(?:\.[\w-]+)+)'/g)].map(([, key = '']) => ({ key, params: names }));
  });
}

/** Null: they are not written out there. */
function namesIn(params: string): string[] | null {
  const inside = /^:\s*\{/.test(params) ? partsFrom(params, params.indexOf('{') + 1) : null;
  if (inside === null || inside.some((one) => one.trim().startsWith('...'))) return null;
  return inside.map((one) => /^\s*(\w*)/.exec(one)?.[1] ?? '').filter((name) => name !== '');
}

/** What cannot be said, and why. */
function mute({ key, params, place }: Said): string[] {
  if (params === null) return [];
  return languages.flatMap((language) => {
    if (!i18n.has(language, key)) return [`${place}: ${key} is missing (${language})`];
    try {
      const given = Object.fromEntries(params.map((name) => [name, 1]));
      i18n.translator(language, wordsIn(defaultSettings, language))(key, given);
      return [];
    } catch (error) {
      return [`${place}: ${key} (${language}) ${String(error).split('\n')[0]}`];
    }
  });
}

describe('refusals', () => {
  it('can all be said in both languages, with what their messages name', () => {
    const all = sourceFiles().flatMap((path) => refusalsOf(path, readFileSync(join(projectDir, path), 'utf8')));
    expect(all.length).to.be.greaterThan(200);
    expect(all.flatMap(mute)).to.deep.equal([]);
  });

  it('are found however they are thrown', () => {
    const tooMany = "'surveys.error.tooManyQuestions'";
    const text = [
      `throw new DomainError('invalid', ${tooMany});`,
      `throw new DomainError('invalid', isA ? 'a.b' : { key: ${tooMany}, params: { min: 1 } });`,
      'function invalid(key: string, field: string): DomainError {',
      "  return new DomainError('invalid', key, { field });",
      '}',
      `throw invalid(${tooMany}, 'sections');`,
      `errors.push({ field: '', message: { key: ${tooMany} } });`,
    ].join('\n');
    const lines = refusalsOf('x.ts', text)
      .flatMap(mute)
      .filter((line) => line.includes('(en)'));
    expect(lines.length).to.equal(5);
  });
});
