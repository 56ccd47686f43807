// Keys as strangers write them: what is read, and what must not stay in memory.
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { readEd25519Multikey, readRsaPublicKey } from '../../../federation/signatures/keys.js';

describe('keys of others', () => {
  it('keeps nothing of texts that are too long to be a key', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = (): number => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = used();
    for (let i = 0; i < 100; i++) {
      const text = randomBytes(200_000).toString('hex');
      expect(readRsaPublicKey(text)).to.equal(null);
      expect(readEd25519Multikey(`z${text}`)).to.equal(null);
    }
    expect((used() - before) / 1_000_000, 'megabytes').to.be.below(10);
  });
});
