// Nonsense by the thousand for those who read what strangers write, each against a model written apart: addresses, signature
// headers (RFC 9421), posts and the links in them. FC_SEED picks other nonsense, FC_RUNS more of it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { isLocal, localHandleIn, readIri, sameDocument, sameOrigin } from '../../federation/iris.js';
import { contentDigestOf } from '../../federation/signatures/digest.js';
import { SignatureProblem, type SignedRequest } from '../../federation/signatures/request.js';
import { readMessageSignature } from '../../federation/signatures/rfc9421.js';
import { fromActor } from '../../federation/wire/remoteActor.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import { isRefusedPeer } from '../../server/instances/rules.js';
import { presentRemotePost } from '../../server/partners/present.js';
import { remotePostsIn } from '../../server/partners/queries.js';
import { projectDir } from '../../server/paths.js';
import { openTestEmbedded } from '../support/storeSupport.js';

const seed = Number(process.env.FC_SEED ?? 20_261_122);
const numRuns = Number(process.env.FC_RUNS ?? 300);
const now = new Date('2026-11-22T10:00:00Z');
const site = { baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' as const };

const addresses = (): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(
        'https://',
        'http://',
        'HTTPS://',
        'https:',
        'https:/',
        'https:\\\\',
        '//',
        'ftp://',
        'javascript:',
        ' https://',
        'ht\ttps://',
      ),
      fc.constantFrom('', '', '', 'a@', 'us.example@', 'us.example:x@', '@'),
      fc.constantFrom(
        ...[
          'us.example',
          'US.example',
          'us.example.',
          'us.example.evil.example',
          'usXexample',
          'us。example',
          'ｕs.example',
        ],
        ...[
          'evil.example',
          'xn--vch-9ladd.example',
          'évêché.example',
          'faß.example',
          'a..b',
          '-',
          '[::1]',
          '127.1',
          '0x7f.1',
          '2130706433',
        ],
        ...['us%2eexample', 'us\u00adexample', 'us\u200b.example', 'us_x.example', 'x'.repeat(70), ''],
      ),
      fc.constantFrom('', '', '', ':443', ':80', ':', ':444', ':0', ':65536', ':x'),
      fc.constantFrom(
        '',
        '/',
        '/a',
        '/a/../b',
        '/A',
        '//x',
        '/%2F',
        '/\\x',
        '?a=b',
        '#f',
        '/é',
        '/actors/x',
        '/actors/x#k',
        '/actors/X',
        '\n',
        '/\u202e',
        '/ ',
      ),
    )
    .map((parts) => parts.join(''));

/** What an address leads to, by the parser of the platform alone. */
function originBy(text: string): string | null {
  return URL.canParse(text) ? new URL(text).origin : null;
}

