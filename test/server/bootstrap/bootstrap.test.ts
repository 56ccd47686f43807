import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { applyBootstrap } from '../../../server/bootstrap/apply.js';
import { checkBootstrap, readBootstrapFile } from '../../../server/bootstrap/read.js';
import { findServiceBySlug } from '../../../server/catalogue/queries.js';
import { removeMember, updateProfile } from '../../../server/collectives/actions.js';
import { findCollectiveByHandle } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { contextOf } from '../../../server/house.js';
import { readSettings, writeSettings } from '../../../server/instances/settings.js';
import { projectDir } from '../../../server/paths.js';
import { findPersonByUsername } from '../../../server/people/queries.js';
import { deletePost } from '../../../server/posts/actions.js';
import { listPublicPosts } from '../../../server/posts/queries.js';
import { StartError } from '../../../server/startup.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';
import { temporaryFolder } from '../../support/storeSupport.js';

const exampleFile = join(projectDir, 'docs/bootstrap.example.json');

describe('the bootstrap file', () => {
  let house: TestHouse;
  let ctx: Context;
  const t = (key: string) => house.i18n.translator('en')(key, { max: 0, min: 0 });
  const example = () => readBootstrapFile(exampleFile, t);

  beforeEach(async () => {
    house = await buildTestHouse();
    ctx = contextOf(house, { kind: 'system', name: 'bootstrap' });
  });

  async function ecluse(): Promise<Collective> {
    const found = await findCollectiveByHandle(house.store, 'ecluse');
    if (!found) throw new Error('ecluse is not there');
    return found;
  }

  it('makes all that the example declares', async () => {
    const report = await applyBootstrap(ctx, example(), t);
    expect(report).to.deep.equal({ people: 3, collectives: 1, members: 2, services: 1, posts: 1 });
    expect((await readSettings(house.store)).name).to.equal('Les Hébergeurs du Canal');
    expect((await readSettings(house.store)).words.round.fr).to.equal('session d’accueil');
    expect((await findPersonByUsername(house.store, 'camille'))?.instanceRole).to.equal('administrator');
    expect((await findPersonByUsername(house.store, 'robin'))?.instanceRole).to.equal('moderator');
    const collective = await ecluse();
    const sacha = await findPersonByUsername(house.store, 'sacha');
    expect(collective.published).to.equal(true);
    expect(collective.profile.place).to.deep.include({ latitude: 47.998, longitude: 2.733, countryCode: 'FR' });
    expect(collective.profile.funding).to.deep.equal([{ key: 'helloasso', url: 'https://dons.ecluse.example/' }]);
    expect(collective.profile.guarantees.noticeDays).to.equal(90);
    expect(collective.members.map(({ personId, role }) => [personId, role])[0]).to.deep.equal([
      sacha?._id,
      'representative',
    ]);
    const pads = await findServiceBySlug(house.store, collective._id, 'pads');
    expect(pads?.published).to.equal(true);
    expect(pads?.metrics).to.deep.equal([
      { path: 'http.visits', year: 2026, step: 'months', values: [820, 910, 1004, 990, 1120, 1180] },
    ]);
  });

  it('changes nothing the second time', async () => {
    await applyBootstrap(ctx, example(), t);
    const before = await ecluse();
    const report = await applyBootstrap(ctx, example(), t);
    expect(report).to.deep.equal({ people: 0, collectives: 0, members: 0, services: 0, posts: 0 });
    expect(await ecluse()).to.deep.equal(before);
  });

  it('leaves what people changed, took away or deleted as they left it', async () => {
    await applyBootstrap(ctx, example(), t);
    const { _id, version, profile, members } = await ecluse();
    await updateProfile(ctx, _id, { version, profile: { ...profile, tagline: { fr: 'Changé', en: '' } } });
    await removeMember(ctx, _id, members[1]?.personId ?? '');
    const [post] = await listPublicPosts(house.store, _id);
    await deletePost(ctx, _id, post?._id ?? '');
    await writeSettings(house.store, { ...(await readSettings(house.store)), name: 'Autrement' });
    await applyBootstrap(ctx, example(), t);
    const after = await ecluse();
    expect(after.profile.tagline.fr).to.equal('Changé');
    expect(after.members).to.have.length(1);
    expect(await listPublicPosts(house.store, _id)).to.deep.equal([]);
    expect((await readSettings(house.store)).name).to.equal('Autrement');
  });

  it('adds what the file declares anew to what is there', async () => {
    await applyBootstrap(ctx, example(), t);
    const json = exampleWith('collectives.0.services.1', { slug: 'nuage', profile: { name: { fr: 'Nuage' } } });
    (json.people as object[]).push({ username: 'lou', email: 'lou@canal.example' });
    const report = await applyBootstrap(ctx, checkBootstrap('x', json, t), t);
    expect(report).to.deep.equal({ people: 1, collectives: 0, members: 0, services: 1, posts: 0 });
  });

  it('announces no service that existed before the file was read', async () => {
    await applyBootstrap(ctx, example(), t);
    const pads = await findServiceBySlug(house.store, (await ecluse())._id, 'pads');
    expect(pads?.events?.map(({ type }) => type)).not.to.include('service.published');
  });

  const mistakes: [what: string, at: string, value: unknown, path: RegExp][] = [
    [
      'an address that is none',
      'collectives.0.services.0.profile.website',
      'no address',
      /collectives\[0\]\.services\[0\]\.profile\.website: /,
    ],
    [
      'a field of a profile that does not exist',
      'collectives.0.profile.webSite',
      'x',
      /collectives\[0\]\.profile\.webSite: there is no such field/,
    ],
    ['a field that does not exist', 'peoples', [], /peoples/],
    ['a number where a text should be', 'settings.name', 7, /settings\.name: /],
    [
      'a place without longitude',
      'collectives.0.profile.place.longitude',
      null,
      /collectives\[0\]\.profile\.place\.longitude: /,
    ],
    [
      'a row of a list',
      'collectives.0.profile.funding.0.url',
      'javascript:alert(1)',
      /collectives\[0\]\.profile\.funding\[0\]\.url: /,
    ],
    ['a hoster without a name', 'collectives.0.profile.name', { fr: '', en: '' }, /collectives\[0\]\.profile\.name/],
    ['a short password', 'administrator.password', 'short', /administrator\.password: /],
    ['a role that does not exist', 'people.1.instanceRole', 'king', /people\[1\]\.instanceRole: /],
    ['a list that is an object', 'collectives', {}, /collectives: /],
    ['something that is no object', 'collectives.0.services.0', 'pads', /collectives\[0\]\.services\[0\]: /],
  ];
  for (const [what, at, value, path] of mistakes) {
    it(`is refused for ${what}, with its path and in words`, () => {
      const json = exampleWith(at, value);
      expect(() => checkBootstrap('boot.json', json, t)).to.throw(StartError, path);
      expect(() => checkBootstrap('boot.json', json, t)).not.to.throw(/shape\.\w|people\.\w+\.\w|collectives\.error/);
    });
  }

  /** The example with another value at a dotted path. */
  function exampleWith(at: string, value: unknown): Record<string, unknown> {
    const json = JSON.parse(readFileSync(exampleFile, 'utf8')) as Record<string, unknown>;
    const parts = at.split('.');
    const last = parts.pop() ?? '';
    const parent = parts.reduce((node, part) => node[part] as Record<string, unknown>, json);
    parent[last] = value;
    return json;
  }

  it('is refused when nobody has the name of a member, or two people the same address', async () => {
    const stranger = exampleWith('collectives.0.members.1.username', 'nobody');
    await expectRefusal(stranger, /collectives\[0\]\.members\[1\]: nobody is called nobody/);
    const twice = exampleWith('people.2', { username: 'double', email: 'sacha@ecluse.example' });
    await expectRefusal(twice, /people\[2\]/);
  });

  async function expectRefusal(json: unknown, message: RegExp): Promise<void> {
    await applyBootstrap(ctx, checkBootstrap('boot.json', json, t), t).then(
      () => expect.fail('it should have been refused'),
      (error: Error) => {
        expect(error).to.be.instanceOf(StartError);
        expect(error.message).to.match(message);
      },
    );
  }

  it('is refused when it is not there, or is no JSON', () => {
    expect(() => readBootstrapFile(join(temporaryFolder(), 'none.json'), t)).to.throw(StartError, /cannot be read/);
    expect(() => readBootstrapFile(join(projectDir, 'package.json'), t)).to.throw(StartError, /refused/);
    expect(() => readBootstrapFile(join(projectDir, 'LICENSE'), t)).to.throw(StartError, /cannot be read: .*JSON/);
  });
});
