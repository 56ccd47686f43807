// TABLE: who may do what in a group, in each of its states.
import { expect } from 'chai';
import fc from 'fast-check';
import {
  checkMayWrite,
  groupKey,
  mayModerate,
  mayWrite,
  readLines,
  type Standing,
} from '../../../server/groups/rules.js';
import type { Group } from '../../../server/groups/schema.js';

const nobody: Standing = { isModerator: false, isFollower: false, isLocalHoster: false, isLimited: false };
const restricted = { closedAt: null, deletedAt: null, postingRestrictedToMods: true };
const free = { ...restricted, postingRestrictedToMods: false };
const closed = { ...free, closedAt: new Date() };
const deleted = { ...free, deletedAt: new Date() };

const who: Record<string, Standing> = {
  stranger: nobody,
  follower: { ...nobody, isFollower: true },
  hoster: { ...nobody, isLocalHoster: true },
  moderator: { ...nobody, isModerator: true },
  'limited follower': { ...nobody, isFollower: true, isLimited: true },
  'limited moderator': { ...nobody, isModerator: true, isLimited: true },
};

/** begin, comment: where moderators begin threads; then where everybody does. */
const table: [string, boolean, boolean, boolean, boolean][] = [
  ['stranger', false, false, false, false],
  ['follower', false, true, true, true],
  ['hoster', false, true, true, true],
  ['moderator', true, true, true, true],
  ['limited follower', false, false, false, false],
  ['limited moderator', false, false, false, false],
];

describe('the rules of groups', () => {
  for (const [name, ...wanted] of table) {
    it(`let a ${name} do what is theirs, and nothing once it is closed or deleted`, () => {
      const standing = who[name] ?? nobody;
      const outcomes = [restricted, free].flatMap((group) =>
        (['begin', 'comment'] as const).map((deed) => mayWrite(group, standing, deed)),
      );
      expect(outcomes).to.deep.equal(wanted);
      for (const group of [closed, deleted])
        for (const deed of ['begin', 'comment'] as const) expect(mayWrite(group, standing, deed)).to.equal(false);
    });
  }

  it('say why, to those who can be told', () => {
    expect(() => checkMayWrite(closed as Group, who.moderator ?? nobody, 'begin')).to.throw('groups.error.closed');
    expect(() => checkMayWrite(restricted as Group, who.hoster ?? nobody, 'begin')).to.throw(
      'groups.error.moderatorsOnly',
    );
    expect(() => checkMayWrite(restricted as Group, who.hoster ?? nobody, 'comment')).not.to.throw();
  });

  it('let moderators of the instance take posts out, and no other person', () => {
    const person = { kind: 'person' as const, personId: 'p', username: 'u', displayName: 'U', memberships: {} };
    expect(mayModerate(null)).to.equal(false);
    expect(mayModerate({ ...person, instanceRole: null })).to.equal(false);
    expect(mayModerate({ ...person, instanceRole: 'moderator' })).to.equal(true);
    expect(mayModerate({ ...person, instanceRole: 'administrator' })).to.equal(true);
  });

  it('read addresses one a line, each once', () => {
    expect(readLines(' @a@x.example \r\n@b@x.example, @a@x.example;;\n\n')).to.deep.equal([
      '@a@x.example',
      '@b@x.example',
    ]);
  });

  it('give every post in every group a key of its own', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.webUrl(), fc.webUrl(), (one, other, a, b) => {
        expect(groupKey(one, a)).to.match(/^[0-9a-f]{64}$/);
        expect(groupKey(one, a) === groupKey(other, b)).to.equal(one === other && a === b);
      }),
    );
  });
});
