import { expect } from 'chai';
import type { Change, PendingEvent } from '../../../server/events.js';
import { forgetChanges, recordChange } from '../../../server/history/actions.js';
import { excerpts, presentChange } from '../../../server/history/present.js';
import { changesOf, listChanges, type StoredChange } from '../../../server/history/queries.js';
import { newId } from '../../../server/ids.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../../support/appSupport.js';

describe('the history', () => {
  let house: TestHouse;
  const collectiveId = newId();

  before(async () => {
    house = await buildTestHouse();
  });

  function eventWith(change?: Partial<Change>): PendingEvent {
    const full: Change = {
      subject: 'collective',
      subjectId: collectiveId,
      collectiveId,
      by: 'somebody',
      what: 'updated',
      fields: [],
      ...change,
    };
    const event = { type: 'collective.updated', collectiveId, eventId: newId(), at: house.now() } as const;
    return change === undefined ? event : { ...event, change: full };
  }

  it('keeps the line of an event once, however often it is handed over', async () => {
    const event = eventWith({ fields: [{ path: 'website', before: null, after: 'https://a.example/' }] });
    await recordChange(house.store, event);
    await recordChange(house.store, event);
    expect(await changesOf(house.store).find({ _id: event.eventId }).toArray()).to.deep.equal([
      { _id: event.eventId, at: event.at, ...event.change },
    ]);
  });

  it('passes over events that changed nothing worth a line', async () => {
    const before = await changesOf(house.store).countDocuments();
    await recordChange(house.store, eventWith());
    expect(await changesOf(house.store).countDocuments()).to.equal(before);
  });

  it('lists the newest first, of one collective, of one thing, from a line on', async () => {
    const own = newId();
    const events = [1, 2, 3, 4].map((n) =>
      eventWith({ collectiveId: own, subjectId: n === 2 ? 'service' : own, by: String(n) }),
    );
    for (const event of events) await recordChange(house.store, event);
    const by = async (search: object) =>
      (await listChanges(house.store, { collectiveId: own, ...search })).map((line) => line.by).join('');
    expect(await by({})).to.equal('4321');
    expect(await by({ limit: 2 })).to.equal('43');
    expect(await by({ subjectId: 'service' })).to.equal('2');
    expect(await by({ before: events[2]?.eventId })).to.equal('21');
    await forgetChanges(contextFor(house, systemActor), own);
    expect(await by({})).to.equal('');
  });

  describe('in words', () => {
    const present = (change: Partial<StoredChange>, language: 'fr' | 'en' = 'en') =>
      presentChange(
        {
          _id: newId(),
          at: house.now(),
          subject: 'collective',
          subjectId: collectiveId,
          collectiveId,
          by: 'sam',
          what: 'updated',
          fields: [],
          ...change,
        },
        {
          i18n: house.i18n,
          language,
          t: house.i18n.translator(language),
          names: new Map([['sam', 'Sam']]),
          subjects: new Map([[collectiveId, 'L’Écluse']]),
        },
      );
    const field = (path: string, before: unknown, after: unknown, language: 'fr' | 'en' = 'en') =>
      present({ fields: [{ path, before, after }] }, language).fields[0];

    it('says what was done to what, by whom', () => {
      expect(present({})).to.deep.include({ what: 'Changed: L’Écluse', by: 'Sam' });
      expect(present({ by: 'gone' }).by).to.equal('Deleted account');
      expect(present({ by: 'system:job:refreshSources' }, 'fr').by).to.equal('Tâche automatique');
      expect(present({ subject: 'service', subjectId: 'x' }).what).to.equal('Changed: an erased service');
    });

    it('names fields and values as their form does', () => {
      expect(field('legalForm', 'COMPANY', 'OTHER')).to.deep.equal({
        label: 'Legal form',
        before: 'Company',
        after: 'Other',
      });
      expect(field('name.fr', '', 'A', 'fr')).to.deep.equal({ label: 'Nom (français)', before: '', after: 'A' });
      expect(field('startDate', null, '2019-04-01')?.after).to.equal('April 1, 2019');
      expect(field('place.countryCode', 'FR', 'BE', 'fr')).to.deep.include({ before: 'France', after: 'Belgique' });
      expect(field('members.sam', null, 'member')).to.deep.equal({ label: 'Sam', before: '', after: 'Member' });
      expect(field('logo', false, true)).to.deep.include({ before: 'no', after: 'yes' });
      expect(field('place.latitude', null, 47.998, 'fr')?.after).to.equal('47,998');
      const row = { key: 'chatons', startDate: '2024-05-12', endDate: null, status: 'ACTIVE', statusDescription: '' };
      expect(field('memberOf', [], [row])?.after).to.equal('chatons · May 12, 2024 · Active');
      expect(field('not.known', 1, null)?.label).to.equal('not.known');
    });

    it('shows of long texts what differs, with some words around', () => {
      const text = (word: string) => `${'avant '.repeat(60)}${word}${' après'.repeat(60)}`;
      const [before, after] = excerpts(text('chat'), text('chien'));
      expect(before).to.match(/^… [avnt ]{20,50}chat.{20,50} …$/);
      expect(after).to.match(/^… [avnt ]{20,50}chien.{20,50} …$/);
      expect(excerpts('', 'neuf')).to.deep.equal(['', 'neuf']);
      expect(excerpts('a'.repeat(300), 'a'.repeat(301))[1]).to.match(/^… a{40,41}$/);
    });
  });
});
