// The surveys to begin with: they hold together, in both languages, and may be opened as they are.
import { expect } from 'chai';
import { checkSections, missingIn } from '../../../server/surveys/rules.js';
import { sectionsShape, type Texts } from '../../../server/surveys/schema.js';
import { templateNames, templateOf } from '../../../server/surveys/templates.js';

const now = new Date('2026-10-20T10:00:00Z');
const templates = templateNames.map((name) => [name, templateOf(name, now, 'Europe/Paris')] as const);

/** Every text in it, wherever it stands. */
function textsIn(value: unknown): Texts[] {
  if (typeof value !== 'object' || value === null || value instanceof Date) return [];
  const inner = Object.values(value).flatMap(textsIn);
  return 'fr' in value || 'en' in value ? [value as Texts, ...inner] : inner;
}

describe('templates of surveys', () => {
  for (const [name, { title, intro, sections }] of templates) {
    it(`"${name}" is well formed and complete in both languages`, () => {
      expect(sectionsShape.parse(sections)).to.deep.equal(sections);
      checkSections(sections);
      const missing = textsIn({ title, intro, sections }).filter((texts) => missingIn(texts, ['fr', 'en']).length > 0);
      expect(missing).to.deep.equal([]);
      if (name !== 'empty')
        expect(
          sections.some(({ questions }) => questions.length > 0),
          name,
        ).to.equal(true);
    });
  }

  it('asks the twenty criteria of a charter on six axes, each answered by "yes" first', () => {
    const { sections } = templateOf('review', now, 'Europe/Paris');
    const criteria = sections.flatMap(({ questions }) => questions).filter(({ criterion }) => criterion !== '');
    expect(criteria.length).to.equal(20);
    expect(new Set(criteria.map(({ criterion }) => criterion.split('-')[0])).size).to.equal(6);
    expect(criteria.every((one) => one.kind === 'single' && one.choices[0]?.id === 'yes')).to.equal(true);
    expect(criteria.filter(({ help }) => help.en?.includes('Required')).length).to.equal(12);
  });

  it('proposes evenings ahead by the clocks of the zone, whatever changes between', () => {
    const poll = templateOf('date', now, 'Europe/Paris').sections[0]?.questions[0];
    const starts = poll?.kind === 'availability' ? poll.slots.map(({ startsAt }) => startsAt.toISOString()) : [];
    expect(starts).to.deep.equal(['2026-11-03T18:00:00.000Z', '2026-11-04T18:00:00.000Z', '2026-11-05T18:00:00.000Z']);
  });
});
