// Every warning and refusal has a sentence in both languages, and every sentence has what it needs.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { IntlMessageFormat } from 'intl-messageformat';
import { readChatonsInfos } from '../../../server/formats/chatonsinfos/read.js';
import {
  REFUSAL_CODES,
  refusalMessage,
  refuse,
  WARNING_CODES,
  warningMessage,
} from '../../../server/formats/warnings.js';
import { quirkyChatonsInfosFiles } from '../../support/chatonsinfosServer.js';

const LANGUAGES = ['fr', 'en'] as const;

function messages(language: string): Record<string, string> {
  return JSON.parse(readFileSync(`views/locales/${language}/formats.json`, 'utf8'));
}

const without = (keys: string[], prefix: string): string[] =>
  keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));

describe('messages of formats', () => {
  for (const language of LANGUAGES) {
    it(`has exactly the codes of the closed lists (${language})`, () => {
      const keys = Object.keys(messages(language));
      expect(without(keys, 'formats.warning.').toSorted()).to.deep.equal([...WARNING_CODES].toSorted());
      expect(without(keys, 'formats.refusal.').toSorted()).to.deep.equal([...REFUSAL_CODES].toSorted());
    });

    it(`turns every warning of the quirky hoster into a sentence (${language})`, () => {
      const texts = messages(language);
      for (const bytes of quirkyChatonsInfosFiles().values()) {
        const result = readChatonsInfos(bytes);
        const said = result.ok ? result.warnings.map(warningMessage) : [refusalMessage(result)];
        for (const { id, values } of said) {
          expect(new IntlMessageFormat(texts[id] ?? '', language).format(values)).to.be.a('string').that.is.not.empty;
        }
      }
    });
  }

  it('says what a missing key means according to its level', () => {
    const text = messages('en')['formats.warning.missing'] ?? '';
    const said = (level: 'error' | 'info') =>
      new IntlMessageFormat(text, 'en').format(
        warningMessage({ line: 0, key: 'service.name', code: 'missing', level, details: {} }).values,
      );
    expect(said('error')).to.equal('The key service.name is missing. No entry can be made without it.');
    expect(said('info')).to.equal('The key service.name is not filled in. It is recommended.');
  });

  it('gives refusals their values', () => {
    const { id, values } = refusalMessage(refuse('wrong-class', { found: 'service', wanted: 'organization' }));
    expect(new IntlMessageFormat(messages('en')[id] ?? '', 'en').format(values)).to.equal(
      'This file is of class “service”. The class “organization” is needed here.',
    );
  });
});
