// Questions as polls: which can be, who offers them, which votes count, when counts are told, when all of it ends.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { deleteSurvey } from '../../../server/surveys/actions/drafting.js';
import {
  offerPolls,
  prunePolls,
  receiveVote,
  takeBackVotes,
  tellDuePolls,
  type VoteInput,
  withdrawPoll,
} from '../../../server/surveys/actions/polls.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { findPoll, listPollResults, pollsIn, votesIn } from '../../../server/surveys/pollQueries.js';
import { pollOptions } from '../../../server/surveys/pollRules.js';
import { countAnswers } from '../../../server/surveys/queries.js';
import type { Question, Section, Survey } from '../../../server/surveys/schema.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../../support/appSupport.js';
import { buildMember, refusalOf } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const asked = { help: {}, required: false, showIf: null, criterion: '' };
const choice = (id: string, fr: string, en = '') => ({ id, label: en === '' ? { fr } : { fr, en } });
const choosing = {
  other: false,
  min: null,
  max: null,
  choices: [choice('yes', 'Oui', 'Yes'), choice('no', 'Non', 'No')],
};
const one: Question = { ...asked, id: 'one', kind: 'single', label: { fr: 'D’accord ?', en: 'Agreed?' }, ...choosing };
const any: Question = { ...asked, ...choosing, id: 'any', kind: 'multiple', label: { fr: 'Lesquels ?' } };
const scale: Question = {
  ...{ ...asked, id: 'scale', kind: 'scale', label: { fr: 'Combien ?' }, from: 1, to: 5 },
  ...{ fromLabel: { fr: 'peu' }, toLabel: { fr: 'beaucoup' } },
};
const words: Question = { ...asked, id: 'words', kind: 'longText', label: { fr: 'Pourquoi ?' } };
const sections: Section[] = [{ id: 's', title: {}, intro: {}, showIf: null, questions: [one, any, scale, words] }];
const minute = 60_000;
const day = 24 * 60 * minute;

