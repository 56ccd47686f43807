import { expect } from 'chai';
import fc from 'fast-check';
import type { Actor } from '../../../server/context.js';
import { exportPerson, personExport } from '../../../server/people/present.js';
import {
  checkMayManagePeople,
  emailKeyOf,
  isAdministrator,
  isLinkOpen,
  isPublicPerson,
  mayEnter,
  mayInvite,
  personErasure,
  safePath,
  stateOfInvitation,
} from '../../../server/people/rules.js';
import { newPassword, type Person, personFields, signInShape } from '../../../server/people/schema.js';

const person = (instanceRole: 'administrator' | 'moderator' | null, memberships = {}): Actor => ({
  kind: 'person',
  personId: 'p',
  username: 'p',
  displayName: 'P',
  instanceRole,
  memberships,
});
const now = new Date('2026-05-21T10:00:00Z');
const before = new Date(now.getTime() - 1);
const after = new Date(now.getTime() + 1);

describe('rules about people', () => {
  it('takes administrators and the machine itself for administrators, nobody else', () => {
    expect(isAdministrator(person('administrator'))).to.equal(true);
    expect(isAdministrator({ kind: 'system', name: 'cli' })).to.equal(true);
    expect(isAdministrator(person('moderator'))).to.equal(false);
    expect(isAdministrator(person(null))).to.equal(false);
    expect(isAdministrator(null)).to.equal(false);
    expect(() => checkMayManagePeople(person('moderator'))).to.throw('not-allowed');
    expect(() => checkMayManagePeople(person('administrator'))).not.to.throw();
  });

  it('lets representatives invite into their own collective, and into nothing else', () => {
    const representative = person(null, { a: 'representative', b: 'member' });
    const into = (id: string, instanceRole: 'moderator' | null = null) => ({
      instanceRole,
      collective: { id, role: 'representative' as const },
    });
    expect(mayInvite(representative, into('a'))).to.equal(true);
    expect(mayInvite(representative, into('b'))).to.equal(false);
    expect(mayInvite(representative, into('c'))).to.equal(false);
    expect(mayInvite(representative, into('a', 'moderator'))).to.equal(false);
    expect(mayInvite(representative, { instanceRole: null, collective: null })).to.equal(false);
    expect(mayInvite(null, into('a'))).to.equal(false);
    expect(mayInvite(person('administrator'), into('c', 'moderator'))).to.equal(true);
  });

  it('shuts out who is disabled or gone, and shows only those who chose it', () => {
    expect(mayEnter({ disabledAt: null, deletedAt: null })).to.equal(true);
    expect(mayEnter({ disabledAt: now, deletedAt: null })).to.equal(false);
    expect(mayEnter({ disabledAt: null, deletedAt: now })).to.equal(false);
    expect(isPublicPerson({ publicProfile: true, disabledAt: null, deletedAt: null })).to.equal(true);
    expect(isPublicPerson({ publicProfile: false, disabledAt: null, deletedAt: null })).to.equal(false);
    expect(isPublicPerson({ publicProfile: true, disabledAt: now, deletedAt: null })).to.equal(false);
  });

  it('knows the four states of an invitation, to the millisecond', () => {
    const open = { usedAt: null, revokedAt: null, expiresAt: after };
    expect(stateOfInvitation(open, now)).to.equal('open');
    expect(stateOfInvitation({ ...open, expiresAt: now }, now)).to.equal('expired');
    expect(stateOfInvitation({ ...open, usedAt: before }, now)).to.equal('used');
    expect(stateOfInvitation({ ...open, revokedAt: before, usedAt: before }, now)).to.equal('revoked');
    expect(isLinkOpen({ usedAt: null, expiresAt: after }, now)).to.equal(true);
    expect(isLinkOpen({ usedAt: null, expiresAt: now }, now)).to.equal(false);
    expect(isLinkOpen({ usedAt: before, expiresAt: after }, now)).to.equal(false);
  });

  it('has one key for one mailbox', () => {
    expect(emailKeyOf(' Camille@Example.ORG ')).to.equal('camille@example.org');
    expect(emailKeyOf('e\u0301mile@example.org')).to.equal('\u00e9mile@example.org');
  });
});