describe('readers of what strangers write', function () {
  this.timeout(600_000);

  it('compares addresses as WHATWG does, and takes only what all parsers read alike (AP-27)', () => {
    fc.assert(
      fc.property(addresses(), addresses(), (one, other) => {
        for (const text of [one, other]) {
          const iri = readIri(text, ['127.0.0.1:80']);
          if (iri === null) continue;
          expect(iri).to.equal(text);
          const { protocol, username, password, host, hostname } = new URL(text);
          expect([username, password]).to.deep.equal(['', '']);
          expect(protocol === 'https:' || host === '127.0.0.1').to.equal(true);
          // A parser that splits by hand finds the same host.
          expect(text.split('/')[2]?.split(/[?#]/)[0]).to.equal(host);
          expect(hostname).to.match(/^[a-z0-9._-]+$|^\[/);
          expect(isLocal(site, text)).to.equal(
            text === 'https://us.example' || /^https:\/\/us\.example[/?#]/.test(text),
          );
          const handle = localHandleIn(site, text);
          if (handle !== null) expect(text).to.equal(`https://us.example/actors/${handle}`);
        }
        const [a, b] = [originBy(one), originBy(other)];
        expect(sameOrigin(one, other)).to.equal(a !== null && a !== 'null' && a === b);
        if (sameDocument(one, other)) expect(a).to.equal(b);
      }),
      { seed, numRuns: numRuns * 10 },
    );
  });

  it('finds a refused domain behind every address that could lead there', () => {
    const policy = { island: false, kinds: new Map([['us.example', 'block' as const]]) };
    fc.assert(
      fc.property(addresses(), (text) => {
        if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return;
        const host = new URL(text).hostname.replace(/\.+$/, '');
        if (host === 'us.example' || host.endsWith('.us.example'))
          expect(isRefusedPeer(policy, text), text).to.equal(true);
      }),
      { seed, numRuns: numRuns * 10 },
    );
  });

  it('takes a Signature-Input only as RFC 9421 writes it, and covering what must be covered', () => {
    const body = Buffer.from('{}');
    const names = [
      '@method',
      '@target-uri',
      '@authority',
      '@path',
      '@query',
      '@request-target',
      'content-digest',
      'host',
      'date',
    ];
    const created = Math.floor(now.getTime() / 1000);
    const parameter = fc.constantFrom(
      ...[
        `created=${created}`,
        `created=${created - 7200}`,
        'created="1"',
        'created',
        `expires=${created + 60}`,
        `expires=${created - 1}`,
      ],
      ...[
        'keyid="https://peer.example/k"',
        'keyid=x',
        'keyid=""',
        'alg="rsa-v1_5-sha256"',
        'alg="hmac-sha256"',
        'alg="ed25519"',
        'nonce="n"',
        'tag="x"',
        'x=?1',
        'created=-1',
      ],
    );
    const component = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...names).map((name) => `"${name}"`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '"@method";req',
          '@method',
          '"@METHOD"',
          '"x y"',
          '""',
          '"signature"',
          '"@status"',
          '"date";sf',
          '"@query-param";name="a"',
        ),
      },
    );
    const header = fc.tuple(
      fc.constantFrom('sig1', 'sig', '*', 'SIG', '', 'a b', 'sig1=(), sig2'),
      fc.oneof(fc.array(component, { maxLength: 6 }), fc.constant(names.map((name) => `"${name}"`))),
      fc.array(parameter, { maxLength: 5 }),
      fc.constantFrom('', '', '', ' ', ',', ', sig2=("@method")', ';', '\t', '"'),
    );
    let taken = 0;
    fc.assert(
      fc.property(header, fc.boolean(), ([label, components, parameters, rest], isWhole) => {
        const list = isWhole ? ['"@method"', '"@target-uri"', '"content-digest"', ...components] : components;
        const all = isWhole ? [`created=${created}`, 'keyid="https://peer.example/k"', ...parameters] : parameters;
        const text = `${label}=(${list.join(' ')})${all.map((one) => `;${one}`).join('')}${rest}`;
        const request: SignedRequest = {
          ...{ method: 'POST', target: '/inbox?x=1', host: 'us.example', scheme: 'https:', body },
          headers: {
            'signature-input': [text],
            signature: [`${label}=:AAAA:`],
            'content-digest': [contentDigestOf(body)],
            date: [now.toUTCString()],
          },
        };
        let claim: ReturnType<typeof readMessageSignature> = null;
        try {
          claim = readMessageSignature(request, now);
        } catch (error) {
          expect(error).to.be.instanceOf(SignatureProblem);
        }
        if (claim === null) return;
        taken += 1;
        // The model: one label, each component and parameter once, all plain, all that must be there.
        const plain = list.map((one) => one.slice(1, -1));
        expect(rest.trim()).to.equal('');
        expect(label).to.be.oneOf(['sig1', 'sig', '*']);
        expect(new Set(plain).size).to.equal(plain.length);
        // A signature over its own header is no signature that fits, and harmless.
        for (const one of plain) expect([...names, 'signature']).to.include(one);
        const keys = all.map((one) => one.split('=')[0]);
        expect(new Set(keys).size).to.equal(keys.length);
        expect(plain).to.include('@method').and.include('content-digest');
        const isWhere =
          plain.includes('@target-uri') ||
          (plain.includes('@authority') &&
            (plain.includes('@request-target') || (plain.includes('@path') && plain.includes('@query'))));
        expect(isWhere).to.equal(true);
        expect(all)
          .to.include(`created=${created}`)
          .and.not.include(`expires=${created - 1}`)
          .and.not.include('alg="hmac-sha256"');
        expect(claim.keyId).to.be.oneOf(['https://peer.example/k', '']);
        expect(claim.bases.length).to.equal(1);
        expect(claim.bases[0]).to.contain(`"@signature-params": (${list.join(' ')})`);
      }),
      { seed, numRuns: numRuns * 10, examples: [[['sig1', ['"signature"'], [], ''], true]] },
    );
    expect(taken, 'some were taken').to.be.above(numRuns / 50);
  });

  it('answers a header made to be slow at once', () => {
    for (const piece of [';a="', ';a=1', '"@method" ', '(', '="', ' ', ';', ';a="x"', 'sig1=('])
      for (const before of ['', 'sig1=(', 'sig1=("@method")']) {
        const headers = {
          'signature-input': [(before + piece.repeat(20_000)).slice(0, 16_000)],
          signature: ['sig1=:AA==:'],
        };
        const request: SignedRequest = {
          method: 'GET',
          target: '/',
          host: 'us.example',
          scheme: 'https:',
          headers,
          body: null,
        };
        const started = performance.now();
        expect(() => readMessageSignature(request, now)).to.throw(SignatureProblem);
        expect(performance.now() - started, piece).to.be.below(50);
      }
  });

  const folder = join(projectDir, 'test/fixtures/activities');
  const objects = readdirSync(folder).flatMap((program) =>
    readdirSync(join(folder, program)).flatMap((file) => {
      const { object } = JSON.parse(readFileSync(join(folder, program, file), 'utf8')) as { object: unknown };
      const [one] = [object].flat();
      return typeof one === 'object' && one !== null ? [one as Record<string, unknown>] : [];
    }),
  );
  const leaf = () =>
    fc.oneof(
      addresses(),
      fc.string({ maxLength: 20 }),
      fc.constantFrom<unknown>(
        null,
        true,
        0,
        -1,
        1e308,
        Number.MAX_SAFE_INTEGER + 1,
        '',
        '\ud800',
        '\u0000',
        '2026-13-45',
        '275760-09-13T00:00:00Z',
        '0000-01-01',
        'x'.repeat(200_000),
      ),
    );
  /** Everything that somebody has ever put where a Link is expected. */
  const links = (): fc.Arbitrary<unknown> =>
    fc.letrec<{ link: unknown }>((tie) => ({
      link: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        leaf(),
        fc.record(
          {
            type: fc.constantFrom<unknown>('Link', 'Image', ['Link'], 'PropertyValue', 7, null),
            href: tie('link'),
            url: tie('link'),
            mediaType: fc.constantFrom<unknown>(
              'text/html',
              'image/png',
              'video/mp4',
              7,
              null,
              'text/html; charset=utf-8',
              'x'.repeat(5000),
            ),
            name: leaf(),
            rel: leaf(),
            id: tie('link'),
          },
          { requiredKeys: [] },
        ),
        fc.array(tie('link'), { maxLength: 4 }),
      ),
    })).link;
  const fields = [
    ...[
      'id',
      'type',
      'attributedTo',
      'actor',
      'to',
      'cc',
      'url',
      'attachment',
      'image',
      'icon',
      'name',
      'summary',
      'content',
    ],
    ...[
      'contentMap',
      'published',
      'updated',
      'startTime',
      'endTime',
      'closed',
      'inReplyTo',
      'location',
      'oneOf',
      'anyOf',
      'sensitive',
      'mediaType',
    ],
  ];
  const posts = () =>
    fc
      .tuple(fc.constantFrom(...objects), fc.dictionary(fc.constantFrom(...fields), links(), { maxKeys: 4 }))
      .map(([object, change]) => ({ ...object, ...change }));

  it('reads a post of any shape as one that can be kept and shown, or not at all', async () => {
    const store = await openTestEmbedded();
    let read = 0;
    await fc.assert(
      fc.asyncProperty(posts(), async (json) => {
        const post = fromPost(json, [], now);
        if (post === null) return;
        read += 1;
        for (const author of post.authors) expect(sameOrigin(author, post.iri)).to.equal(true);
        expect(post.authors.length).to.be.within(1, 10);
        if (post.url !== null) expect(sameOrigin(post.url, post.iri)).to.equal(true);
        for (const address of [
          post.iri,
          ...post.authors,
          ...post.attachments.map(({ url }) => url),
          ...(post.inReplyTo ? [post.inReplyTo] : []),
        ])
          expect(readIri(address, []), address).to.equal(address);
        for (const date of [post.publishedAt, post.updatedAt, post.startsAt, post.endsAt])
          if (date !== null) expect(date.getUTCFullYear()).to.be.within(1970, 2200);
        expect(JSON.stringify(post).length).to.be.below(400_000);
        await remotePostsIn(store).replaceOne({ _id: post._id }, (({ _id, ...rest }) => rest)(post), { upsert: true });
        const shown = await presentRemotePost('/me/partners', post, null, 'fr');
        for (const { href } of shown.media) expect(href).to.match(/^https:\/\//);
        expect(shown.originHref).to.match(/^https:\/\//);
      }),
      { seed, numRuns: numRuns * 3 },
    );
    expect(read, 'some were read').to.be.above(numRuns / 2);
  });

  it('reads an actor of any shape as one whose every address is on its own server, or not at all', () => {
    const actor = {
      ...{
        id: 'https://peer.example/u',
        type: 'Person',
        preferredUsername: 'u',
        inbox: 'https://peer.example/i',
        name: 'U',
      },
      publicKey: { id: 'https://peer.example/u#k', owner: 'https://peer.example/u', publicKeyPem: 'x' },
    };
    const names = [
      'id',
      'type',
      'inbox',
      'endpoints',
      'publicKey',
      'assertionMethod',
      'url',
      'followers',
      'alsoKnownAs',
      'preferredUsername',
      'name',
      'summary',
    ];
    const property = fc.property(fc.dictionary(fc.constantFrom(...names), links(), { maxKeys: 3 }), (change) => {
      const read = fromActor({ ...actor, ...change }, [], now);
      if (read === null) return;
      for (const address of [read.inbox, read.sharedInbox, read.url, read.followers, ...read.keys.map(({ id }) => id)])
        if (address) expect(sameOrigin(address, read._id), address).to.equal(true);
      expect(read.handle).to.match(/^([\p{L}\p{N}._-]{1,100}@)?[^@\s]+$/u);
      expect(read.name.length).to.be.at.most(500);
    });
    fc.assert(property, { seed, numRuns: numRuns * 5 });
  });
});
