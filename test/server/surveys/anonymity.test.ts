// What the store's files and the log keep of an anonymous survey, searched as somebody would who has them all: neither order,
// nor time, nor leftovers lead from an answer to who gave it (security.md WB-41, AP-110).
import { createHash, randomInt } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { openStore } from '../../../server/store/openStore.js';
import { allIndexes } from '../../../server/store/schema.js';
import type { Store } from '../../../server/store/store.js';
import { isCounted, submitAnswer } from '../../../server/surveys/actions/answering.js';
import { ballotsIn, countedIn, turnoutsIn } from '../../../server/surveys/queries.js';
import type { Section, Survey } from '../../../server/surveys/schema.js';
import { buildTestHouse, contextFor, systemActor } from '../../support/appSupport.js';
import { temporaryFolder } from '../../support/storeSupport.js';
import { buildCollective } from '../collectives/collectiveSupport.js';
import { answererOf, buildSurvey } from './surveySupport.js';

const asked = { help: {}, required: false, showIf: null, criterion: '' };
const sections: Section[] = [
  {
    id: 's',
    title: {},
    intro: {},
    showIf: null,
    questions: [{ ...asked, id: 'why', kind: 'longText', label: { fr: 'Pourquoi ?' } }],
  },
];
const voters = 20;

interface Run {
  ctx: Context;
  store: Store;
  dataDir: string;
  survey: Survey;
  hosters: Collective[];
  /** The text that the hoster of the same place gave. */
  canaries: string[];
  receipts: string[];
}

async function vote(): Promise<Run> {
  const dataDir = temporaryFolder();
  const store = await openStore({ dataDir });
  await store.ensureIndexes(allIndexes);
  const house = await buildTestHouse({ store });
  const ctx = contextFor(house, systemActor);
  const owner = await buildCollective(house);
  const hosters: Collective[] = [];
  for (let one = 0; one < voters; one += 1) hosters.push(await buildCollective(house));
  const survey = await buildSurvey(ctx, owner, hosters, { names: 'anonymous', sections });
  const canaries = hosters.map((_one, index) => `canary-${index}-${randomInt(1e12)}-`.padEnd(40 + index * 7, 'x'));
  const receipts: string[] = [];
  for (const [index, hoster] of hosters.entries()) {
    const sent = { by: 'p', byName: 'Ana', home: '', version: 1, raw: { why: canaries[index] ?? '' } };
    const { receipt } = await submitAnswer(ctx, { surveyId: survey._id, answerer: answererOf(ctx, hoster), ...sent });
    receipts.push(receipt ?? '');
  }
  return { ctx, store, dataDir, survey, hosters, canaries, receipts };
}

/** Where a text stands in the bytes, every time. */
function placesOf(bytes: Buffer, text: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push(at);
  return found;
}

const pageBytes = 4096;

/** SQLite fills a page from its end: within a page, later bytes were written earlier. */
function inOrderOfWriting(bytes: Buffer, texts: readonly string[]): Map<number, string[]> {
  const pages = new Map<number, { at: number; text: string }[]>();
  for (const text of texts) {
    const [at = -1] = placesOf(bytes, text);
    const page = Math.floor(at / pageBytes);
    pages.set(page, [...(pages.get(page) ?? []), { at, text }]);
  }
  return new Map(
    [...pages].map(([page, list]) => [page, list.sort((a, b) => b.at - a.at).map(({ text }) => text)] as const),
  );
}

