import { expect } from 'chai';
import fc from 'fast-check';
import { readRuleFile, writeBlocks } from '../../../server/instances/ruleFiles.js';
import { isLimitedPeer, isRefusedPeer, type PeerPolicy, readDomain } from '../../../server/instances/rules.js';
import type { DomainRule, RuleKind } from '../../../server/instances/schema.js';

const policy = (rules: Record<string, RuleKind>, island = false): PeerPolicy => ({
  island,
  kinds: new Map(Object.entries(rules)),
});

describe('the rules about other instances', () => {
  it('read a domain out of whatever is pasted', () => {
    const evil = [
      'evil.org',
      'EVIL.org',
      'evil.org.',
      ' evil.org ',
      'evil.org:8443',
      'https://evil.org/users/x',
      '@bob@evil.org',
      '*.evil.org',
      '.evil.org',
      'ｅｖｉｌ.org',
    ];
    for (const text of evil) expect(readDomain(text), text).to.equal('evil.org');
    expect(readDomain('Évêché.example')).to.equal('xn--vch-9ladd.example');
    expect(readDomain('[::1]')).to.equal('[::1]');
  });

  it('refuse what is no domain, and whole top-level domains', () => {
    for (const text of [
      '',
      ' ',
      'org',
      'localhost',
      'two words.org',
      'https://',
      'e***.org',
      'a..b',
      '*'.repeat(300),
    ]) {
      expect(readDomain(text), text).to.equal(null);
    }
  });

  it('cover a blocked domain in every spelling, and all below it', () => {
    const blocked = policy({ 'evil.org': 'block', 'xn--vch-9ladd.example': 'block' });
    for (const host of [
      'evil.org',
      'EVIL.ORG',
      'evil.org.',
      'sub.evil.org',
      'a.b.evil.org.',
      'evil.org:8443',
      'https://evil.org:8443/u#k',
      'évêché.example',
      'XN--VCH-9LADD.example',
      'ｅｖｉｌ.org',
    ]) {
      expect(isRefusedPeer(blocked, host), host).to.equal(true);
    }
    for (const host of ['notevil.org', 'evil.org.example', 'org', 'good.example', 'https://good.example/evil.org']) {
      expect(isRefusedPeer(blocked, host), host).to.equal(false);
    }
  });

  it('let the nearest rule count', () => {
    const rules = policy({ 'evil.org': 'block', 'good.evil.org': 'allow' });
    expect(isRefusedPeer(rules, 'good.evil.org')).to.equal(false);
    expect(isRefusedPeer(rules, 'x.good.evil.org')).to.equal(false);
    expect(isRefusedPeer(rules, 'bad.evil.org')).to.equal(true);
  });

  it('refuse in island mode whoever is not allowed', () => {
    const island = policy(
      { 'friend.org': 'allow', 'half.friend.org': 'limit', 'bad.friend.org': 'block', 'lone.org': 'limit' },
      true,
    );
    expect(isRefusedPeer(island, 'friend.org')).to.equal(false);
    expect(isRefusedPeer(island, 'sub.friend.org:444')).to.equal(false);
    expect(isRefusedPeer(island, 'half.friend.org')).to.equal(false);
    for (const host of ['bad.friend.org', 'lone.org', 'stranger.org', 'friend.org.evil.org', '']) {
      expect(isRefusedPeer(island, host), host).to.equal(true);
    }
    expect(isLimitedPeer(island, 'half.friend.org')).to.equal(true);
    expect(isLimitedPeer(island, 'friend.org')).to.equal(false);
  });

  it('refuse what cannot be read as a host', () => {
    for (const host of ['', 'a b', 'https://', '::']) expect(isRefusedPeer(policy({}), host), host).to.equal(true);
  });

  it('do not take the end of an address for a domain', () => {
    expect(isRefusedPeer(policy({ '0.1': 'block' }), '127.0.0.1')).to.equal(false);
    expect(isRefusedPeer(policy({ '127.0.0.1': 'block' }), 'http://127.1:80/x')).to.equal(true);
  });

  it('refuse every name under a blocked one, however long', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    fc.assert(
      fc.property(fc.array(label, { maxLength: 6 }), (labels) =>
        isRefusedPeer(policy({ 'evil.org': 'block' }), [...labels, 'evil.org'].join('.')),
      ),
    );
  });
});

describe('a list of rules in a file', () => {
  const rule = (domain: string, kind: RuleKind, publicReason = ''): DomainRule => ({
    ...{ _id: domain, kind, publicReason, privateReason: 'ours alone', by: 'x', at: new Date(0), removedAt: null },
  });

  it('is read in the form of Mastodon, with a reason for each line that is left out', () => {
    const csv = [
      '#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate',
      'evil.org,suspend,TRUE,TRUE,"Spam, and ""worse""",FALSE',
      'loud.org,silence,FALSE,FALSE,,FALSE',
      'media.org,noop,TRUE,FALSE,,FALSE',
      'e***.net,suspend,TRUE,TRUE,,TRUE',
      'EVIL.org.,suspend,,,,',
      'localhost,suspend,,,,',
    ].join('\r\n');
    const rows = readRuleFile(csv, 'allow');
    expect(rows.map(({ line, domain, kind, why }) => [line, domain, kind, why])).to.deep.equal([
      [2, 'evil.org', 'block', null],
      [3, 'loud.org', 'limit', null],
      [4, null, 'allow', 'noop'],
      [5, null, 'block', 'hidden'],
      [6, null, 'block', 'twice'],
      [7, null, 'block', 'notDomain'],
    ]);
    expect(rows[0]?.publicReason).to.equal('Spam, and "worse"');
  });

  it('is read without a header, one domain a line', () => {
    const rows = readRuleFile('one.org\n\n*.two.org\n', 'allow');
    expect(rows.map(({ domain, kind }) => [domain, kind])).to.deep.equal([
      ['one.org', 'allow'],
      ['two.org', 'allow'],
    ]);
  });

  it('is written without private reasons and without formulas, and read again as it was', () => {
    const csv = writeBlocks([rule('evil.org', 'block', '=HYPERLINK("x")'), rule('loud.org', 'limit', 'a,b')]);
    expect(csv).not.to.include('ours alone');
    expect(csv).to.include("'=HYPERLINK");
    const again = readRuleFile(csv, 'allow').map(({ domain, kind }) => [domain, kind]);
    expect(again).to.deep.equal([
      ['evil.org', 'block'],
      ['loud.org', 'limit'],
    ]);
  });
});
