// Proofs on documents against published vectors (W3C vc-di-eddsa B.2, FEP-8b32) and against tampering.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import {
  decodeMultibase,
  ed25519Multikey,
  encodeMultibase,
  readEd25519Multikey,
} from '../../../federation/signatures/keys.js';
import { addProof, proofKeyId, verifyProof } from '../../../federation/signatures/proofs.js';

// The key pair of the W3C examples, which FEP-8b32 uses too.
const publicMultikey = 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2';
const secretMultikey = 'z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq';

function privateKey() {
  const seed = decodeMultibase(secretMultikey)!.subarray(2);
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
}

const credential = {
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
  id: 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33',
  type: ['VerifiableCredential', 'AlumniCredential'],
  name: 'Alumni Credential',
  description: 'A minimum viable example of an Alumni Credential.',
  issuer: 'https://vc.example/issuers/5678',
  validFrom: '2023-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:abcdefgh', alumniOf: 'The School of Examples' },
  proof: {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    created: '2023-02-24T23:36:38Z',
    verificationMethod:
      'did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2',
    proofPurpose: 'assertionMethod',
    '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
    proofValue: 'z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX',
  },
};

const create = {
  '@context': ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/data-integrity/v1'],
  type: 'Create',
  actor: 'https://server.example/users/alice',
  object: { type: 'Note', content: 'Hello world' },
  proof: {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: 'https://server.example/users/alice#ed25519-key',
    proofPurpose: 'assertionMethod',
    proofValue: 'z3sXaxjKs4M3BRicwWA9peyNPJvJqxtGsDmpt1jjoHCjgeUf71TRFz56osPSfDErszyLp5Ks1EhYSgpDaNM977Rg2',
    created: '2023-02-24T23:36:38Z',
  },
};

describe('integrity proofs', () => {
  const key = readEd25519Multikey(publicMultikey)!;

  it('reads and writes Multikeys', () => {
    expect(ed25519Multikey(key)).to.equal(publicMultikey);
    expect(encodeMultibase(Buffer.from([0, 0, 1, 255]))).to.equal('z119p');
    expect(decodeMultibase('z119p')).to.deep.equal(Buffer.from([0, 0, 1, 255]));
    for (const bad of ['', 'z', 'm123', 'z0OIl', 'z6Mk', `z${'1'.repeat(300)}`]) {
      expect(readEd25519Multikey(bad), bad).to.equal(null);
    }
  });

  it('verifies the vector of vc-di-eddsa B.2', () => {
    expect(verifyProof(credential, key)).to.equal(true);
  });

  it('verifies the vector of FEP-8b32', () => {
    expect(verifyProof(create, key)).to.equal(true);
  });

  it('makes the same proof again from the same key, document and second', () => {
    const { proof, ...unsigned } = credential;
    const method = { verificationMethod: proof.verificationMethod, privateKey: privateKey() };
    expect(addProof(unsigned, method, new Date('2023-02-24T23:36:38.999Z'))).to.deep.equal(credential);
  });

  it('leaves a linked-data signature beside the proof out of account (FEP-8b32)', () => {
    expect(verifyProof({ ...create, signature: { type: 'RsaSignature2017' } }, key)).to.equal(true);
  });

  it('refuses a document or a proof that was touched', () => {
    expect(verifyProof({ ...create, id: 'https://server.example/activities/2' }, key)).to.equal(false);
    for (const change of [
      { created: '2023-02-24T23:36:39Z' },
      { verificationMethod: 'https://evil.example/#k' },
      { proofPurpose: 'authentication' },
      { cryptosuite: 'eddsa-rdfc-2022' },
      { type: 'RsaSignature2017' },
      { proofValue: undefined },
      { proofValue: 'z11' },
      { '@context': ['https://www.w3.org/ns/activitystreams', 'https://evil.example/ns'] },
    ]) {
      expect(verifyProof({ ...create, proof: { ...create.proof, ...change } }, key), JSON.stringify(change)).to.equal(
        false,
      );
    }
    expect(verifyProof({ ...create, proof: [create.proof, create.proof] }, key)).to.equal(false);
    expect(verifyProof({ ...create, proof: [create.proof, { type: 'Other' }] }, key)).to.equal(true);
    expect(proofKeyId({ ...create, proof: null })).to.equal(null);
  });

  it('refuses another key, and a key of another kind', () => {
    expect(verifyProof(create, generateKeyPairSync('ed25519').publicKey)).to.equal(false);
    expect(verifyProof(create, generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).to.equal(false);
  });
});
