import { expect } from 'chai';
import {
  checkMayCreateCollective,
  checkMayManageCollective,
  isLastRepresentative,
  mayEditCollective,
  mayManageCollective,
  maySeeCollective,
  missingParts,
  partCount,
  purgeDate,
} from '../../../server/collectives/rules.js';
import { emptyProfile } from '../../../server/collectives/schema.js';
import type { Actor, PersonActor } from '../../../server/context.js';
import { DomainError } from '../../../server/errors.js';

const since = new Date(0);
const collective = {
  _id: 'c',
  members: [
    { personId: 'rep', role: 'representative', since } as const,
    { personId: 'mem', role: 'member', since } as const,
  ],
  published: true,
  deletedAt: null as Date | null,
};

function person(personId: string, instanceRole: PersonActor['instanceRole'] = null): PersonActor {
  // Memberships as the actor remembers them count for nothing: the collective's own list does.
  return {
    kind: 'person',
    personId,
    username: personId,
    displayName: personId,
    instanceRole,
    memberships: { c: 'representative' },
  };
}

const actors: Record<string, Actor> = {
  visitor: null,
  stranger: person('x'),
  moderator: person('x', 'moderator'),
  member: person('mem'),
  representative: person('rep'),
  administrator: person('x', 'administrator'),
  system: { kind: 'system', name: 'job:x' },
};

function whoMay(rule: (actor: Actor) => boolean): string {
  return Object.keys(actors)
    .filter((name) => rule(actors[name] ?? null))
    .join(' ');
}

describe('rights in a collective', () => {
  it('lets everybody see what is published', () => {
    expect(whoMay((actor) => maySeeCollective(actor, collective))).to.equal(Object.keys(actors).join(' '));
  });

  it('shows drafts and the bin to members and administrators only', () => {
    const few = 'member representative administrator system';
    expect(whoMay((actor) => maySeeCollective(actor, { ...collective, published: false }))).to.equal(few);
    expect(whoMay((actor) => maySeeCollective(actor, { ...collective, deletedAt: since }))).to.equal(few);
  });

  it('lets members edit, and representatives decide', () => {
    expect(whoMay((actor) => mayEditCollective(actor, collective))).to.equal(
      'member representative administrator system',
    );
    expect(whoMay((actor) => mayManageCollective(actor, collective))).to.equal('representative administrator system');
  });

  it('hides the inside from strangers, and says no to members', () => {
    const answer = (actor: Actor) => {
      try {
        checkMayManageCollective(actor, collective);
        return 'yes';
      } catch (error) {
        return error instanceof DomainError ? error.code : 'fault';
      }
    };
    expect(Object.values(actors).map(answer)).to.deep.equal([
      'not-found',
      'not-found',
      'not-found',
      'not-allowed',
      'yes',
      'yes',
      'yes',
    ]);
  });

  it('lets administrators alone create', () => {
    const may = (actor: Actor) => {
      try {
        checkMayCreateCollective(actor);
        return true;
      } catch {
        return false;
      }
    };
    expect(whoMay(may)).to.equal('administrator system');
  });

  it('knows the last representative', () => {
    expect(isLastRepresentative(collective.members, 'rep')).to.equal(true);
    expect(isLastRepresentative(collective.members, 'mem')).to.equal(false);
    const two = [...collective.members, { personId: 'rep2', role: 'representative', since } as const];
    expect(isLastRepresentative(two, 'rep')).to.equal(false);
  });

  it('keeps the bin for thirty days', () => {
    expect(purgeDate(new Date('2026-05-01T10:00:00Z'))).to.deep.equal(new Date('2026-05-31T10:00:00Z'));
  });
});

describe('what a profile does not say yet', () => {
  it('names every part of an empty profile', () => {
    expect(missingParts(emptyProfile(), false)).to.have.length(partCount);
  });

  it('asks for both languages where people read, and takes either way of contact', () => {
    const profile = emptyProfile();
    profile.tagline = { fr: 'Pads', en: '' };
    profile.contactUrl = 'https://a.example/contact';
    profile.guarantees.noticeDays = 0;
    const missing = missingParts(profile, true);
    expect(missing).to.include('tagline');
    expect(missing).to.not.include.members(['contact']);
    expect(missing).to.not.include.members(['logo']);
    expect(missing).to.not.include.members(['noticeDays']);
  });
});
