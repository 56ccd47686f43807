// The table of attacks says true: each test that it names is there, and nothing of the catalogue is missing.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectDir } from '../../server/paths.js';
import { rows } from './rows.js';

/** The numbers of the catalogue that are critical or high, section by section. */
const numbers: Record<string, readonly number[]> = {
  AP: [
    ...range(1, 14),
    ...range(20, 30),
    ...range(40, 48),
    ...range(60, 66),
    ...range(70, 77),
    ...range(90, 95),
    ...range(100, 102),
    ...range(110, 116),
    ...range(120, 123),
    ...range(130, 134),
    ...range(140, 142),
    ...range(150, 152),
  ],
  RL: [...range(1, 9), 20, 23],
  WB: [40, 41, 43, 44],
};

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Titles in a file, as far as they are written there and not made. */
function titlesIn(file: string): string[] {
  const path = join(projectDir, 'test', file);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/\b(?:it|describe)\(\s*(['`])(.*)/g)].map(([, , title = '']) => title);
}

describe('the attacks of the catalogue', () => {
  it('have a row each, and no row is of another', () => {
    const all = Object.entries(numbers).flatMap(([kind, list]) =>
      list.map((number) => `${kind}-${String(number).padStart(2, '0')}`),
    );
    expect(Object.keys(rows).sort()).to.deep.equal(all.sort());
  });

  it('are tried by tests that are there', () => {
    const missing = Object.entries(rows).flatMap(([id, { by }]) =>
      'later' in by
        ? []
        : by
            .filter(([file, title]) => !titlesIn(file).some((one) => one.includes(title)))
            .map((test) => `${id}: ${test}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it('wait only where the thing itself is not there yet', () => {
    const waiting = Object.entries(rows).flatMap(([id, { by }]) => ('later' in by ? [id] : []));
    expect(waiting).to.deep.equal([]);
  });
});
