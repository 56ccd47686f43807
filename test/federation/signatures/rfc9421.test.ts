// RFC 9421: the published vector, an independent implementation as signer, and everything that must be refused.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { httpbis } from 'http-message-signatures';
import { readCavage } from '../../../federation/signatures/cavage.js';
import { contentDigestOf } from '../../../federation/signatures/digest.js';
import { SignatureProblem, type SignedRequest } from '../../../federation/signatures/request.js';
import {
  readInput,
  readMessageSignature,
  signatureBase,
  verifyMessageSignature,
} from '../../../federation/signatures/rfc9421.js';

const now = new Date();
const body = Buffer.from('{"type":"Follow"}');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const edwards = generateKeyPairSync('ed25519');
const keyId = 'https://peer.example/actors/a#main-key';
const usual = ['@method', '@target-uri', '@authority', 'content-digest'];

/** Signed by the package http-message-signatures, as a peer would. */
async function delivery(fields = usual, alg = 'rsa-v1_5-sha256', created: Date | null = now): Promise<SignedRequest> {
  const key = alg === 'ed25519' ? edwards.privateKey : rsa.privateKey;
  const signer = async (base: Buffer): Promise<Buffer> => sign(alg === 'ed25519' ? null : 'RSA-SHA256', base, key);
  const message = {
    method: 'POST',
    url: 'https://us.example/inbox',
    headers: { 'content-digest': contentDigestOf(body), date: now.toUTCString() },
  };
  const params = created === null ? ['alg', 'keyid'] : ['created', 'alg', 'keyid'];
  const signed = await httpbis.signMessage(
    { key: { id: keyId, alg, sign: signer }, fields, params, paramValues: { created } },
    message,
  );
  const headers = Object.fromEntries(
    Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), [String(value)]]),
  );
  return { method: 'POST', target: '/inbox', host: 'us.example', scheme: 'https:', headers, body };
}

async function accepted(request: SignedRequest, key = rsa.publicKey): Promise<boolean> {
  try {
    const claim = readMessageSignature(request, now);
    return claim !== null && (await verifyMessageSignature(claim, key));
  } catch (error) {
    if (error instanceof SignatureProblem) return false;
    throw error;
  }
}

describe('RFC 9421 signatures', () => {
  it('makes the signature base and the signature of the vector B.2.6', () => {
    const seed = 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU';
    const x = 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs';
    const input = readInput(
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    );
    const base = signatureBase(input, {
      method: 'POST',
      target: '/foo?param=Value&Pet=dog',
      host: 'example.com',
      scheme: 'https:',
      headers: {
        date: ['Tue, 20 Apr 2021 02:07:55 GMT'],
        'content-type': ['application/json'],
        'content-length': ['18'],
      },
      body: Buffer.from('{"hello": "world"}'),
    });
    const expected = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';
    const jwk = { kty: 'OKP', crv: 'Ed25519', x };
    expect(
      verify(null, Buffer.from(base), createPublicKey({ format: 'jwk', key: jwk }), Buffer.from(expected, 'base64')),
    ).to.equal(true);
    const made = sign(null, Buffer.from(base), createPrivateKey({ format: 'jwk', key: { ...jwk, d: seed } }));
    expect(made.toString('base64')).to.equal(expected);
  });

  it('accepts what another implementation signs, with RSA and with Ed25519', async () => {
    expect(await accepted(await delivery())).to.equal(true);
    expect(await accepted(await delivery(usual, 'ed25519'), edwards.publicKey)).to.equal(true);
    expect(readMessageSignature(await delivery(), now)?.keyId).to.equal(keyId);
  });

  it('refuses a key of the other kind, and another key', async () => {
    expect(await accepted(await delivery(), edwards.publicKey)).to.equal(false);
    expect(await accepted(await delivery(usual, 'ed25519'), rsa.publicKey)).to.equal(false);
    expect(await accepted(await delivery(), generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).to.equal(
      false,
    );
  });

  it('requires method, target and content digest to be covered', async () => {
    expect(await accepted(await delivery(['@method', '@authority', '@request-target', 'content-digest']))).to.equal(
      true,
    );
    for (const fields of [
      ['@target-uri', 'content-digest'],
      ['@method', 'content-digest'],
      ['@method', '@target-uri'],
      ['@method', '@authority', 'content-digest'],
      ['@method', '@path', 'content-digest'],
      [],
    ]) {
      expect(await accepted(await delivery(fields)), fields.join(' ')).to.equal(false);
    }
  });

  it('requires a fresh created', async () => {
    expect(await accepted(await delivery(usual, 'rsa-v1_5-sha256', null))).to.equal(false);
    expect(await accepted(await delivery(usual, 'rsa-v1_5-sha256', new Date(now.getTime() - 61 * 60_000)))).to.equal(
      false,
    );
    expect(await accepted(await delivery(usual, 'rsa-v1_5-sha256', new Date(now.getTime() - 59 * 60_000)))).to.equal(
      true,
    );
  });

  it('refuses a changed body, another address and another algorithm name', async () => {
    const request = await delivery();
    expect(await accepted({ ...request, body: Buffer.from('{"type":"FolloW"}') })).to.equal(false);
    expect(await accepted({ ...request, target: '/other' })).to.equal(false);
    expect(await accepted({ ...request, host: 'other.example' })).to.equal(false);
    expect(await accepted(await delivery(usual, 'hmac-sha256'))).to.equal(false);
  });

  it('refuses two signatures, component parameters and headers that do not belong together', async () => {
    const request = await delivery();
    const input = request.headers['signature-input']![0]!;
    const variants: Record<string, string[]>[] = [
      { 'signature-input': [`${input}, b=("@method");created=1`] },
      { 'signature-input': [input, input] },
      { 'signature-input': [input.replace('"@method"', '"@method";req')] },
      { 'signature-input': [input.replace('"@method"', '"@method" "@method"')] },
      { 'signature-input': [`${input};keyid="https://evil.example/k"`] },
      { 'signature-input': [input.replace(/^sig=/, 'other=')] },
      { signature: ['sig=:!!:'] },
      { signature: [] },
    ];
    for (const change of variants) {
      expect(
        await accepted({ ...request, headers: { ...request.headers, ...change } }),
        JSON.stringify(change),
      ).to.equal(false);
    }
  });

  it('is never half read as draft-cavage', async () => {
    expect(() => readCavage({ ...request9421, headers: { signature: ['sig=:AAAA:'] } }, now)).to.throw(
      SignatureProblem,
    );
  });

  it('never throws anything but a refusal, whatever the headers say', async () => {
    const request = await delivery();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 200 }),
        fc.constantFrom('signature', 'signature-input', 'content-digest'),
        async (text, name) => {
          expect(await accepted({ ...request, headers: { ...request.headers, [name]: [text] } })).to.equal(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const request9421: SignedRequest = {
  method: 'POST',
  target: '/inbox',
  host: 'us.example',
  scheme: 'https:',
  headers: {},
  body,
};
