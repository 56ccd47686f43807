// Anonymous surveys through every door: hosters here and one elsewhere by its link, people, and guests answer, six each. Then
// everything that anybody may read, the log, the store, a backup, the files, the feeds, the mails and what travels is searched
// for what they said, and for who, when, and in which order (security.md AP-110, AP-115, AP-117, WB-41).
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { deliverDue } from '../../federation/delivery.js';
import { federationConsumer } from '../../federation/outbox.js';
import { fetchActor } from '../../federation/remoteActors.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import { readCsv } from '../../server/formats/csv.js';
import { recordChange } from '../../server/history/actions.js';
import { makeFeed } from '../../server/notices/actions/choosing.js';
import { writeDigests } from '../../server/notices/actions/digests.js';
import { noticeEvent } from '../../server/notices/actions/noticeEvent.js';
import { remindByHand } from '../../server/notices/actions/reminding.js';
import { feedAddresses } from '../../server/notices/links.js';
import { feedsIn } from '../../server/notices/queries.js';
import type { Person } from '../../server/people/schema.js';
import { eventfulCollections } from '../../server/store/schema.js';
import { closeSurvey, publishResults } from '../../server/surveys/actions/running.js';
import { ballotsIn, countedIn, getSurvey, turnoutsIn } from '../../server/surveys/queries.js';
import type { Invited, Question, Section, Survey } from '../../server/surveys/schema.js';
import { buildCollective } from '../server/collectives/collectiveSupport.js';
import { buildSurvey, invitedOf } from '../server/surveys/surveySupport.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import { Peer } from '../support/peer/peer.js';
import { temporaryFolder } from '../support/storeSupport.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { crawl, type Seen } from './crawl.js';
import { routesOf } from './requests.js';

const minute = 60_000;
const shared = { help: {}, required: false, showIf: null, criterion: '' };
const text = (id: string): Question => ({ ...shared, id, kind: 'shortText', label: { fr: `Question ${id}` } });
const choices = ['a', 'b'].map((id) => ({ id, label: { fr: id } }));
const pick: Question = {
  ...{ ...shared, id: 'pick', label: { fr: 'Choix' }, kind: 'single' as const },
  ...{ choices, other: true, min: null, max: null },
};
const sections: Section[] = [
  {
    ...{ id: 's', title: {}, intro: {}, showIf: null },
    questions: [...['left', 'right', 'kept', 'rare'].map(text), pick],
  },
];
const doors = ['hoster', 'person', 'guest'] as const;
type Door = (typeof doors)[number];

/** What one of six says. */
interface Voice {
  door: Door;
  /** In texts that results may show: "left" and "right" belong together, and nobody is to know. */
  left: string;
  right: string;
  /** To a question that is not published. */
  kept: string;
  /** To a question, and as "other", that two alone answer. */
  rare: string[];
  receipt: string;
  /** Names, ids and addresses of who says it; a guest has none. */
  who: string[];
  at: Date;
}