describe('polls on the Fediverse', () => {
  let house: TestHouse;
  let ctx: Context;
  let stranger: Context;
  let owner: Collective;
  let survey: Survey;

  before(async () => {
    house = await buildTestHouse();
  });
  beforeEach(async () => {
    ({ ctx, collective: owner } = await buildMember(house, 'member'));
    ({ ctx: stranger } = await buildMember(house, 'member'));
    survey = await buildSurvey(ctx, owner, [owner], { sections, closesAt: new Date(ctx.now.getTime() + 30 * day) });
  });
  const later = (ms: number): Context => ({ ...contextFor(house, systemActor), now: new Date(ctx.now.getTime() + ms) });
  const offer = async (...questions: string[]) => offerPolls(ctx, survey._id, { questions, endsAt: null });

  it('are offered once, though the button is pressed many times at once, and again when withdrawn', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => refusalOf(offer('one', 'any'))));
    expect(outcomes.filter((one) => one === 'done')).to.have.length(1);
    expect(new Set(outcomes)).to.deep.equal(new Set(['done', 'conflict polls.error.offered']));
    const polls = await pollsIn(house.store).find({ surveyId: survey._id }).toArray();
    expect(polls.map(({ questionId }) => questionId).toSorted()).to.deep.equal(['any', 'one']);
    await withdrawPoll(ctx, survey._id, polls.find(({ questionId }) => questionId === 'one')?._id ?? '');
    expect(await refusalOf(offer('one'))).to.equal('done');
  });
  let serial = 0;
  const vote = (pollId: string, name: string, who = 'alice', host = 'elsewhere.example'): VoteInput => {
    serial += 1;
    const iri = `https://${host}/users/${who}`;
    return { pollId, name, iri: `${iri}/votes/${serial}`, voter: { iri, host, inbox: `https://${host}/inbox` } };
  };
  const counts = async (pollId: string): Promise<string> => {
    const found = (await listPollResults(house.store, survey._id)).find(({ poll }) => poll._id === pollId);
    return `${found?.options.map(({ count }) => count).join(' ')} of ${found?.voters}`;
  };
  const eventsOf = async (pollId: string) =>
    (await findPoll(house.store, pollId))?.events?.map(({ type }) => type) ?? [];

  describe('can ask', () => {
    const of = (question: Question) => {
      const options = pollOptions(question, ['fr', 'en']);
      return Array.isArray(options) ? options.map(({ name }) => name) : options;
    };

    it('what is answered by choosing, each option in both languages where they differ', () => {
      expect(of(one)).to.deep.equal(['Oui / Yes', 'Non / No']);
      expect(of(scale)).to.deep.equal(['1 (peu)', '2', '3', '4', '5 (beaucoup)']);
    });

    it('nothing with words, fields to fill in, bounds, more than 20 options, or two that read the same', () => {
      const many = Array.from({ length: 21 }, (_one, index) => choice(`c${index}`, `Choix ${index}`));
      expect(of(words)).to.equal('kind');
      expect(of({ ...one, other: true } as Question)).to.equal('other');
      expect(of({ ...any, max: 1 } as Question)).to.equal('bounds');
      expect(of({ ...one, choices: many } as Question)).to.equal('tooMany');
      expect(of({ ...one, choices: [choice('a', 'Oui'), choice('b', ' Oui ')] } as Question)).to.equal('alike');
    });
  });

  describe('are offered', () => {
    it('by those who organise, each with its event, until the survey ends or sooner', async () => {
      const endsAt = new Date(ctx.now.getTime() + day);
      const [poll, ...more] = await offerPolls(ctx, survey._id, { questions: ['one'], endsAt });
      expect(more).to.deep.equal([]);
      expect(poll?.endsAt).to.deep.equal(endsAt);
      expect(await eventsOf(poll?._id ?? '')).to.deep.equal(['poll.offered']);
      const [other] = await offer('any');
      expect(other?.endsAt).to.deep.equal(survey.closesAt);
    });

    it('by nobody else, not twice, not without question or end, and only while the survey is open', async () => {
      const deed = (by: Context, questions: string[]) => offerPolls(by, survey._id, { questions, endsAt: null });
      expect(await refusalOf(deed(stranger, ['one']))).to.equal('not-found error.notFound');
      expect(await refusalOf(deed(ctx, []))).to.equal('invalid polls.error.noQuestion');
      expect(await refusalOf(deed(ctx, ['words']))).to.equal('invalid polls.error.question');
      expect(await refusalOf(deed(ctx, ['nothing']))).to.equal('invalid polls.error.question');
      await offer('one');
      expect(await refusalOf(deed(ctx, ['one']))).to.equal('conflict polls.error.offered');
      const endless = await buildSurvey(ctx, owner, [owner], { sections });
      const bare = offerPolls(ctx, endless._id, { questions: ['one'], endsAt: null });
      expect(await refusalOf(bare)).to.equal('invalid polls.error.noEnd');
      await closeSurvey(ctx, survey._id);
      expect(await refusalOf(deed(ctx, ['any']))).to.equal('closed polls.error.notOpen');
    });
  });

  describe('count', () => {
    it('one vote an actor, the first; another one for another option changes nothing', async () => {
      const [poll] = await offer('one');
      const id = poll?._id ?? '';
      expect(await receiveVote(ctx, vote(id, 'Oui / Yes'))).to.equal('counted');
      expect(await receiveVote(ctx, vote(id, 'Oui / Yes'))).to.equal('repeated');
      expect(await receiveVote(ctx, vote(id, 'Non / No'))).to.equal('repeated');
      expect(await receiveVote(ctx, vote(id, 'Non / No', 'bob'))).to.equal('counted');
      expect(await counts(id)).to.equal('1 1 of 2');
      expect(await countAnswers(house.store, survey)).to.equal(0);
    });

    it('one for each option where several may be chosen, and each voter once', async () => {
      const [poll] = await offer('any');
      const id = poll?._id ?? '';
      for (const name of ['Oui / Yes', 'Non / No', 'Oui / Yes']) await receiveVote(ctx, vote(id, name));
      expect(await counts(id)).to.equal('1 1 of 1');
    });

    it('nothing for what is not there, too late, after an early end, or from where nobody is heard', async () => {
      const [poll] = await offer('one');
      const id = poll?._id ?? '';
      expect(await receiveVote(ctx, vote(id, 'Peut-être'))).to.equal('unknown');
      expect(await receiveVote(ctx, vote(id, 'oui / yes'))).to.equal('unknown');
      expect(await receiveVote(ctx, vote('0190', 'Oui / Yes'))).to.equal('closed');
      expect(await receiveVote(later(30 * day), vote(id, 'Oui / Yes'))).to.equal('closed');
      expect(await receiveVote(later(30 * day - 1), vote(id, 'Oui / Yes'))).to.equal('counted');
      await closeSurvey(ctx, survey._id);
      expect(await receiveVote(ctx, vote(id, 'Non / No', 'bob'))).to.equal('closed');
      expect(await counts(id)).to.equal('1 0 of 1');
    });

    it('fifty at once from one actor as one', async () => {
      const [poll] = await offer('one');
      const id = poll?._id ?? '';
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_one, index) => receiveVote(ctx, vote(id, index % 2 ? 'Oui / Yes' : 'Non / No'))),
      );
      expect(outcomes.filter((outcome) => outcome === 'counted')).to.have.length(1);
      expect((await listPollResults(house.store, survey._id))[0]?.voters).to.equal(1);
    });

    it('the same as a count by hand, whatever comes in whatever order', async () => {
      const names = ['Oui / Yes', 'Non / No', 'Rien'];
      const said = fc.record({ who: fc.integer({ min: 0, max: 5 }), name: fc.constantFrom(...names) });
      await fc.assert(
        fc.asyncProperty(fc.array(said, { maxLength: 15 }), async (votes) => {
          survey = await buildSurvey(ctx, owner, [owner], { sections, closesAt: new Date(ctx.now.getTime() + day) });
          const [poll] = await offer('one');
          const first = new Map<number, string>();
          for (const { who, name } of votes) {
            await receiveVote(ctx, vote(poll?._id ?? '', name, `voter${who}`));
            if (name !== 'Rien' && !first.has(who)) first.set(who, name);
          }
          const by = (name: string) => [...first.values()].filter((value) => value === name).length;
          expect(await counts(poll?._id ?? '')).to.equal(`${by('Oui / Yes')} ${by('Non / No')} of ${first.size}`);
        }),
        { numRuns: 20 },
      );
    });
  });

  describe('in time', () => {
    it('are told when votes have come, at most every ten minutes', async () => {
      const [poll] = await offer('one');
      const id = poll?._id ?? '';
      await receiveVote(ctx, vote(id, 'Oui / Yes'));
      await tellDuePolls(later(9 * minute));
      expect(await eventsOf(id)).to.deep.equal(['poll.offered']);
      await tellDuePolls(later(11 * minute));
      await tellDuePolls(later(40 * minute));
      expect(await eventsOf(id)).to.deep.equal(['poll.offered', 'poll.counted']);
      expect((await findPoll(house.store, id))?.counts).to.deep.equal([1, 0]);
    });

    it('close with their end as the moment and their counts for good, once, whoever else tries', async () => {
      const [poll] = await offer('one');
      const id = poll?._id ?? '';
      await receiveVote(ctx, vote(id, 'Oui / Yes'));
      await Promise.all([tellDuePolls(later(31 * day)), tellDuePolls(later(31 * day))]);
      const closed = await findPoll(house.store, id);
      expect(await eventsOf(id)).to.deep.equal(['poll.offered', 'poll.closed']);
      expect(closed?.closedAt).to.deep.equal(survey.closesAt);
      await takeBackVotes(later(32 * day), { actor: 'https://elsewhere.example/users/alice' });
      expect(await counts(id)).to.equal('1 0 of 1');
      await prunePolls(later(70 * day));
      expect(await votesIn(house.store).countDocuments({ pollId: id })).to.equal(0);
      expect(await counts(id)).to.equal('1 0 of 1');
    });

    it('lose the votes of whoever goes, or takes a vote back, while they are open', async () => {
      const [poll] = await offer('one');
      const id = poll?._id ?? '';
      const first = vote(id, 'Oui / Yes');
      await receiveVote(ctx, first);
      await receiveVote(ctx, vote(id, 'Non / No', 'bob'));
      await takeBackVotes(ctx, { actor: 'https://elsewhere.example/users/mallory', iri: first.iri });
      expect(await counts(id)).to.equal('1 1 of 2');
      await takeBackVotes(ctx, { actor: first.voter.iri, iri: first.iri });
      await takeBackVotes(ctx, { actor: 'https://elsewhere.example/users/bob' });
      expect(await counts(id)).to.equal('0 0 of 0');
    });

    it('are taken back by hand with their votes, and with a survey that is put away', async () => {
      const [poll, other] = await offer('one', 'any');
      await receiveVote(ctx, vote(poll?._id ?? '', 'Oui / Yes'));
      expect(await refusalOf(withdrawPoll(stranger, survey._id, poll?._id ?? ''))).to.equal('not-found error.notFound');
      await withdrawPoll(ctx, survey._id, poll?._id ?? '');
      expect(await eventsOf(poll?._id ?? '')).to.deep.equal(['poll.offered', 'poll.withdrawn']);
      expect(await votesIn(house.store).countDocuments({ pollId: poll?._id ?? '' })).to.equal(0);
      await deleteSurvey(ctx, survey._id);
      await tellDuePolls(later(minute));
      expect((await pollsIn(house.store).findOne({ _id: other?._id ?? '' }))?.state).to.equal('withdrawn');
    });
  });
});
