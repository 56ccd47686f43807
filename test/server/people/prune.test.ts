import { expect } from 'chai';
import { invitePerson } from '../../../server/people/actions/invitations.js';
import { requestReset } from '../../../server/people/actions/passwordChange.js';
import { pruneLinks } from '../../../server/people/actions/prune.js';
import { invitationsIn, resetsIn } from '../../../server/people/queries.js';
import { buildTestHouse, contextFor, systemActor } from '../../support/appSupport.js';

const day = 24 * 60 * 60 * 1000;

describe('links that had their time', () => {
  it('go thirty days after their end, unless news of them still waits', async () => {
    const house = await buildTestHouse();
    const visitor = () => contextFor(house, null);
    await requestReset(visitor(), 'nobody@example.org');
    await invitePerson(contextFor(house, systemActor), {
      email: 'noor@example.org',
      instanceRole: null,
      collective: null,
      language: 'fr',
    });
    house.pass(30 * day);
    expect(await pruneLinks(house.store, house.now())).to.equal(0);
    house.pass(day);
    expect(await pruneLinks(house.store, house.now())).to.equal(1);
    expect(await resetsIn(house.store).countDocuments()).to.equal(0);
    house.pass(14 * day);
    expect(await pruneLinks(house.store, house.now()), 'its mail was not written yet').to.equal(0);
    await invitationsIn(house.store).updateMany({}, { $set: { events: [] } });
    expect(await pruneLinks(house.store, house.now())).to.equal(1);
  });
});
