import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../../server/config.js';
import { projectDir } from '../../server/paths.js';

describe('the configuration', () => {
  const example = readFileSync(join(projectDir, '.env.example'), 'utf8');
  const source = readFileSync(join(projectDir, 'server/config.ts'), 'utf8');
  const documented = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );

  it('has each variable documented in .env.example, and documents no other', () => {
    const read = [...source.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name]) => name);
    expect(read).to.have.length.greaterThan(10);
    expect(documented.map(([name]) => name).sort()).to.deep.equal(read.sort());
  });

  it('starts with .env.example copied as it is, with the values that it would have without', () => {
    expect(readConfig(Object.fromEntries(documented))).to.deep.equal(readConfig({}));
  });

  it('does not look at NODE_ENV or at any variable that it does not know', () => {
    expect(readConfig({ NODE_ENV: 'production', SECRET: 'x', HOSTNAME: 'y' })).to.deep.equal(readConfig({}));
  });

  const refused: [string, Record<string, string>][] = [
    ['PORT', { PORT: 'three thousand' }],
    ['PORT', { PORT: '70000' }],
    ['BASE_URL', { BASE_URL: 'chatiere.example' }],
    ['BASE_URL', { BASE_URL: 'https://chatiere.example/path' }],
    ['BASE_URL', { BASE_URL: 'http://chatiere.example' }],
    ['BASE_URL', { BASE_URL: 'https://user:pass@chatiere.example' }],
    ['BASE_URL', { BASE_URL: 'ftp://chatiere.example' }],
    ['MONGODB_URI', { MONGODB_URI: 'postgres://x' }],
    ['SESSION_SECRET', { SESSION_SECRET: 'short' }],
    ['SMTP_URL', { SMTP_URL: 'mail.example' }],
    ['MAIL_FROM', { SMTP_URL: 'smtps://mail.example' }],
    ['DEFAULT_LANGUAGE', { DEFAULT_LANGUAGE: 'de' }],
    ['FEDERATION_PRIVATE_HOSTS', { FEDERATION_PRIVATE_HOSTS: 'localhost' }],
    ['TRUST_PROXY', { TRUST_PROXY: 'yes' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['METRICS_TOKEN', { METRICS_TOKEN: 'short' }],
    ['BACKUP_KEEP_DAYS', { BACKUP_KEEP_DAYS: '-1' }],
  ];
  for (const [name, env] of refused) {
    it(`refuses ${JSON.stringify(env)} and names ${name}`, () => {
      expect(() => readConfig(env)).to.throw(ConfigError, new RegExp(`^${name}: `));
    });
  }

  it('takes plain http for this machine, and for hosts of a trial', () => {
    expect(readConfig({ BASE_URL: 'http://localhost:3000/' }).baseUrl).to.equal('http://localhost:3000');
    expect(readConfig({ BASE_URL: 'http://a.test:81', FEDERATION_PRIVATE_HOSTS: 'a.test:81' }).baseUrl).to.equal(
      'http://a.test:81',
    );
  });
});
