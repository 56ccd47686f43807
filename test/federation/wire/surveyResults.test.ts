// Published results on their way: whole where there is room, else without what is longest, and saying so.
import { expect } from 'chai';
import { toSurveyResults } from '../../../federation/wire/survey.js';
import { bytesOnWire, wireLimits } from '../../../server/surveys/remoteSurveys.js';
import type { Question, Section, Survey } from '../../../server/surveys/schema.js';
import type { QuestionResult, SurveyResult } from '../../../server/surveys/tally.js';

const ask = (id: string): Question => ({
  ...{ id, label: {}, help: {}, required: false, showIf: null, criterion: '' },
  kind: 'shortText',
});
const said = (id: string, bytes: number): QuestionResult => ({
  question: ask(id),
  answered: 1,
  texts: ['x'.repeat(bytes)],
});
const ranked = (id: string, count: number): QuestionResult => {
  const ranking = Array.from({ length: count }, (_, at) => ({ id: `c${at}`, points: 1, firsts: 1, meanPlace: 1 }));
  return { question: ask(id), answered: 1, ranking };
};
const notes = { fr: 'Merci' };
const published = { results: { publishedAt: new Date(0), readers: 'public', hidden: [], notes } } as unknown as Survey;
const send = (questions: QuestionResult[], url: string | null = null) => {
  const section: Section = {
    id: 's',
    title: {},
    intro: {},
    showIf: null,
    questions: questions.map((one) => one.question),
  };
  const result: SurveyResult = { answers: 1, sections: [{ section, questions }] };
  const json = toSurveyResults(published, result, 3, url);
  if (json === null) throw new Error('not published');
  expect(bytesOnWire(json)).to.be.at.most(wireLimits.results);
  return { json, questions: JSON.parse(String(json.questions)) as { id: string; texts?: string[] }[] };
};

describe('published results on the wire', () => {
  it('are whole where there is room', () => {
    const { json, questions } = send([said('a', 10), said('b', 20)], 'https://us.example/results');
    expect(json).to.include({ isShortened: false }).and.not.have.property('url');
    expect(questions.map(({ texts }) => texts?.length)).to.deep.equal([1, 1]);
  });

  it('lose the longest texts first, question by question, and say where the whole is', () => {
    const { json, questions } = send(
      [said('a', 9000), said('b', 12_000), said('c', 100)],
      'https://us.example/results',
    );
    expect(json).to.include({ isShortened: true, url: 'https://us.example/results' });
    expect(questions.map(({ id, texts }) => [id, texts !== undefined])).to.deep.equal([
      ['a', true],
      ['b', false],
      ['c', true],
    ]);
  });

  it('lose the largest questions then, and the notes last', () => {
    const { json, questions } = send([ranked('big', 400), ranked('small', 10), said('text', 50)]);
    expect(json).to.deep.include({ isShortened: true, notes }).and.not.have.property('url');
    expect(questions.map(({ id }) => id)).to.deep.equal(['small', 'text']);
  });
});