describe('anonymous answers of six, by every door', function () {
  this.timeout(300_000);
  let app: WholeApp;
  let ctx: Context;
  let peer: Peer;
  let owner: Collective;
  let hosters: Collective[];
  let people: Person[];
  let clients: Client[];
  let readers: { name: string; client: Client; starts: string[] }[];
  const surveys = {} as Record<Door, Survey>;
  const voices: Voice[] = [];
  let beforeAnswers: Date;
  let afterAnswers: Date;
  let answering: string[];

  before(async () => {
    peer = await Peer.start();
    app = await startWholeApp({ house: { privateHosts: [peer.host] }, metricsToken: 'a-token-of-the-tests' });
    const { house } = app;
    peer.now = house.now;
    ctx = contextFor(house, systemActor);
    const far = peer.addActor('lointain', { type: 'Organization', name: 'zwfar' });
    await fetchActor(app.federation, far.iri);
    const organiser = await buildPerson(house, { username: 'organiser' });
    owner = await buildCollective(house, { members: [{ personId: organiser._id, role: 'representative' }] });
    people = [];
    hosters = [];
    for (let n = 0; n < 6; n += 1) {
      const person = await buildPerson(house, { username: `zwperson${n}`, displayName: `zwdisplay${n}` });
      const members = [{ personId: person._id, role: 'member' as const }];
      const name = { fr: `zwname${n}`, en: `zwname${n}` };
      hosters.push(await buildCollective(house, { handle: `zwhandle${n}`, name, members }));
      people.push(person);
    }
    const elsewhere: Invited = { iri: far.iri, collectiveId: null, name: 'zwfar', handle: `lointain@${peer.host}` };
    const asked = [...hosters.slice(0, 5).map((one) => invitedOf(ctx, one)), elsewhere];
    const rest = { names: 'anonymous' as const, sections };
    surveys.hoster = await buildSurvey(ctx, owner, [], { ...rest, invited: asked });
    surveys.person = await buildSurvey(ctx, owner, hosters, { ...rest, answerBy: 'person' });
    surveys.guest = await buildSurvey(ctx, owner, [], { ...rest, answerBy: 'anyone' });
    await tell();

    clients = [];
    for (const person of people) clients.push(await signedIn(person));
    const administrator = await buildPerson(house, { username: 'ada', instanceRole: 'administrator' });
    const plain = await buildPerson(house, { username: 'paul' });
    await makeFeed(ctx, people[0]?._id ?? '');
    const feed = await feedsIn(house.store).findOne({ personId: people[0]?._id ?? '' });
    const feeds = Object.values(feedAddresses(house, feed?._id ?? '')).map((address) => new URL(address).pathname);
    const of = (one: Collective | undefined) => `/my/collectives/${one?._id}`;
    const seen = Object.values(surveys).map(({ _id }) => _id);
    readers = [
      { name: 'visitor', client: app.client(), starts: [...publicAddresses(), ...feeds, `${of(owner)}/surveys`] },
      { name: 'member', client: await signedIn(plain), starts: seen.flatMap((id) => [`/surveys/${id}`, `/my`]) },
      { name: 'organiser', client: await signedIn(organiser), starts: organised() },
      { name: 'administrator', client: await signedIn(administrator), starts: [...organised(), '/admin'] },
      {
        ...{ name: 'asked', client: clients[0] ?? app.client() },
        starts: ['/my', '/me/surveys', '/me/data', ...askedAddresses()],
      },
    ];
  });

  after(() => peer.stop());

  async function signedIn(person: Person): Promise<Client> {
    const client = app.client();
    await signIn(client, person);
    return client;
  }

  /** Every route about a survey that a stranger could try, and what programs read. */
  function publicAddresses(): string[] {
    const known = routesOf(app).filter(({ method, path }) => method === 'get' && /:survey/.test(path));
    const about = known.flatMap(({ path }) =>
      Object.values(surveys).map(({ _id }) => path.replace(':survey', _id).replace(':id', owner._id)),
    );
    const wire = ['outbox', 'outbox?page=true', 'followers', ''].map((end) => `/actors/${owner.handle}/${end}`);
    const objects = Object.values(surveys).map(({ _id }) => `/objects/${_id}`);
    const pages = ['/', '/surveys', '/changes', '/changes.atom', '/collectives', `/@${owner.handle}`, '/metrics'];
    return [...about.filter((path) => !path.includes(':')), ...wire, ...objects, ...pages];
  }

  function organised(): string[] {
    const base = `/my/collectives/${owner._id}`;
    const ends = ['', '.csv', '.json', '/texts?of=left', '/texts?of=kept', '/texts?of=rare', '/answers', '/publish'];
    const results = Object.values(surveys).flatMap(({ _id }) =>
      [...ends, '?rows=pick&columns=pick'].map((end) => `${base}/surveys/${_id}/results${end}`),
    );
    return [base, `${base}/surveys`, `${base}/history`, ...results];
  }

  function askedAddresses(): string[] {
    const base = `/my/collectives/${hosters[0]?._id}/asked`;
    const ends = ['', '/done', '/results', '/results/texts?of=left'];
    return [
      base,
      ...ends.map((end) => `${base}/${surveys.hoster._id}${end}`),
      ...ends.map((end) => `/me/surveys/${surveys.person._id}${end}`),
    ];
  }

  /** Hands on what is to be said, and brings it. */
  async function tell(): Promise<void> {
    const { store, log, now } = app.house;
    const consumers = [
      { name: 'history', receive: (event: Parameters<typeof recordChange>[1]) => recordChange(store, event) },
      { name: 'notices', receive: (event: Parameters<typeof noticeEvent>[1]) => noticeEvent(app, event) },
      federationConsumer(app.federation),
    ];
    await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
    await deliverDue(app.federation);
  }

  const secretsOf = ({ left, right, kept, rare, receipt }: Voice) => [left, right, kept, ...rare, receipt];
  const never = () => voices.flatMap(({ rare, receipt }) => [...rare, receipt]);
  const published = () => voices.flatMap(({ left, right }) => [left, right]);
  const unpublished = () => voices.flatMap(({ kept }) => kept);

  async function speak(door: Door, n: number): Promise<void> {
    const mark = `${door}${n}x${randomInt(1e9)}`;
    const voice: Voice = {
      ...{ door, left: `zqleft${mark}`, right: `zqright${mark}`, kept: `zqkept${mark}` },
      ...{ rare: n < 2 ? [`zqrare${mark}`, `zqother${mark}`] : [], receipt: '', at: app.house.now(), who: [] },
    };
    const person = people[n];
    const hoster = hosters[n];
    const isFar = door === 'hoster' && n === 5;
    const link = isFar ? await linkFor() : '';
    const path = {
      hoster: isFar ? link : `/my/collectives/${hoster?._id}/asked/${surveys.hoster._id}`,
      person: `/me/surveys/${surveys.person._id}`,
      guest: `/surveys/${surveys.guest._id}/answer`,
    }[door];
    const client = door === 'guest' || isFar ? app.client() : (clients[n] ?? app.client());
    // As one comes there: from the list, which the log must not tell either.
    const list = door === 'hoster' ? `/my/collectives/${hoster?._id}/asked` : '/me/surveys';
    if (door !== 'guest' && !isFar) expect((await client.get(list)).status).to.equal(200);
    const [rare = '', other = ''] = voice.rare;
    const said = { 'a.left': voice.left, 'a.right': voice.right, 'a.kept': voice.kept, 'a.rare': rare };
    const picked = other ? { 'a.pick.is': 'other', 'a.pick.other': other } : { 'a.pick.is': n % 2 ? 'a' : 'b' };
    const sent = await client.post(path, { ...said, ...picked, version: '1', page: 'all', step: 'send' });
    expect(sent.status, `${path} ${sent.text}`).to.equal(200);
    voice.receipt = /\b[0-9a-f]{24}\b/.exec(sent.text)?.[0] ?? '';
    expect(voice.receipt).to.have.length(24);
    if (door === 'person') voice.who = [person?._id ?? '', `zwperson${n}`, `zwdisplay${n}`];
    if (door === 'hoster') voice.who = isFar ? ['zwfar'] : [hoster?._id ?? '', `zwhandle${n}`, `zwname${n}`];
    if (isFar) voice.who.push(link.split('/').at(-1) ?? '');
    voices.push(voice);
  }

  /** The personal link, as it came to the hoster elsewhere. */
  async function linkFor(): Promise<string> {
    const notes = peer.received.map(({ json }) => json.object as { survey?: { link?: string } } | undefined);
    const link = notes.find((note) => note?.survey?.link)?.survey?.link ?? '';
    expect(link).to.include('/surveys/by-link/');
    return new URL(link).pathname;
  }

  async function readAll(): Promise<{ name: string; seen: Seen[] }[]> {
    const all = [];
    for (const { name, client, starts } of readers) {
      const seen = await crawl(app, client, [...new Set(starts)], name === 'visitor' ? {} : { pagesOnly: true });
      expect(seen.length, name).to.be.greaterThan(10);
      expect(seen.filter(({ status }) => status >= 500).map(({ path }) => path)).to.deep.equal([]);
      all.push({ name, seen });
    }
    return all;
  }

  /** Where each of the words stands: "reader path word". */
  function found(all: { name: string; seen: Seen[] }[], words: readonly string[]): string[] {
    return all.flatMap(({ name, seen }) =>
      seen.flatMap(({ path, text: body, headers }) => {
        const shown = body + JSON.stringify([...headers]);
        return words.filter((word) => shown.includes(word)).map((word) => `${name} ${path} ${word}`);
      }),
    );
  }

  async function inStore(words: readonly string[]): Promise<Set<string>> {
    const { store } = app.house;
    const names = new Set<string>();
    for (const name of await store.listCollections()) {
      const dump = JSON.stringify(await store.collection(name).find({}).toArray());
      if (words.some((word) => dump.includes(word))) names.add(name);
    }
    return names;
  }

  const onWire = () => peer.received.map(({ body, headers }) => body.toString() + JSON.stringify(headers)).join('\n');

  it('are taken, in no order that the doors or names suggest', async () => {
    app.house.pass(3 * 60 * minute);
    beforeAnswers = app.house.now();
    const lines = app.house.logged.length;
    const turns = doors.flatMap((door) => Array.from({ length: 6 }, (_one, n) => ({ door, n, at: randomInt(1e9) })));
    for (const [place, { door, n }] of turns.toSorted((a, b) => a.at - b.at).entries()) {
      app.house.pass(7 * minute);
      await speak(door, n);
      // After four at most, whoever they were: one of the five hosters here is still to be reminded.
      if (place === 3) await remindByHand(app.house, ctx, surveys.hoster._id);
    }
    answering = app.house.logged.slice(lines);
    app.house.pass(7 * minute);
    afterAnswers = app.house.now();
    app.house.pass(3 * 60 * minute);
    await writeDigests(app.house, ctx);
    await tell();
    expect(await ballotsIn(app.house.store).countDocuments({})).to.equal(18);
  });

  it('stand on no page, in no feed, file, object or header while the surveys are open, whoever reads', async () => {
    expect(found(await readAll(), voices.flatMap(secretsOf))).to.deep.equal([]);
  });

  it('leave no line in the log that has a word of them, or says who was there', () => {
    expect(answering.length).to.be.at.least(18);
    const who = voices.flatMap(({ who: names }) => names);
    for (const line of answering) {
      for (const word of [...voices.flatMap(secretsOf), ...who]) expect(line).to.not.include(word);
    }
    for (const line of app.house.logged) {
      for (const word of voices.flatMap(secretsOf)) expect(line).to.not.include(word);
    }
  });

  it('are kept with the ballots and nowhere else: no event, activity, delivery, mail, history, session or limit', async () => {
    const words = voices.flatMap(({ left, right, kept, rare }) => [left, right, kept, ...rare]);
    expect([...(await inStore(words))]).to.deep.equal(['surveyBallots']);
    expect([...(await inStore(voices.map(({ receipt }) => receipt)))]).to.deep.equal([]);
    expect(onWire()).to.not.match(/zq(left|right|kept|rare|other)/);
  });

  it('have no time: nothing was written while they came, but that somebody was signed in', async () => {
    const { store } = app.house;
    const dated = new Set<string>();
    const isWithin = (value: unknown): boolean => {
      if (value instanceof Date) return value >= beforeAnswers && value < afterAnswers;
      return typeof value === 'object' && value !== null && Object.values(value).some(isWithin);
    };
    for (const name of await store.listCollections()) {
      for await (const doc of store.collection(name).find({})) if (isWithin(doc)) dated.add(name);
    }
    // A reminder by hand went out meanwhile: its mails, and the survey that knows of it.
    expect([...dated].filter((name) => !['mails', 'surveys'].includes(name))).to.deep.equal(['sessions']);
    const sessions = JSON.stringify(await store.collection('sessions').find({}).toArray());
    for (const { _id } of Object.values(surveys)) expect(sessions).to.not.include(_id);
    expect((await inStore(['survey.guest', 'session.new'])).size).to.equal(0);
  });

  it('have no order, and nothing in common with the lists of who answered and of what was counted', async () => {
    const { store } = app.house;
    const kept = [ballotsIn(store), turnoutsIn(store), countedIn(store)] as const;
    const lists = await Promise.all(kept.map((one) => one.find({}).toArray()));
    if (process.env.CHATIERE_TEST_ENGINE !== 'mongodb') {
      for (const list of lists) expect(list.map(({ _id }) => _id)).to.deep.equal(list.map(({ _id }) => _id).toSorted());
    }
    for (const [place, list] of lists.entries()) {
      expect(list).to.have.length(18);
      const others = JSON.stringify(lists.filter((_list, other) => other !== place));
      for (const doc of list) {
        expect(others).to.not.include(doc._id);
        expect(
          Object.values(doc).some((value: unknown) => value instanceof Date || typeof value === 'boolean'),
        ).to.equal(false);
      }
    }
    expect(Object.keys(lists[0]?.[0] ?? {}).toSorted()).to.deep.equal(['_id', 'surveyId', 'values', 'version']);
    expect(Object.keys(lists[1]?.[0] ?? {}).toSorted()).to.deep.equal(['_id', 'key', 'surveyId']);
    expect(Object.keys(lists[2]?.[0] ?? {}).toSorted()).to.deep.equal(['_id', 'surveyId']);
  });

  it('stand once in a backup, in the order of ids that chance gave', async () => {
    const file = join(temporaryFolder(), 'copy');
    await app.house.store.backup(file);
    const bytes = readFileSync(file);
    if (bytes.subarray(0, 6).toString() !== 'SQLite') return;
    const ballots = await ballotsIn(app.house.store).find({}).toArray();
    const placeOf = (word: string) => bytes.indexOf(word);
    for (const { left } of voices) expect(bytes.indexOf(left, placeOf(left) + 1), left).to.equal(-1);
    const pages = new Map<number, { at: number; id: string }[]>();
    for (const { _id, values } of ballots) {
      const said = values.left;
      const at = placeOf(said && 'text' in said ? said.text : '?');
      const page = Math.floor(at / 4096);
      pages.set(page, [...(pages.get(page) ?? []), { at, id: _id }]);
    }
    // SQLite fills a page from its end.
    for (const list of pages.values()) {
      const ids = list.sort((a, b) => b.at - a.at).map(({ id }) => id);
      expect(ids).to.deep.equal(ids.toSorted());
    }
  });

  it('are shown after the end to those who organise alone: not what few said, nor beside whom, in the order of letters', async () => {
    for (const { _id } of Object.values(surveys)) await closeSurvey(ctx, _id);
    await tell();
    const all = await readAll();
    expect(found(all, never())).to.deep.equal([]);
    const shown = found(all, [...published(), ...unpublished()]);
    const elsewhere = new RegExp(`^(organiser|administrator) /my/collectives/${owner._id}/surveys/[^/]+/results`);
    expect(shown.filter((one) => !elsewhere.test(one))).to.deep.equal([]);
    for (const word of published())
      expect(
        shown.some((one) => one.endsWith(word)),
        word,
      ).to.equal(true);
    for (const { path, text: body } of all.flatMap(({ seen }) => seen)) {
      if (path.includes('.csv')) continue;
      for (const kind of ['zqleft', 'zqright', 'zqkept']) {
        const words = [...body.matchAll(new RegExp(`${kind}\\w+`, 'g'))].map(([word]) => word);
        expect(words, path).to.deep.equal(words.toSorted());
      }
    }
    expect(onWire()).to.not.match(/zq(left|right|kept|rare|other)/);
  });

  it('come in files of which no row is an answer', async () => {
    const organiser = readers.find(({ name }) => name === 'organiser')?.client ?? app.client();
    let together = 0;
    for (const door of doors) {
      const base = `/my/collectives/${owner._id}/surveys/${surveys[door]._id}/results`;
      for (let tries = 0; tries < 8; tries += 1) {
        const [head, ...rows] = readCsv((await organiser.get(`${base}.csv`)).text, 100);
        expect(head?.slice(0, 3)).to.deep.equal(['Question left', 'Question right', 'Question kept']);
        expect(head?.some((one) => /rare|Autre|Other/.test(one))).to.equal(false);
        together += rows.filter(([left = '', right = '']) => left.slice(6) === right.slice(7)).length;
      }
      const cookie = [...organiser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const ods = await fetch(`${app.url}${base}.ods`, { headers: { cookie } });
      const content = unzipped(Buffer.from(await ods.arrayBuffer()));
      expect(content).to.include('zqleft');
      for (const word of never()) expect(content).to.not.include(word);
      const json = JSON.parse((await organiser.get(`${base}.json`)).text);
      expect(json).to.not.have.property('each');
    }
    // One row in six by chance: 24 of 144.
    expect(together).to.be.lessThan(60);
  });

  it('are published without a name beside them, without what is left out, and without what few said; on the wire too', async () => {
    for (const { _id } of Object.values(surveys)) {
      const { revision } = await getSurvey(app.house.store, _id);
      await publishResults(ctx, _id, { revision, readers: 'public', hidden: ['kept'], notes: {} });
    }
    await tell();
    const all = await readAll();
    expect(found(all, never())).to.deep.equal([]);
    const own = new RegExp(`^(organiser|administrator) /my/collectives/${owner._id}/surveys/`);
    expect(found(all, unpublished()).filter((one) => !own.test(one))).to.deep.equal([]);
    const public_ = found(all, published()).filter((one) => one.startsWith('visitor '));
    expect(public_.filter((one) => !/^visitor \/surveys\/[^/]+\/results/.test(one))).to.deep.equal([]);
    for (const word of published())
      expect(
        public_.some((one) => one.endsWith(word)),
        word,
      ).to.equal(true);
    for (const { name, seen } of all.filter((one) => one.name === 'visitor' || one.name === 'member')) {
      for (const { path, text: body } of seen.filter((one) => /zq(left|right)/.test(one.text))) {
        for (const word of voices.flatMap(({ who }) => who)) expect(body, `${name} ${path}`).to.not.include(word);
      }
    }
    const travelled = onWire();
    expect(travelled)
      .to.include('zqleft')
      .and.not.match(/zq(kept|rare|other)|zw(handle|name|person|display)/);
    for (const word of never()) expect(travelled).to.not.include(word);
    const kept = await inStore([...never(), ...unpublished()]);
    expect([...kept]).to.deep.equal(['surveyBallots']);
  });
});

/** Every file of a zip, one after the other, by its central directory. */
function unzipped(zip: Buffer): string {
  const parts: string[] = [];
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 1)) {
    const [method, size, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(start, start + size);
    parts.push((method === 8 ? inflateRawSync(bytes) : bytes).toString());
  }
  return parts.join('\n');
}
