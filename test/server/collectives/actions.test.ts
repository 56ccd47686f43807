import { expect } from 'chai';
import {
  addMember,
  changeRole,
  changeSettings,
  createCollective,
  deleteCollective,
  leaveAllCollectives,
  publishCollective,
  purgeDeleted,
  removeLogo,
  removeMember,
  restoreCollective,
  setLogo,
  setStatus,
  unpublishCollective,
  updateProfile,
  upsertCollectiveFromImport,
} from '../../../server/collectives/actions.js';
import { collectivesOf, findCollective, getCollective } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { claimHandle, findHandle } from '../../../server/handles/handles.js';
import { recordChange } from '../../../server/history/actions.js';
import { listChanges } from '../../../server/history/queries.js';
import { publishPost } from '../../../server/posts/actions.js';
import { countPublicPosts } from '../../../server/posts/queries.js';
import { keepImage } from '../../../server/uploads/actions.js';
import { findUpload, uploadsOf } from '../../../server/uploads/queries.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  systemActor,
  type TestHouse,
} from '../../support/appSupport.js';
import { jpeg, png } from '../uploads/pictures.js';
import { buildCollective, buildMember, eventsOf, lastChange, refusalOf } from './collectiveSupport.js';

const day = 24 * 60 * 60 * 1000;
const stranger = 'not-found error.notFound';
const notMine = 'not-allowed collectives.error.representativesOnly';
const inBin = 'closed collectives.error.inBin';

