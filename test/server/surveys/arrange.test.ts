// Questions put, moved, duplicated and removed: what an editor does to them.
import { expect } from 'chai';
import fc from 'fast-check';
import {
  duplicateQuestion,
  duplicateSection,
  moveQuestion,
  moveSection,
  placeQuestion,
  placeSection,
  putQuestion,
  putSection,
  questionsBefore,
  removeQuestion,
  removeSection,
} from '../../../server/surveys/arrange.js';
import type { Condition, Question, Section } from '../../../server/surveys/schema.js';
import { refusalOf } from '../collectives/collectiveSupport.js';

const ifAnswered = (question: string): Condition => ({ question, test: 'answered', values: [], number: null });
const ask = (id: string, showIf: Condition | null = null): Question => ({
  id,
  kind: 'shortText',
  label: { fr: id },
  help: {},
  required: false,
  showIf,
  criterion: '',
});
const page = (id: string, ...questions: Question[]): Section => ({ id, title: {}, intro: {}, showIf: null, questions });
const drawn = (sections: readonly Section[]) =>
  sections.map(({ id, questions }) => `${id}:${questions.map((one) => one.id).join('')}`).join(' ');
const three = [page('s', ask('a'), ask('b')), page('t'), page('u', ask('c'))];

describe('the order of questions', () => {
  it('changes by one place, and goes on into the section beside', () => {
    expect(drawn(moveQuestion(three, 'b', 'up'))).to.equal('s:ba t: u:c');
    expect(drawn(moveQuestion(three, 'b', 'down'))).to.equal('s:a t:b u:c');
    expect(drawn(moveQuestion(three, 'c', 'up'))).to.equal('s:ab t:c u:');
    expect(drawn(moveQuestion(three, 'a', 'up'))).to.equal('s:ab t: u:c');
    expect(drawn(moveSection(three, 'u', 'up'))).to.equal('s:ab u:c t:');
    expect(drawn(moveSection(three, 'u', 'down'))).to.equal('s:ab t: u:c');
  });

  it('changes to the place that is named, at the end at most', () => {
    const list = [page('s', ask('a'), ask('b'), ask('c')), page('t')];
    expect(drawn(placeQuestion(list, 'c', 1))).to.equal('s:cab t:');
    expect(drawn(placeQuestion(list, 'a', 2))).to.equal('s:bac t:');
    expect(drawn(placeQuestion(list, 'a', 99))).to.equal('s:bca t:');
    expect(drawn(placeSection(list, 't', 1))).to.equal('t: s:abc');
  });

  it('loses nothing and doubles nothing, whatever is moved', () => {
    const moves = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('up' as const, 'down' as const)));
    const property = fc.property(moves, (list) => {
      const moved = list.reduce((sections, [id, way]) => moveQuestion(sections, id, way), three);
      const ids = moved.flatMap(({ questions }) => questions.map(({ id }) => id));
      expect(ids.sort()).to.deep.equal(['a', 'b', 'c']);
    });
    fc.assert(property);
  });

  it('takes a question in its place, at the end when new, and in another section when told', () => {
    expect(drawn(putQuestion(three, 's', ask('a')))).to.equal('s:ab t: u:c');
    expect(drawn(putQuestion(three, 't', ask('d')))).to.equal('s:ab t:d u:c');
    expect(drawn(putQuestion(three, 'u', ask('a')))).to.equal('s:b t: u:ca');
    expect(drawn(putSection(three, { ...page('v'), title: { fr: 'V' } }))).to.equal('s:ab t: u:c v:');
    expect(drawn(putSection(three, page('s')))).to.equal('s:ab t: u:c');
  });

  it('duplicates under new identifiers, conditions among the copies too', () => {
    const [, copy] = duplicateQuestion(three, 'a')[0]?.questions ?? [];
    expect(copy).to.include({ kind: 'shortText' });
    expect(copy?.id).to.match(/^q[0-9a-f]{8}$/);
    const hanging = [page('s', ask('a'), ask('b', ifAnswered('a')))];
    const [, second] = duplicateSection(hanging, 's');
    expect(second?.questions[1]?.showIf?.question).to.equal(second?.questions[0]?.id);
    expect(second?.questions[0]?.id).not.to.equal('a');
  });

  it('keeps what others hang on, and says so', async () => {
    const refusalFrom = async (deed: () => unknown) => refusalOf(Promise.resolve().then(deed));
    const hanging = [page('s', ask('a')), page('t', ask('b', ifAnswered('a')))];
    expect(await refusalFrom(() => removeQuestion(hanging, 'a'))).to.equal('invalid surveys.error.hangs');
    expect(await refusalFrom(() => removeSection(hanging, 's'))).to.equal('invalid surveys.error.hangs');
    expect(drawn(removeQuestion(hanging, 'b'))).to.equal('s:a t:');
    expect(await refusalFrom(() => removeQuestion(hanging, 'zz'))).to.equal('not-found error.notFound');
  });

  it('knows what comes before', () => {
    const ids = (part: { section: string; question: string | null }) =>
      questionsBefore(three, part).map(({ id }) => id);
    expect(ids({ section: 'u', question: 'c' })).to.deep.equal(['a', 'b']);
    expect(ids({ section: 's', question: 'b' })).to.deep.equal(['a']);
    expect(ids({ section: 's', question: null })).to.deep.equal(['a', 'b']);
  });
});
