import { expect } from 'chai';
import { createLog, withoutSecrets } from '../../server/log.js';
import { signLink } from '../../server/secrets.js';

describe('the log', () => {
  function lines(isTTY = false) {
    const written: string[] = [];
    return { written, log: createLog('debug', { write: (line) => void written.push(line), isTTY }) };
  }

  it('writes one JSON object a line, whatever stands in a text', () => {
    const { log, written } = lines();
    log.warn({ agent: 'a\nb\u001b[31m' }, 'line\nbreak');
    expect(written).to.have.length(1);
    expect(written[0]).not.to.include('\u001b');
    expect(written[0]?.indexOf('\n')).to.equal((written[0]?.length ?? 0) - 1);
    expect(JSON.parse(written[0] ?? '')).to.deep.include({ level: 40, msg: 'line\nbreak', agent: 'a\nb\u001b[31m' });
  });

  it('hides what is secret by its name, one or two levels down', () => {
    const { log, written } = lines();
    log.info({ password: 'canary', req: { authorization: 'canary', headers: { cookie: 'canary' } } }, 'x');
    expect(written.join('')).not.to.include('canary');
  });

  const token = signLink('s'.repeat(40), 'reset', '01890000-0000-7000-8000-000000000000').split('.')[1] ?? '';
  const secrets: [string, string][] = [
    ['the password of a mail server', 'cannot reach smtps://user:canary@mail.example/'],
    ['the password of a database', 'mongodb+srv://u:canary@db.example/x'],
    ['a bearer token', 'Authorization: Bearer canary-canary'],
    ['a set-up link', '/setup/canary.canary'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----'],
    ['a private key in JSON', '{"k":"-----BEGIN RSA PRIVATE KEY-----\\ncanary\\n-----END RSA PRIVATE KEY-----"}'],
  ];
  for (const [what, text] of secrets) {
    it(`hides ${what}`, () => {
      expect(withoutSecrets(text)).to.include('[hidden');
      expect(withoutSecrets(text)).not.to.include('canary');
    });
  }

  it('hides the part of a link that opens it, in messages and in errors', () => {
    const { log, written } = lines();
    log.error(
      { err: new Error(`GET /reset/01890000-0000-7000-8000-000000000000.${token} failed`) },
      `/reset/x.${token}`,
    );
    expect(token).to.have.length(27);
    expect(written.join('')).not.to.include(token);
  });

  it('leaves addresses and names as they are', () => {
    for (const text of [
      'https://chatiere.example/@ecluse',
      'jean@ecluse.example',
      'chatiere-2026-05-21.backup',
      'a.b.c/file.test.ts',
    ]) {
      expect(withoutSecrets(text)).to.equal(text);
    }
  });

  it('is short on a terminal, and hides as well', () => {
    const { log, written } = lines(true);
    log.info({ status: 200, path: '/about' }, 'request');
    log.error({ err: new Error('smtps://u:canary@mail.example') }, 'failed');
    expect(written[0]).to.match(/^\d\d:\d\d:\d\d info {2}request {2}status=200 path=\/about\n$/);
    expect(written[1]).to.include('Error: smtps://[hidden]@mail.example');
  });
});
