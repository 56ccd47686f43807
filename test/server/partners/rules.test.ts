// What may become of a follow: every step and every refusal.
import { expect } from 'chai';
import { DomainError } from '../../../server/errors.js';
import { checkMayDecide, deliveryInbox, followKey, stateAfterFollow } from '../../../server/partners/rules.js';

describe('rules of follows', () => {
  it('accepts at once or asks, and ignores a repeat under the same id', () => {
    expect(stateAfterFollow(null, 'a', 'at-once')).to.equal('accepted');
    expect(stateAfterFollow(null, 'a', 'by-hand')).to.equal('requested');
    for (const state of ['requested', 'accepted', 'rejected', 'undone'] as const) {
      expect(stateAfterFollow({ state, followIri: 'a' }, 'a', 'at-once'), state).to.equal(null);
    }
  });

  it('answers an accepted follower again, and lets others ask again, under a new id', () => {
    expect(stateAfterFollow({ state: 'accepted', followIri: 'a' }, 'b', 'by-hand')).to.equal('accepted');
    expect(stateAfterFollow({ state: 'undone', followIri: 'a' }, 'b', 'by-hand')).to.equal('requested');
    expect(stateAfterFollow({ state: 'rejected', followIri: 'a' }, 'b', 'at-once')).to.equal('accepted');
    expect(stateAfterFollow({ state: 'requested', followIri: 'a' }, 'b', 'by-hand')).to.equal('requested');
  });

  it('decides only what is still open', () => {
    expect(checkMayDecide({ state: 'requested' }, 'accept')).to.deep.equal({ from: 'requested', to: 'accepted' });
    expect(checkMayDecide({ state: 'requested' }, 'reject')).to.deep.equal({ from: 'requested', to: 'rejected' });
    expect(checkMayDecide({ state: 'accepted' }, 'remove')).to.deep.equal({ from: 'accepted', to: 'rejected' });
    for (const [state, decision] of [
      ['accepted', 'accept'],
      ['undone', 'accept'],
      ['accepted', 'reject'],
      ['requested', 'remove'],
      ['rejected', 'remove'],
    ] as const) {
      expect(() => checkMayDecide({ state }, decision))
        .to.throw(DomainError)
        .with.property('code', 'conflict');
    }
  });

  it('knows a pair by both sides, and prefers the shared inbox', () => {
    expect(followKey('a', 'b')).not.to.equal(followKey('b', 'a'));
    expect(followKey('a', 'b')).to.match(/^[0-9a-f]{64}$/);
    expect(deliveryInbox({ inbox: 'i', sharedInbox: null })).to.equal('i');
    expect(deliveryInbox({ inbox: 'i', sharedInbox: 's' })).to.equal('s');
  });
});
