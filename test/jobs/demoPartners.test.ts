// What `npm run demo` shows of federation: the first hosters of three instances follow one another, and a conversation and a
// group go round among them. Here the instances are three apps in one process, told to work all the time.
import { expect } from 'chai';
import type { DemoInstance } from '../../jobs/demo.js';
import { followEachOther, talk } from '../../jobs/demoPartners.js';
import { groupPostsIn, groupsIn } from '../../server/groups/queries.js';
import { countReactions, followingsIn, mentionsIn, pageFeed } from '../../server/partners/queries.js';
import { openStore } from '../../server/store/openStore.js';
import type { Store } from '../../server/store/store.js';
import { addCollective, type FederatedApp, startFederatedApp } from '../federation/federatedApp.js';
import { temporaryFolder } from '../support/storeSupport.js';

describe('the partners of the demo', function () {
  this.timeout(120_000);
  const firsts = ['ecluse', 'octetsmarais', 'serrecommune'] as const;
  const hosts: string[] = [];
  const apps: FederatedApp[] = [];
  const stores: Store[] = [];
  const instances: DemoInstance[] = [];
  let isOver = false;
  let working: Promise<unknown> = Promise.resolve();

  before(async () => {
    for (const handle of firsts) {
      const dataDir = temporaryFolder();
      const store = await openStore({ dataDir, onScan: 'error' });
      stores.push(store);
      const app = await startFederatedApp({ privateHosts: [], store });
      apps.push(app);
      hosts.push(app.house.site.host);
      await addCollective(app, { handle });
      const { baseUrl } = app;
      const people: DemoInstance['people'] = ['', '', ''];
      instances.push({ key: handle, name: handle, members: [handle], people, port: 0, baseUrl, dataDir });
    }
    for (const { house } of apps) (house.privateHosts as string[]).push(...hosts);
    working = Promise.all(apps.map(work));
  });

  after(async () => {
    isOver = true;
    await working;
    for (const app of apps) await app.stop();
    for (const store of stores) await store.close();
  });

  async function work(app: FederatedApp): Promise<void> {
    while (!isOver) {
      await app.run();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it('follow one another, and talk from instance to instance', async () => {
    const pages = await followEachOther(instances, hosts);
    expect(pages.map((page) => new URL(page).origin)).to.deep.equal(instances.map(({ baseUrl }) => baseUrl));
    const told: string[] = [];
    await talk(instances, hosts, (line) => void told.push(line));
    expect(told).to.have.length(3);
    const iris = instances.map(({ baseUrl, members }) => `${baseUrl}/actors/${members[0]}`);

    for (const [index, app] of apps.entries()) {
      const { store } = app.house;
      const followed = (await followingsIn(store).find({ state: 'accepted' }).toArray()).map((one) => one.followed);
      for (const iri of iris) if (iri !== iris[index]) expect(followed).to.include(iri);
      const feed = JSON.stringify((await pageFeed(store, iris[index] ?? '', {})).items.map(({ post }) => post.content));
      // What each other said, in its own words.
      for (const [at, word] of ['binôme', 'permanence', 'septembre'].entries())
        if (at !== index) expect(feed, firsts[index]).to.include(word);
    }

    // The page that the demo names shows both answers and the like.
    const [home] = apps;
    const post = new URL(told[0]?.split(': ')[1] ?? '').pathname.split('/').at(-1) ?? '';
    const object = `${home?.baseUrl}/objects/${post}`;
    const { store } = home?.house ?? {};
    if (!store) throw new Error('no home');
    const answers = await mentionsIn(store).find({ answered: object, state: 'shown' }).toArray();
    expect(answers.map(({ author }) => author)).to.have.members(iris.slice(1));
    expect(await countReactions(store, object, 'like')).to.equal(1);

    // And the group has its thread, with the comments of the two others.
    const group = await groupsIn(store).findOne({ handle: 'annonces' });
    expect(told[2]).to.include('/@annonces');
    const comments = () =>
      groupPostsIn(store).countDocuments({ groupId: group?._id ?? '', author: { $in: iris.slice(1) } });
    for (let tries = 0; tries < 100 && (await comments()) < 2; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await comments(), 'comments on what the group announced').to.equal(2);
  });
});
