// draft-cavage signatures: published vectors (appendix C), required coverage, dates, and hostile headers.
import { createPublicKey, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { readCavage, signCavage, signingString, verifyCavage } from '../../../federation/signatures/cavage.js';
import { contentDigestMatches, digestMatches, digestOf } from '../../../federation/signatures/digest.js';
import { readRsaPublicKey } from '../../../federation/signatures/keys.js';
import { type SignatureClaim, SignatureProblem, type SignedRequest } from '../../../federation/signatures/request.js';

const now = new Date('2026-05-21T10:00:00Z');
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyId = 'https://peer.example/actors/a#main-key';
const body = Buffer.from('{"type":"Follow"}');

/** A delivery as it arrives, signed by our own signer unless told otherwise. */
async function delivery(change: Partial<SignedRequest> = {}, at = now): Promise<SignedRequest> {
  const url = new URL('https://us.example/inbox');
  const headers = await signCavage(
    { method: 'POST', url, body, contentType: 'application/activity+json' },
    { keyId, privateKey },
    at,
  );
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  return {
    method: 'POST',
    target: '/inbox',
    host: 'us.example',
    scheme: 'https:',
    body,
    ...change,
    headers: { ...lists, ...change.headers },
  };
}

/** The claim if the request is acceptable and signed with the key; false if refused. */
async function accepted(request: SignedRequest, key: KeyObject = publicKey): Promise<boolean> {
  try {
    const claim = readCavage(request, now);
    return claim !== null && (await verifyCavage(claim, key));
  } catch (error) {
    if (error instanceof SignatureProblem) return false;
    throw error;
  }
}

describe('draft-cavage signatures', () => {
  describe('published vectors (appendix C)', () => {
    const pem =
      '-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3\n' +
      '6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6\n' +
      'Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw\noYi+1hqp1fIekaxsyQIDAQAB\n-----END PUBLIC KEY-----\n';
    const request: SignedRequest = {
      method: 'POST',
      target: '/foo?param=value&pet=dog',
      host: 'example.com',
      scheme: 'http:',
      headers: {
        date: ['Sun, 05 Jan 2014 21:31:40 GMT'],
        'content-type': ['application/json'],
        digest: ['SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE='],
        'content-length': ['18'],
      },
      body: Buffer.from('{"hello": "world"}'),
    };

    for (const [name, signed, signature] of [
      [
        'C.1 default',
        'date',
        'SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM=',
      ],
      [
        'C.2 basic',
        '(request-target) host date',
        'qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0=',
      ],
      [
        'C.3 all headers',
        '(request-target) host date content-type digest content-length',
        'vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE=',
      ],
    ] as const) {
      it(`makes the signing string of ${name}`, () => {
        const base = signingString(signed.split(' '), request, new Map());
        expect(createVerify('RSA-SHA256').update(base).verify(pem, signature, 'base64')).to.equal(true);
      });
    }

    it('knows the digest of the vector, and refuses its key: 1024 bits are too few today', () => {
      expect(digestMatches(request.headers.digest![0]!, request.body!)).to.equal(true);
      expect(readRsaPublicKey(pem)).to.equal(null);
    });
  });

  it('accepts what it signs, and names key and algorithm as Mastodon does', async () => {
    const request = await delivery();
    const claim = readCavage(request, now)!;
    expect(claim.keyId).to.equal(keyId);
    expect(request.headers.signature![0]).to.contain('algorithm="rsa-sha256"');
    expect(await verifyCavage(claim, publicKey)).to.equal(true);
    expect(await verifyCavage(claim, generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).to.equal(false);
  });

  it('sees no signature where there is none', async () => {
    expect(readCavage(await delivery({ headers: { signature: undefined } }), now)).to.equal(null);
  });

  it('requires request target, host, date and digest: every other subset is refused', async () => {
    const all = ['(request-target)', 'host', 'date', 'digest'];
    for (let bits = 0; bits < 16; bits++) {
      const names = all.filter((_, index) => bits & (1 << index));
      const request = await delivery();
      const header = `keyId="${keyId}",headers="${names.join(' ')}",signature="AAAA"`;
      const read = (): SignatureClaim | null =>
        readCavage({ ...request, headers: { ...request.headers, signature: [header] } }, now);
      if (bits === 15) expect(read()?.keyId).to.equal(keyId);
      else expect(read, names.join(' ')).to.throw(SignatureProblem, 'not signed');
    }
  });

  it('refuses a body that was changed by one byte, a wrong digest among right ones, and an unknown digest alone', async () => {
    expect(await accepted(await delivery({ body: Buffer.from('{"type":"FolloW"}') }))).to.equal(false);
    const right = digestOf(body);
    const wrong = digestOf(Buffer.from('other'));
    expect(digestMatches(`${right},${wrong}`, body)).to.equal(false);
    expect(digestMatches(`${right},unixsum=abcd`, body)).to.equal(true);
    expect(digestMatches(right.replace('SHA-256', 'sha-256'), body)).to.equal(true);
    for (const bad of ['MD5=rL0Y20zC+Fzt72VPzMSk2A==', 'unixsum=12', '', 'SHA-256=', 'SHA-256', wrong, `${right};x`]) {
      expect(digestMatches(bad, body), bad).to.equal(false);
    }
    expect(
      contentDigestMatches('sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:', Buffer.from('{"hello": "world"}')),
    ).to.equal(true);
  });

  it('refuses a request sent to another host, path or method', async () => {
    expect(await accepted(await delivery())).to.equal(true);
    expect(await accepted(await delivery({ host: 'other.example' }))).to.equal(false);
    expect(await accepted(await delivery({ target: '/actors/a/inbox' }))).to.equal(false);
    expect(await accepted(await delivery({ method: 'PUT' }))).to.equal(false);
  });

  it('accepts a signature over the path with or without its query, and refuses another query', async () => {
    const url = new URL('https://us.example/actors/a?page=1');
    for (const signedUrl of [url, new URL('https://us.example/actors/a')]) {
      const headers = await signCavage({ method: 'GET', url: signedUrl, body: null }, { keyId, privateKey }, now);
      const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
      const request = {
        method: 'GET',
        target: '/actors/a?page=1',
        host: 'us.example',
        scheme: 'https:',
        headers: lists,
        body: null,
      };
      expect(await accepted(request)).to.equal(true);
      expect(await accepted({ ...request, target: '/actors/a?page=2' })).to.equal(signedUrl !== url);
    }
  });

  it('accepts dates within an hour either way and refuses others', async () => {
    const minutes = (count: number): Date => new Date(now.getTime() + count * 60_000);
    for (const good of [0, -59, 59])
      expect(await accepted(await delivery({}, minutes(good))), String(good)).to.equal(true);
    for (const bad of [-61, 61]) expect(await accepted(await delivery({}, minutes(bad))), String(bad)).to.equal(false);
    for (const date of [undefined, ['yesterday'], [now.toUTCString(), now.toUTCString()]]) {
      expect(await accepted(await delivery({ headers: { date } })), String(date)).to.equal(false);
    }
    const old = await delivery({}, minutes(-600));
    expect(await accepted({ ...old, headers: { ...old.headers, 'x-date': [now.toUTCString()] } })).to.equal(false);
  });

  it('takes (created) instead of a date with hs2019, and obeys (expires)', async () => {
    const seconds = now.getTime() / 1000;
    const claim = (parameters: string): (() => SignatureClaim | null) => {
      const header = `keyId="${keyId}",${parameters},headers="(request-target) host (created) digest",signature="AAAA"`;
      return () =>
        readCavage(
          {
            method: 'POST',
            target: '/inbox',
            host: 'us.example',
            scheme: 'https:',
            headers: { signature: [header], digest: [digestOf(body)] },
            body,
          },
          now,
        );
    };
    expect(claim(`algorithm="hs2019",created=${seconds}`)()?.bases[0]).to.contain(`(created): ${seconds}`);
    expect(claim(`created=${seconds},expires=${seconds + 10}`)()).not.to.equal(null);
    for (const bad of [
      `created=${seconds + 3700}`,
      `created=${seconds - 3700}`,
      `created=${seconds},expires=${seconds - 1}`,
      'created="x"',
      `algorithm="rsa-sha256",created=${seconds}`,
      'expires=9999999999',
    ]) {
      expect(claim(bad), bad).to.throw(SignatureProblem);
    }
  });

  it('refuses ambiguous, broken and oversized headers', async () => {
    const request = await delivery();
    const good = request.headers.signature![0]!;
    for (const signature of [
      [good, good],
      [`${good},keyId="https://evil.example/k"`],
      [good.replace('signature="', 'signature="!')],
      [good.replace(/"$/, '')],
      ['keyId=abc,headers="date",signature="AAAA"'],
      [`keyId="${keyId}",headers="(request-target) host date digest digest",signature="AAAA"`],
      [`keyId="${keyId}",headers="(request-target) host date digest x-none",signature="AAAA"`],
      [`${good},x="${'a'.repeat(8000)}"`],
      [good.replace('rsa-sha256', 'hmac-sha256')],
      [good.replace('rsa-sha256', 'none')],
      [good.replace('rsa-sha256', 'rsa-sha1')],
      ['=,=,='],
      [''],
    ]) {
      expect(
        await accepted({ ...request, headers: { ...request.headers, signature } }),
        signature[0]!.slice(0, 60),
      ).to.equal(false);
    }
    const both = { ...request.headers, authorization: [`Signature ${good.replace('actors/a', 'actors/b')}`] };
    expect(await accepted({ ...request, headers: both })).to.equal(false);
    const other = { ...request.headers, signature: undefined, authorization: [`Signature ${good}`] };
    expect(await accepted({ ...request, headers: other })).to.equal(true);
  });

  it('refuses anything else as a key', () => {
    const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
    const good = pemOf(publicKey);
    expect(readRsaPublicKey(good)?.asymmetricKeyType).to.equal('rsa');
    expect(readRsaPublicKey(publicKey.export({ type: 'pkcs1', format: 'pem' }).toString())).not.to.equal(null);
    for (const bad of [
      '',
      'x',
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      `${good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      `${good}${good}`,
      pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
      pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
      pemOf(generateKeyPairSync('ed25519').publicKey),
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    ]) {
      expect(readRsaPublicKey(bad), bad.slice(0, 40)).to.equal(null);
    }
  });

  it('refuses a key of 16,384 bits at once, and verifies with the largest that it takes in no time (AP-07)', async () => {
    // Whether a modulus is the product of two primes matters to nobody who only verifies.
    const keyOf = (bits: number): KeyObject => {
      const n = Buffer.alloc(bits / 8, 0xff).toString('base64url');
      return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e: 'AQAB' } });
    };
    const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
    const took = async (work: () => unknown): Promise<number> => {
      const started = performance.now();
      await work();
      return performance.now() - started;
    };
    const huge = pemOf(keyOf(16_384));
    expect(await took(() => expect(readRsaPublicKey(huge)).to.equal(null)), 'milliseconds').to.be.below(50);
    const claim = readCavage(await delivery(), now)!;
    const largest = readRsaPublicKey(pemOf(keyOf(8192)))!;
    const verify = async () => expect(await verifyCavage(claim, largest)).to.equal(false);
    await verify();
    expect(await took(verify), 'milliseconds').to.be.below(50);
  });

  it('never throws anything but a refusal, whatever the header says', async () => {
    const request = await delivery();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 200 }),
        fc.constantFrom('signature', 'date', 'digest', 'authorization'),
        async (text, name) => {
          const { signature, ...unsigned } = request.headers;
          const headers = name === 'authorization' ? unsigned : { ...unsigned, signature };
          expect(await accepted({ ...request, headers: { ...headers, [name]: [text] } })).to.equal(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