describe('deeds on collectives', () => {
  let house: TestHouse;
  let system: Context;

  before(async () => {
    house = await buildTestHouse();
  });
  beforeEach(() => {
    system = contextFor(house, systemActor);
  });

  const reload = (collective: Collective) => getCollective(house.store, collective._id);
  const newest = async (collective: Collective) => (await eventsOf(house, 'collectives', collective._id)).at(-1);

  describe('creating', () => {
    it('makes a draft whose creator represents it, with its news and its first line of history', async () => {
      const person = await buildPerson(house, { instanceRole: 'administrator', password: null });
      const ctx = contextFor(house, await actorFor(house, person));
      const name = { fr: 'Éclusée', en: '' };
      const { _id } = await createCollective(ctx, { handle: 'eclusee', name, legalForm: 'COOPERATIVE' });
      const collective = await findCollective(house.store, _id);
      expect(collective?.published).to.equal(false);
      expect(collective?.members).to.deep.equal([{ personId: person._id, role: 'representative', since: ctx.now }]);
      expect(collective?.sortName).to.equal('eclusee');
      expect(collective?.terms).to.deep.equal(['eclusee']);
      expect((await findHandle(house.store, 'eclusee'))?.ownerId).to.equal(_id);
      const [event] = await eventsOf(house, 'collectives', _id);
      expect(event).to.deep.include({ type: 'collective.created', collectiveId: _id, at: ctx.now });
      expect(event?.change).to.deep.equal({
        subject: 'collective',
        subjectId: _id,
        collectiveId: _id,
        by: person._id,
        what: 'created',
        fields: [
          { path: 'handle', before: null, after: 'eclusee' },
          { path: 'name.fr', before: '', after: 'Éclusée' },
          { path: 'legalForm', before: 'ASSOCIATION', after: 'COOPERATIVE' },
        ],
      });
    });

    it('is for administrators', async () => {
      const { ctx } = await buildMember(house, 'representative');
      const input = { handle: 'mine', name: { fr: 'a', en: '' }, legalForm: 'OTHER' } as const;
      const refusal = 'not-allowed collectives.error.administratorsOnly';
      expect(await refusalOf(createCollective(ctx, input))).to.equal(refusal);
      expect(await refusalOf(createCollective(contextFor(house, null), input))).to.equal(refusal);
      expect(await findHandle(house.store, 'mine')).to.equal(null);
    });

    it('refuses a name that is taken, reserved or not a name, and stores nothing', async () => {
      await claimHandle(system, 'taken', 'person', 'somebody');
      const before = await collectivesOf(house.store).countDocuments();
      const create = (handle: string) =>
        refusalOf(createCollective(system, { handle, name: { fr: 'a', en: '' }, legalForm: 'OTHER' }));
      expect(await create('taken')).to.equal('conflict handle.taken');
      expect(await create('admin')).to.equal('invalid handle.invalid');
      expect(await create('a b')).to.equal('invalid handle.invalid');
      expect(await collectivesOf(house.store).countDocuments()).to.equal(before);
    });
  });

  describe('changing the profile', () => {
    it('stores it with what differs, in one write', async () => {
      const { collective, ctx, person } = await buildMember(house, 'member');
      const profile = { ...collective.profile, name: { fr: 'Zèbre', en: '' }, website: 'https://a.example/' };
      const saved = await updateProfile(ctx, collective._id, { version: 1, profile });
      expect(saved).to.deep.include({ profile, version: 2, sortName: 'zebre' });
      expect(saved.terms).to.include('zebre');
      expect(saved.events).to.have.length(2);
      expect(await lastChange(house, collective._id)).to.deep.include({
        by: person._id,
        what: 'updated',
        fields: [
          { path: 'name.fr', before: collective.profile.name.fr, after: 'Zèbre' },
          { path: 'name.en', before: collective.profile.name.en, after: '' },
          { path: 'website', before: null, after: 'https://a.example/' },
        ],
      });
    });

    it('tells nothing when nothing differs', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const same = await updateProfile(ctx, collective._id, {
        version: 1,
        profile: structuredClone(collective.profile),
      });
      expect(same.version).to.equal(1);
      expect(await eventsOf(house, 'collectives', collective._id)).to.have.length(1);
    });

    it('refuses a page that has become old, and keeps what the other saved', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const withSite = (website: string) => ({ version: 1, profile: { ...collective.profile, website } });
      await updateProfile(ctx, collective._id, withSite('https://first.example/'));
      const refusal = await refusalOf(updateProfile(ctx, collective._id, withSite('https://second.example/')));
      expect(refusal).to.equal('conflict collectives.error.changedMeanwhile');
      expect((await reload(collective)).profile.website).to.equal('https://first.example/');
    });

    it('lets one of many changes at the same moment through', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const sites = Array.from({ length: 10 }, (_, n) => `https://${n}.example/`);
      const outcomes = await Promise.all(
        sites.map((website) =>
          refusalOf(updateProfile(ctx, collective._id, { version: 1, profile: { ...collective.profile, website } })),
        ),
      );
      expect(outcomes.filter((one) => one === 'done')).to.have.length(1);
      expect((await reload(collective)).version).to.equal(2);
      expect(await eventsOf(house, 'collectives', collective._id)).to.have.length(2);
    });

    it('is not for strangers, nor for the bin', async () => {
      const { collective, ctx } = await buildMember(house, 'representative');
      const other = await buildMember(house, 'representative');
      const input = { version: 1, profile: collective.profile };
      expect(await refusalOf(updateProfile(other.ctx, collective._id, input))).to.equal(stranger);
      expect(await refusalOf(updateProfile(other.ctx, '0198-none', input))).to.equal(stranger);
      await deleteCollective(ctx, collective._id, collective.handle);
      expect(await refusalOf(updateProfile(ctx, collective._id, { ...input, version: 2 }))).to.equal(inBin);
    });

    it('says that a hoster pauses', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const statusDescription = { fr: 'Jusqu’en juin', en: '' };
      const input = { version: 1, status: 'IDLE', statusDescription, endDate: null } as const;
      const saved = await setStatus(ctx, collective._id, input);
      expect(saved.profile).to.deep.include({ status: 'IDLE', statusDescription });
      expect(await refusalOf(setStatus(ctx, collective._id, input))).to.equal(
        'conflict collectives.error.changedMeanwhile',
      );
    });

    it('takes over what a file says, and leaves alone what it does not name', async () => {
      const { collective, ctx } = await buildMember(house, 'member', { profile: { website: 'https://kept.example/' } });
      const unknown = [{ key: 'organization.mood', value: 'fine' }];
      await updateProfile(ctx, collective._id, {
        version: 1,
        profile: { ...collective.profile, contactEmail: 'a@b.example' },
      });
      await upsertCollectiveFromImport(ctx, collective._id, { legalForm: 'COMPANY' }, unknown);
      const saved = await reload(collective);
      expect(saved.profile).to.deep.include({
        legalForm: 'COMPANY',
        website: 'https://kept.example/',
        contactEmail: 'a@b.example',
      });
      expect(saved.unknownProperties).to.deep.equal(unknown);
      expect(await lastChange(house, collective._id)).to.deep.include({
        what: 'imported',
        fields: [
          { path: 'legalForm', before: 'ASSOCIATION', after: 'COMPANY' },
          { path: 'unknownProperties', before: [], after: unknown },
        ],
      });
      const again = await upsertCollectiveFromImport(ctx, collective._id, { legalForm: 'COMPANY' }, unknown);
      expect(again.version).to.equal(saved.version);
      const other = await buildMember(house, 'representative');
      expect(await refusalOf(upsertCollectiveFromImport(other.ctx, collective._id, {}, []))).to.equal(stranger);
    });
  });

  describe('publishing', () => {
    it('goes out and back, once each', async () => {
      const { collective, ctx } = await buildMember(house, 'representative', { published: false });
      await publishCollective(ctx, collective._id);
      await publishCollective(ctx, collective._id);
      expect((await reload(collective)).published).to.equal(true);
      await unpublishCollective(ctx, collective._id);
      expect((await reload(collective)).published).to.equal(false);
      const whats = (await eventsOf(house, 'collectives', collective._id)).map((event) => event.change?.what);
      expect(whats).to.deep.equal(['created', 'published', 'unpublished']);
    });

    it('is a member’s deed; taking the page back is not', async () => {
      const { collective, ctx } = await buildMember(house, 'member', { published: false });
      await publishCollective(ctx, collective._id);
      expect(await refusalOf(unpublishCollective(ctx, collective._id))).to.equal(notMine);
      expect((await reload(collective)).published).to.equal(true);
    });

    it('is not for strangers, nor for the bin', async () => {
      const { collective, ctx } = await buildMember(house, 'representative', { published: false });
      const other = await buildMember(house, 'representative');
      expect(await refusalOf(publishCollective(other.ctx, collective._id))).to.equal(stranger);
      expect(await refusalOf(unpublishCollective(other.ctx, collective._id))).to.equal(stranger);
      await deleteCollective(ctx, collective._id, collective.handle);
      expect(await refusalOf(publishCollective(ctx, collective._id))).to.equal(inBin);
    });
  });

  describe('settings', () => {
    it('are for representatives', async () => {
      const { collective, ctx } = await buildMember(house, 'representative');
      const input = { version: 1, acceptsFollowers: 'by-hand' } as const;
      expect((await changeSettings(ctx, collective._id, input)).acceptsFollowers).to.equal('by-hand');
      expect(await refusalOf(changeSettings(ctx, collective._id, input))).to.equal(
        'conflict collectives.error.changedMeanwhile',
      );
      const plain = await buildMember(house, 'member');
      expect(await refusalOf(changeSettings(plain.ctx, plain.collective._id, input))).to.equal(notMine);
      expect(await refusalOf(changeSettings(plain.ctx, collective._id, input))).to.equal(stranger);
    });
  });

  describe('the bin', () => {
    it('takes a collective whose name was typed, and gives it back as it was', async () => {
      const { collective, ctx } = await buildMember(house, 'representative');
      expect(await refusalOf(deleteCollective(ctx, collective._id, 'another'))).to.equal(
        'invalid collectives.error.otherHandle',
      );
      await deleteCollective(ctx, collective._id, `@${collective.handle.toUpperCase()}`);
      expect((await newest(collective))?.type).to.equal('collective.deleted');
      expect(await refusalOf(deleteCollective(ctx, collective._id, collective.handle))).to.equal(inBin);
      const back = await restoreCollective(ctx, collective._id);
      expect(back.published).to.equal(true);
      expect((await newest(collective))?.type).to.equal('collective.restored');
      const { version } = await restoreCollective(ctx, collective._id);
      expect(version).to.equal(back.version);
    });

    it('is for representatives', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const other = await buildMember(house, 'representative');
      expect(await refusalOf(deleteCollective(ctx, collective._id, collective.handle))).to.equal(notMine);
      expect(await refusalOf(deleteCollective(other.ctx, collective._id, collective.handle))).to.equal(stranger);
      await deleteCollective(system, collective._id, collective.handle);
      expect(await refusalOf(restoreCollective(ctx, collective._id))).to.equal(notMine);
      expect(await refusalOf(restoreCollective(other.ctx, collective._id))).to.equal(stranger);
    });

    it('is emptied of what lies there longer than thirty days, with all that belongs to it', async () => {
      const own = await buildTestHouse();
      const { collective, ctx } = await buildMember(own, 'representative');
      await setLogo(ctx, collective._id, png);
      await publishPost(ctx, collective._id, { fr: 'a', en: '' });
      await deleteCollective(ctx, collective._id, collective.handle);
      const untouched = await buildMember(own, 'representative');
      await drainInto(own, collective._id);
      const others: string[] = [];
      const purge = async (at: number) => {
        own.pass(at);
        return purgeDeleted(contextFor(own, systemActor), [async (_, id) => void others.push(id)]);
      };

      expect(await purge(30 * day)).to.equal(0);
      expect(await purge(1)).to.equal(1);
      expect(await purge(1)).to.equal(0);

      expect(others).to.deep.equal([collective._id]);
      expect(await findCollective(own.store, collective._id)).to.equal(null);
      expect(await findCollective(own.store, untouched.collective._id)).to.not.equal(null);
      expect(await uploadsOf(own.store).countDocuments()).to.equal(0);
      expect(await countPublicPosts(own.store, collective._id)).to.equal(0);
      expect(await listChanges(own.store, { collectiveId: collective._id })).to.deep.equal([]);
      expect((await findHandle(own.store, collective.handle))?.retiredAt).to.deep.equal(
        new Date(own.now().getTime() - 1),
      );
    });

    it('is not emptied of what still has news to tell', async () => {
      const own = await buildTestHouse();
      const { collective, ctx } = await buildMember(own, 'representative');
      await deleteCollective(ctx, collective._id, collective.handle);
      own.pass(31 * day);
      expect(await purgeDeleted(contextFor(own, systemActor))).to.equal(0);
      expect(await findCollective(own.store, collective._id)).to.not.equal(null);
    });

    it('gives nothing back once the thirty days have passed', async () => {
      const own = await buildTestHouse();
      const { collective, ctx } = await buildMember(own, 'representative');
      await deleteCollective(ctx, collective._id, collective.handle);
      own.pass(30 * day);
      const late = restoreCollective({ ...ctx, now: own.now() }, collective._id);
      expect(await refusalOf(late)).to.equal('gone collectives.error.tooLateToRestore');
    });
  });

  describe('members', () => {
    it('come, change their role and go, each with a line of history', async () => {
      const { collective, ctx } = await buildMember(house, 'representative');
      const personId = (await buildPerson(house, { password: null }))._id;
      await addMember(ctx, collective._id, { personId, role: 'member' });
      await changeRole(ctx, collective._id, { personId, role: 'representative' });
      const { version } = await changeRole(ctx, collective._id, { personId, role: 'representative' });
      await removeMember(ctx, collective._id, personId);
      expect(version).to.equal(3);
      expect((await reload(collective)).members).to.have.length(1);
      const path = `members.${personId}`;
      const lines = (await eventsOf(house, 'collectives', collective._id))
        .slice(1)
        .map((event) => event.change?.fields);
      expect(lines).to.deep.equal([
        [{ path, before: null, after: 'member' }],
        [{ path, before: 'member', after: 'representative' }],
        [{ path, before: 'representative', after: null }],
      ]);
    });

    it('are the business of representatives; plain members may only leave', async () => {
      const { collective, ctx, person } = await buildMember(house, 'member');
      const other = await buildMember(house, 'representative');
      const { _id } = collective;
      const personId = person._id;
      await addMember(system, _id, { personId: 'else', role: 'member' });
      const promote = { personId, role: 'representative' } as const;
      expect(await refusalOf(addMember(ctx, _id, { personId: 'x', role: 'member' }))).to.equal(notMine);
      expect(await refusalOf(changeRole(ctx, _id, promote))).to.equal(notMine);
      expect(await refusalOf(removeMember(ctx, _id, 'else'))).to.equal(notMine);
      expect(await refusalOf(addMember(other.ctx, _id, promote))).to.equal(stranger);
      expect(await refusalOf(changeRole(other.ctx, _id, promote))).to.equal(stranger);
      expect(await refusalOf(removeMember(other.ctx, _id, personId))).to.equal(stranger);
      expect(await refusalOf(removeMember(other.ctx, _id, other.person._id))).to.equal(stranger);
      await removeMember(ctx, _id, personId);
      expect((await reload(collective)).members.map((member) => member.personId)).to.deep.equal(['else']);
      expect(await refusalOf(removeMember(ctx, _id, personId))).to.equal(stranger);
    });

    it('refuses who is there already, who is not there, and changes in the bin', async () => {
      const { collective, ctx, person } = await buildMember(house, 'representative');
      const { _id } = collective;
      const again = { personId: person._id, role: 'member' } as const;
      expect(await refusalOf(addMember(ctx, _id, again))).to.equal('conflict collectives.error.memberAlready');
      const nobody = 'not-found collectives.error.noSuchMember';
      expect(await refusalOf(changeRole(ctx, _id, { personId: 'x', role: 'member' }))).to.equal(nobody);
      expect(await refusalOf(removeMember(ctx, _id, 'x'))).to.equal(nobody);
      await deleteCollective(ctx, _id, collective.handle);
      expect(await refusalOf(addMember(ctx, _id, { personId: 'x', role: 'member' }))).to.equal(inBin);
      expect(await refusalOf(changeRole(ctx, _id, again))).to.equal(inBin);
    });

    it('always leaves a representative, even when two step down at the same moment', async () => {
      const { collective, ctx, person } = await buildMember(house, 'representative');
      const { _id } = collective;
      const last = 'closed collectives.error.lastRepresentative';
      const down = { personId: person._id, role: 'member' } as const;
      expect(await refusalOf(changeRole(ctx, _id, down))).to.equal(last);
      expect(await refusalOf(removeMember(ctx, _id, person._id))).to.equal(last);
      expect(await refusalOf(removeMember(system, _id, person._id))).to.equal(last);

      const second = await buildPerson(house, { password: null });
      await addMember(ctx, _id, { personId: second._id, role: 'representative' });
      const secondCtx = contextFor(house, await actorFor(house, second));
      const outcomes = await Promise.all([
        refusalOf(changeRole(ctx, _id, down)),
        refusalOf(removeMember(secondCtx, _id, second._id)),
      ]);
      expect(outcomes.sort()).to.deep.equal([last, 'done']);
    });

    it('counts a role that was taken away in between as gone', async () => {
      const { collective, ctx, person } = await buildMember(house, 'representative');
      await addMember(system, collective._id, { personId: 'other', role: 'representative' });
      await changeRole(system, collective._id, { personId: person._id, role: 'member' });
      expect(await refusalOf(removeMember(ctx, collective._id, 'other'))).to.equal(notMine);
    });

    it('lets a person who goes for good leave everywhere', async () => {
      const { collective, person } = await buildMember(house, 'representative');
      const second = await buildCollective(house, { members: [{ personId: person._id, role: 'member' }] });
      await leaveAllCollectives(system, person._id);
      for (const one of [collective, second]) expect((await reload(one)).members).to.deep.equal([]);
    });
  });

  describe('the logo', () => {
    it('is kept without anything but the picture, replaces the one before, and can be taken off', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const first = await setLogo(ctx, collective._id, Buffer.concat([png, Buffer.from('hidden')]));
      const upload = await findUpload(house.store, first.logoId ?? '');
      expect(Buffer.from(upload?.bytes ?? []).equals(png)).to.equal(true);
      expect(upload).to.deep.include({ collectiveId: collective._id, type: 'image/png', width: 6, height: 4 });
      const second = await setLogo(ctx, collective._id, jpeg);
      expect(second.logoId).to.not.equal(first.logoId);
      expect(await findUpload(house.store, first.logoId ?? '')).to.equal(null);
      expect((await removeLogo(ctx, collective._id)).logoId).to.equal(null);
      expect(await uploadsOf(house.store).countDocuments({ collectiveId: collective._id })).to.equal(0);
      expect((await lastChange(house, collective._id))?.fields).to.deep.equal([
        { path: 'logo', before: true, after: false },
      ]);
    });

    it('sweeps away what a crash left behind, but not an upload that goes on at the same time', async () => {
      const { collective, ctx } = await buildMember(house, 'member');
      const lost = await keepImage(ctx, collective._id, png);
      house.pass(2 * 60 * 60 * 1000);
      const now = { ...ctx, now: house.now() };
      const going = await keepImage(now, collective._id, jpeg);
      await setLogo(now, collective._id, png);
      expect(await findUpload(house.store, lost._id)).to.equal(null);
      expect(await findUpload(house.store, going._id)).to.not.equal(null);
    });

    it('is refused when it is no picture, to strangers, and in the bin, and nothing is kept', async () => {
      const { collective, ctx } = await buildMember(house, 'representative');
      const other = await buildMember(house, 'representative');
      expect(await refusalOf(setLogo(ctx, collective._id, Buffer.from('<svg/>')))).to.equal(
        'invalid uploads.error.type',
      );
      expect(await refusalOf(setLogo(other.ctx, collective._id, png))).to.equal(stranger);
      expect(await refusalOf(removeLogo(other.ctx, collective._id))).to.equal(stranger);
      await deleteCollective(ctx, collective._id, collective.handle);
      expect(await refusalOf(setLogo(ctx, collective._id, png))).to.equal(inBin);
      expect(await refusalOf(removeLogo(ctx, collective._id))).to.equal(inBin);
      expect(await uploadsOf(house.store).countDocuments({ collectiveId: collective._id })).to.equal(0);
    });
  });

  /** As the drain does: history takes its lines, then the events leave the document. */
  async function drainInto(own: TestHouse, id: string): Promise<void> {
    for (const event of await eventsOf(own, 'collectives', id)) await recordChange(own.store, event);
    await collectivesOf(own.store).updateOne({ _id: id }, { $unset: { events: '' } });
  }
});