describe('an anonymous survey with twenty voters, one after the other, leaves', function () {
  this.timeout(120_000);
  let run: Run;
  before(async () => {
    run = await vote();
  });
  after(() => run.store.close());

  const idOf = async (canary: string): Promise<string> => {
    const all = await ballotsIn(run.store).find({ surveyId: run.survey._id }).toArray();
    return all.find(({ values }) => JSON.stringify(values).includes(canary))?._id ?? '';
  };

  it('each answer once in the file and nothing in the log of writes', () => {
    const { dataDir, canaries } = run;
    const wal = join(dataDir, 'chatiere.db-wal');
    expect(statSync(wal).size).to.equal(0);
    const bytes = readFileSync(join(dataDir, 'chatiere.db'));
    for (const canary of canaries) expect(placesOf(bytes, canary), canary).to.have.length(1);
  });

  it('no order in which answers came: neither in reading, nor in row numbers, nor in the bytes of pages', async () => {
    const bytes = readFileSync(join(run.dataDir, 'chatiere.db'));
    const stored = await ballotsIn(run.store).find({}).toArray();
    expect(stored.map(({ _id }) => _id)).to.deep.equal(stored.map(({ _id }) => _id).toSorted());
    for (const written of inOrderOfWriting(bytes, run.canaries).values()) {
      const ids = await Promise.all(written.map(idOf));
      expect(ids).to.deep.equal(ids.toSorted());
    }
  });

  it('no order in which voters came either', async () => {
    const stored = await turnoutsIn(run.store).find({}).toArray();
    expect(stored.map(({ _id }) => _id)).to.deep.equal(stored.map(({ _id }) => _id).toSorted());
    const bytes = readFileSync(join(run.dataDir, 'chatiere.db'));
    const ends = stored.map(({ _id }) => `"_id":"${_id}"`);
    for (const written of inOrderOfWriting(bytes, ends).values()) expect(written).to.deep.equal(written.toSorted());
  });

  it('nothing by which pairing both lists in any of their orders does better than chance', async () => {
    const ballots = await ballotsIn(run.store).find({}).toArray();
    const turnouts = await turnoutsIn(run.store).find({}).toArray();
    const ranks = (list: readonly string[]) => list.map((one) => list.toSorted().indexOf(one));
    const orders = [ballots, ballots.toReversed()];
    for (const order of orders) {
      const hits = turnouts.filter(({ key }, index) => {
        const voter = run.hosters.findIndex((one) => answererOf(run.ctx, one).key === key);
        return JSON.stringify(order[index]?.values).includes(run.canaries[voter] ?? '?');
      });
      // By chance one fits; eight or more would come about once in a hundred thousand runs.
      expect(hits.length).to.be.lessThan(8);
    }
    expect(new Set(ranks(ballots.map(({ _id }) => _id))).size).to.equal(voters);
  });

  it('documents without a common value, a time, or anything finer than the survey', async () => {
    const ballots = await ballotsIn(run.store).find({}).toArray();
    const turnouts = await turnoutsIn(run.store).find({}).toArray();
    for (const ballot of ballots) {
      expect(Object.keys(ballot)).to.have.members(['_id', 'surveyId', 'version', 'values']);
    }
    for (const turnout of turnouts) expect(Object.keys(turnout)).to.have.members(['_id', 'surveyId', 'key']);
    const texts = turnouts.map((one) => JSON.stringify(one));
    for (const { _id } of ballots) expect(texts.some((text) => text.includes(_id))).to.equal(false);
  });

  it('the answers in their own collection only: no event, history, mail, draft or session has them', async () => {
    const names = (await run.store.listCollections()).filter((name) => name !== 'surveyBallots');
    for (const name of names) {
      const text = JSON.stringify(await run.store.collection(name).find({}).toArray());
      for (const canary of run.canaries) expect(text.includes(canary), `${canary} in ${name}`).to.equal(false);
      for (const receipt of run.receipts) expect(text.includes(receipt), `a receipt in ${name}`).to.equal(false);
    }
  });

  it('numbers that count, and lead whoever has the number and the whole store to no ballot', async () => {
    const counted = await countedIn(run.store).find({}).toArray();
    expect(counted.map(({ _id }) => _id)).to.deep.equal(counted.map(({ _id }) => _id).toSorted());
    const beside = JSON.stringify([
      await ballotsIn(run.store).find({}).toArray(),
      await turnoutsIn(run.store).find({}).toArray(),
    ]);
    for (const one of counted) {
      expect(Object.keys(one)).to.have.members(['_id', 'surveyId']);
      expect(beside).to.not.include(one._id);
    }
    for (const receipt of run.receipts) {
      const hash = createHash('sha256').update(receipt).digest('hex');
      expect(counted.some(({ _id }) => _id === hash)).to.equal(true);
    }
    const bytes = readFileSync(join(run.dataDir, 'chatiere.db'));
    const ends = counted.map(({ _id }) => `"_id":"${_id}"`);
    for (const written of inOrderOfWriting(bytes, ends).values()) expect(written).to.deep.equal(written.toSorted());
  });

  it('the number that tells whether it was counted in nobody’s hands but the voter’s', async () => {
    const bytes = readFileSync(join(run.dataDir, 'chatiere.db'));
    for (const receipt of run.receipts) {
      expect(placesOf(bytes, receipt)).to.deep.equal([]);
      expect(await isCounted(run.ctx, run.survey._id, receipt)).to.equal(true);
    }
  });

  it('a backup in which it is no different', async () => {
    const file = join(run.dataDir, 'copy.db');
    await run.store.backup(file);
    const bytes = readFileSync(file);
    for (const written of inOrderOfWriting(bytes, run.canaries).values()) {
      const ids = await Promise.all(written.map(idOf));
      expect(ids).to.deep.equal(ids.toSorted());
    }
    for (const canary of run.canaries) expect(placesOf(bytes, canary), canary).to.have.length(1);
  });
});
