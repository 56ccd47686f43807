// Connections as they are on the open network: certificates that are not to be trusted, and addresses of which one leads nowhere
// (RL-23). They fail for their own reason, since the same authority's good certificate passes; and all are worth another try.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { temporaryFolder } from '../support/storeSupport.js';

const isTypeScript = import.meta.url.endsWith('.ts');
const probe = fileURLToPath(new URL(`../support/tlsProbe.${isTypeScript ? 'ts' : 'js'}`, import.meta.url));
const has = (command: string, ...words: string[]) => spawnSync(command, words, { stdio: 'ignore' }).status === 0;
const missing = [
  ...(has('openssl', 'version') ? [] : ['openssl']),
  ...(has('unshare', '-Urn', 'ip', 'link') ? [] : ['unshare -Urn ip']),
];

interface Outcome {
  status?: number;
  reason?: string;
  detail?: string;
  temporary?: boolean;
  ms: number;
}

if (missing.length > 0) it(`certificates were not tried: ${missing.join(', ')} cannot be run here`);
else
  describe('the way out to the open network', () => {
    let outcomes: Record<string, Outcome>;
    let asked: string[];

    before(function () {
      this.timeout(60_000);
      const folder = temporaryFolder();
      const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const alone = (name: string) =>
        openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, ...subjectOf(name));
      const subjectOf = (name: string) => ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}.example`];
      const signed = (name: string, hosts: string, days: number): void => {
        openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
        writeFileSync(join(folder, 'hosts'), `subjectAltName=${hosts}`);
        const by = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-extfile', 'hosts'];
        openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...by, '-days', String(days));
      };
      alone('authority');
      alone('selfsigned');
      signed('good', 'DNS:good.example,DNS:sixless.example', 2);
      signed('wronghost', 'DNS:other.example', 2);
      signed('expired', 'DNS:expired.example', -1);
      const run = [...(isTypeScript ? ['--import=tsx'] : []), probe, folder];
      const child = spawnSync('unshare', ['-Urn', process.execPath, ...run], {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') },
        encoding: 'utf8',
      });
      expect(child.status, child.stderr).to.equal(0);
      ({ outcomes, asked } = JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as {
        outcomes: Record<string, Outcome>;
        asked: string[];
      });
    });

    it('delivers where the certificate is good', () => {
      expect(outcomes['good.example']?.status).to.equal(202);
    });

    for (const [name, detail] of [
      ['expired', /expired/],
      ['wronghost', /altnames|does not match/i],
      ['selfsigned', /self-signed/],
    ] as const) {
      it(`sends not a byte where it is ${name}, and will try again (RL-23)`, () => {
        const outcome = outcomes[`${name}.example`];
        expect(outcome?.reason).to.equal('unreachable');
        expect(outcome?.detail).to.match(detail);
        expect(outcome?.temporary).to.equal(true);
        expect(asked).not.to.include(`${name}.example`);
      });
    }

    it('goes on by IPv4 when IPv6 leads nowhere, long before its deadline (RL-23)', function () {
      const outcome = outcomes['sixless.example'];
      if (outcome === undefined) return this.skip();
      expect(outcome.status).to.equal(202);
      expect(outcome.ms).to.be.within(100, 3000);
    });

    it('gives up on an address where nobody takes the connection, and will try again (AP-72)', function () {
      const outcome = outcomes['unreachable.example'];
      if (outcome === undefined) return this.skip();
      expect(outcome.reason).to.be.oneOf(['unreachable', 'timeout']);
      expect(outcome.temporary).to.equal(true);
      expect(outcome.ms).to.be.within(1000, 11_000);
    });
  });
