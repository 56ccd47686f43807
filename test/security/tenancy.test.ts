// Two hosters of the same shape: what is private to one never reaches the other, nor anybody else, by any way out.
import { expect } from 'chai';
import { createService, emptyProfile, unpublishService } from '../../server/catalogue/actions/services.js';
import { deleteCollective, unpublishCollective } from '../../server/collectives/actions.js';
import { publishPost } from '../../server/posts/actions.js';
import { contextFor, systemActor } from '../support/appSupport.js';
import { addressesOf, crawl, type Seen } from './crawl.js';
import { copyOf } from './requests.js';
import { canaries, type Role, startTwinHouse, type TwinHouse } from './tenants.js';

describe('twin hosters', function () {
  this.timeout(300_000);
  let app: TwinHouse;

  before(async () => {
    app = await startTwinHouse();
  });

  const read = new Map<Role, Seen[]>();

  /** The addresses under which the reader met the word, with what is beside it. Each reads once, before all changes. */
  async function sightings(role: Role, word: string): Promise<string[]> {
    const seen = read.get(role) ?? (await crawl(app, app.clients[role], addressesOf(app)));
    read.set(role, seen);
    expect(seen.length, 'the crawl is no crawl').to.be.greaterThan(200);
    return seen.flatMap(({ path, accept, text, headers }) => {
      const all = `${JSON.stringify([...headers])}\n${text}`;
      const at = all.indexOf(word);
      // A search repeats what was typed.
      return at < 0 || path.includes(word) ? [] : [`${path} (${accept}): ${all.slice(Math.max(0, at - 80), at + 40)}`];
    });
  }

  const strangers: [Role, ('alpha' | 'beta')[]][] = [
    ['visitor', ['alpha', 'beta']],
    ['plain', ['alpha', 'beta']],
    ['moderator', ['alpha', 'beta']],
    ['disabled', ['alpha', 'beta']],
    ['representativeA', ['beta']],
    ['memberB', ['alpha']],
  ];
  for (const [role, tenants] of strangers) {
    for (const tenant of tenants) {
      it(`keep what is private to ${tenant} from ${role}, on every page, feed, file and over ActivityPub`, async () => {
        expect(await sightings(role, canaries[tenant])).to.deep.equal([]);
      });
    }
  }

  it('show it to those to whom it belongs: the words are really there', async () => {
    const own = await sightings('representativeA', canaries.alpha);
    const places = ['members', 'history', 'services', 'chatonsinfos', 'followers'];
    const base = `/my/collectives/${app.alpha.collective._id}`;
    for (const place of places) {
      expect(
        own.some((one) => one.startsWith(`${base}/${place}`)),
        place,
      ).to.equal(true);
    }
    expect((await sightings('administrator', canaries.beta)).length).to.be.greaterThan(10);
  });

  it('give each person their own data only', async () => {
    const client = copyOf(app, app.clients.memberA);
    const answer = await client.post('/me/data', { current: 'un mot de passe assez long' });
    expect(answer.status).to.equal(200);
    expect(answer.text).to.include(`mem.${canaries.alpha}`);
    expect(answer.text).not.to.include(canaries.beta);
    expect(answer.text).not.to.include(`rep.${canaries.alpha}`);
  });

  it('are gone from every way out when they are withdrawn: unpublished, deleted, the hoster hidden', async () => {
    const ctx = contextFor(app.house, systemActor);
    const word = 'zqxformerlypublic';
    const { beta } = app;
    const text = { fr: `Nouvelle ${word}`, en: `News ${word}` };
    const profile = { ...emptyProfile({ fr: `Outil ${word}`, en: `Tool ${word}` }), description: text };
    await publishPost(ctx, beta.collective._id, text);
    await createService(ctx, beta.collective._id, { slug: 'outil', published: true, profile });
    const other = await createService(ctx, beta.collective._id, { slug: 'autre', published: true, profile });
    await app.drain();
    read.clear();
    const before = (await sightings('visitor', word)).map((one) => one.split(' ')[0] ?? '');
    expect(before.some((path) => path.startsWith('/objects/'))).to.equal(true);
    const known = [...new Set([...addressesOf(app), ...before])];

    await unpublishService(ctx, other._id);
    await app.drain();
    app.house.pass(10_000);
    await unpublishCollective(ctx, beta.collective._id);
    await app.drain();
    app.house.pass(10_000);
    const after = await crawl(app, app.clients.visitor, known);
    const still = after.filter((one) => one.text.includes(word)).map(({ path, accept }) => `${path} (${accept})`);
    expect(still).to.deep.equal([]);

    await deleteCollective(ctx, beta.collective._id, beta.collective.handle);
    await app.drain();
    const last = await crawl(app, app.clients.visitor, known);
    expect(last.filter((one) => one.text.includes(word)).map(({ path }) => path)).to.deep.equal([]);
    expect(last.filter(({ status }) => status >= 500).map(({ path }) => path)).to.deep.equal([]);
  });
});
