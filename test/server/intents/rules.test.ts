// From an account to a page of its own server, and to no other.
import { expect } from 'chai';
import fc from 'fast-check';
import { intentAddress, type Jrd, readAccount, readJrd } from '../../../server/intents/rules.js';
import { type Wish, wishes } from '../../../server/intents/schema.js';

const object = 'https://us.example/objects/1?a=b&c=d#e';
const encoded = encodeURIComponent(object);
const jrdOf = (...links: [rel: string, template: string][]): Jrd => ({
  links: links.map(([rel, template]) => ({ rel, template, href: '' })),
});
const fep = (name: string) => `https://w3id.org/fep/3b86/${name}`;
const subscribe = 'http://ostatus.org/schema/1.0/subscribe';
const lead = (jrd: Jrd, wish: Wish, hosts = ['you.example'], insecure: string[] = []) =>
  intentAddress(jrd, wish, object, { hosts, insecure });

describe('an account that a visitor types', () => {
  for (const [typed, user, host] of [
    ['@you@you.example', 'you', 'you.example'],
    [' You@You.Example ', 'you', 'you.example'],
    ['acct:you@you.example', 'you', 'you.example'],
    ['https://you.example/@you', 'you', 'you.example'],
    ['https://you.example/users/you/', 'you', 'you.example'],
    ['@zoé@bücher.example', 'zoé', 'xn--bcher-kva.example'],
  ] as const) {
    it(`is read from ${typed}`, () => {
      expect(readAccount(typed)).to.deep.equal({ user, host });
    });
  }

  for (const typed of [
    '',
    'you',
    '@you',
    '@@',
    'you@a@b',
    '@you@a/b',
    '@you@a?b',
    '@you@a#b',
    '@you@a\\b',
    'javascript:x',
  ]) {
    it(`is none in ${JSON.stringify(typed)}`, () => {
      expect(readAccount(typed)).to.equal(null);
    });
  }

  it('never names a host with more in it than a host', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (user, host) => {
        const account = readAccount(`@${user}@${host}`);
        return account === null || new URL(`https://${account.host}/`).host === account.host;
      }),
    );
  });
});

describe('the way to a visitor’s own server', () => {
  it('is the intent for the wish, before the one that opens things, before the one for following', () => {
    const all = jrdOf(
      [subscribe, 'https://you.example/authorize_interaction?uri={uri}'],
      [fep('Object'), 'https://you.example/open?id={object}'],
      [fep('Follow'), 'https://you.example/follow?id={object}&back={on-success}'],
      [fep('Like'), 'https://you.example/like?id={object}'],
      [fep('Create'), 'https://you.example/write?to={inReplyTo}&text={content}'],
    );
    expect(lead(all, 'follow')).to.equal(`https://you.example/follow?id=${encoded}&back=`);
    expect(lead(all, 'like')).to.equal(`https://you.example/like?id=${encoded}`);
    expect(lead(all, 'reply')).to.equal(`https://you.example/write?to=${encoded}&text=`);
    expect(lead(all, 'announce')).to.equal(`https://you.example/open?id=${encoded}`);
    const old = jrdOf([subscribe, 'https://you.example/authorize_interaction?uri={uri}']);
    for (const wish of wishes) {
      expect(lead(old, wish)).to.equal(`https://you.example/authorize_interaction?uri=${encoded}`);
    }
  });

  it('is none when writing takes no answer to something, or nothing is offered', () => {
    expect(lead(jrdOf([fep('Create'), 'https://you.example/share?text={content}']), 'reply')).to.equal(null);
    expect(lead(jrdOf(), 'follow')).to.equal(null);
  });

  for (const template of [
    'https://evil.example/?u={uri}',
    'http://you.example/?u={uri}',
    'https://you.example.evil.example/?u={uri}',
    'https://you.example@evil.example/?u={uri}',
    'https://a:b@you.example/?u={uri}',
    'https://you.example:8443/?u={uri}',
    '//you.example/?u={uri}',
    '/?u={uri}',
    'javascript:alert(1)//{uri}',
    'data:text/html,{uri}',
    '{uri}',
    'https://{uri}/',
    'https://you.example\\@evil.example/{uri}',
  ]) {
    it(`never leads by ${template}`, () => {
      expect(lead(jrdOf([subscribe, template]), 'follow')).to.equal(null);
    });
  }

  it('leads to one of the hosts by https, whatever the template', () => {
    const part = fc.constantFrom(
      'https://',
      'you.example',
      '{uri}',
      '@',
      '/',
      '\\',
      ':',
      '?',
      '#',
      'evil.example',
      '{',
      '}',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const address = lead(jrdOf([subscribe, `${parts.join('')}{uri}`]), 'follow');
        return address === null || new URL(address).origin === 'https://you.example';
      }),
    );
  });

  it('is read from any answer without a fault', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const jrd = readJrd(json);
        return (
          jrd === null ||
          jrd.links.every(({ rel, template }) => typeof rel === 'string' && typeof template === 'string')
        );
      }),
    );
    expect(readJrd({ links: [null, 1, { rel: 1, template: {} }, { rel: 'self', href: 'x' }] })?.links).to.have.length(
      4,
    );
  });
});