describe('the place to go after sign-in', () => {
  const base = 'https://chatiere.example';
  const refused = [
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https:evil.example',
    'https://evil.example',
    '%2f%2fevil.example',
    'javascript:alert(1)',
    '/.//evil.example',
    '/x/..//evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/me\r\nSet-Cookie: a=b',
    'me',
    '',
    '///evil.example',
    '/%2e%2e//evil.example',
  ];
  for (const next of refused) {
    it(`is the home page for ${JSON.stringify(next)}`, () => expect(safePath(next, base)).to.equal('/'));
  }

  it('is the path that was asked for, with its question', () => {
    expect(safePath('/my/collectives?page=2#x', base)).to.equal('/my/collectives?page=2#x');
    expect(safePath('/x@evil.example', base)).to.equal('/x@evil.example');
  });

  it('is always on this server, as browsers read it', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '@',
      ':',
      '%2f',
      '%5c',
      '\t',
      '\n',
      'https:',
      'evil.example',
      'a',
      '?',
      '#',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const place = safePath(pieces.join(''), base);
        expect(new URL(place, base).origin).to.equal(base);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what is typed as a password', () => {
  const says = (value: string) => newPassword.safeParse(value).error?.issues[0]?.message;

  it('has ten characters or more, whatever they are', () => {
    expect(says('123456789')).to.equal('people.password.tooShort');
    expect(says('1234567890')).to.equal(undefined);
    expect(says('🐈🐈🐈🐈🐈🐈🐈🐈🐈')).to.equal('people.password.tooShort');
    expect(says('     spaces count     ')).to.equal(undefined);
    expect(says('nul\u0000 is a character')).to.equal(undefined);
  });

  it('is refused above 1,024 bytes, also at sign-in', () => {
    expect(says('a'.repeat(1024))).to.equal(undefined);
    expect(says('a'.repeat(1025))).to.equal('people.password.tooLong');
    expect(says('é'.repeat(513))).to.equal('people.password.tooLong');
    expect(signInShape.safeParse({ login: 'a', password: 'é'.repeat(513) }).success).to.equal(false);
  });

  it('is one password, however the keyboard composes its accents', () => {
    expect(newPassword.parse('de\u0301cembre froid')).to.equal('d\u00e9cembre froid');
  });
});

describe('what is known of a person', () => {
  const fields = Object.keys(personFields.shape).sort();
  const full: Person = {
    _id: 'p',
    username: 'canary',
    email: 'canary@example.org',
    emailKey: 'canary@example.org',
    displayName: 'Canary',
    bio: { fr: 'canary', en: 'canary' },
    handle: 'canary',
    publicProfile: true,
    credentials: { password: { hash: 'canary-hash', changedAt: now } },
    sessionEpoch: 3,
    instanceRole: 'moderator',
    language: 'fr',
    timeZone: 'Europe/Paris',
    mailChoices: { sourceFailed: 'off', followRequested: 'at-once' },
    digest: 'weekly',
    addressProblem: { email: 'canary@example.org', at: now, reason: 'canary' },
    showsPictures: true,
    acceptsFollowers: 'by-hand',
    terms: ['canary'],
    invitationId: 'i',
    createdAt: now,
    disabledAt: now,
    deletedAt: null,
  };

  it('has a line for each field in the download and in the erasure', () => {
    expect(Object.keys(personExport).sort()).to.deep.equal(fields);
    expect(Object.keys(personErasure).sort()).to.deep.equal(fields);
    expect(Object.keys(full).sort(), 'the person of this test has every field').to.deep.equal(fields);
  });

  it('is all in the download, except what opens a door', () => {
    const download = exportPerson(full);
    const withheld = Object.entries(personExport).flatMap(([field, rule]) => (rule === 'withheld' ? [field] : []));
    expect(withheld).to.deep.equal(['invitationId']);
    expect(Object.keys(download).sort()).to.deep.equal(fields.filter((field) => field !== 'invitationId'));
    expect(JSON.stringify(download)).not.to.contain('canary-hash');
  });

  it('leaves nothing of who the person was after the erasure, but the name on the Fediverse', () => {
    const left = Object.entries(personErasure).map(([field, rule]) =>
      rule === 'kept' ? full[field as keyof Person] : rule(full, now),
    );
    expect(JSON.stringify(left).replace('"canary"', '')).not.to.match(/canary|Paris|moderator/i);
  });
});
