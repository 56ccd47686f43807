// The command line and the process, as an administrator meets them: real processes, real files, real signals.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectDir } from '../../server/paths.js';
import { freePort, type ServerProcess, startServer } from '../support/serverProcess.js';
import { temporaryFolder } from '../support/storeSupport.js';

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command in a folder of its own, so that no .env of the developer is read. */
function chatiere(args: string[], env: Record<string, string> = {}, input?: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(projectDir, 'dist/server/cli.js'), ...args], {
      cwd: temporaryFolder(),
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // Most commands end without having read.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const ended: Ended = { code: null, out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      ended.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      ended.err += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...ended, code }));
  });
}

const example = join(projectDir, 'docs/bootstrap.example.json');

describe('the command line', function () {
  this.timeout(60_000);
  const running: ServerProcess[] = [];

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop('SIGKILL');
  });

  async function start(dataDir: string, env: Record<string, string> = {}): Promise<ServerProcess> {
    const server = await startServer({ dataDir, env });
    running.push(server);
    return server;
  }

  it('explains each command', async () => {
    const commands = [
      'serve',
      'backup',
      'restore',
      'export',
      'import',
      'bootstrap',
      'person create',
      'person reset',
      'chatonsinfos import',
      'bounce',
      'doctor',
    ];
    const all = await chatiere(['--help']);
    expect(all.code).to.equal(0);
    for (const command of commands) {
      const help = await chatiere([...command.split(' '), '--help']);
      expect(help.code, command).to.equal(0);
      expect(help.out, command).to.include(`Usage: chatiere ${command}`);
      expect(all.out).to.include(command.split(' ')[0]);
    }
  });

  it('refuses what it does not know, with help and exit code 1', async () => {
    const ended = await chatiere(['destroy']);
    expect(ended.code).to.equal(1);
    expect(ended.err).to.include('unknown command').and.to.include('Usage: chatiere');
  });

  describe('a start that cannot be', () => {
    const oneSentence = async (ended: Promise<Ended>, words: RegExp) => {
      const { code, err } = await ended;
      expect(code).to.equal(1);
      expect(err.trim()).to.match(words);
      expect(err.trim().split('\n')).to.have.length(1);
    };

    it('says that the port is in use', async () => {
      const port = await freePort();
      const blocker = createServer().listen(port, '127.0.0.1');
      await new Promise((resolve) => blocker.once('listening', resolve));
      await oneSentence(
        chatiere(['serve'], { PORT: String(port), DATA_DIR: temporaryFolder() }),
        /^Port \d+ on 127\.0\.0\.1 is in use: /,
      );
      blocker.close();
    });

    it('says that the data folder cannot be written', async () => {
      const file = join(temporaryFolder(), 'file');
      writeFileSync(file, '');
      await oneSentence(
        chatiere(['serve'], { PORT: '0', DATA_DIR: join(file, 'data') }),
        /^The data folder .* cannot be written/,
      );
    });

    it('says that another one has the data folder', async () => {
      const dataDir = temporaryFolder();
      await start(dataDir);
      await oneSentence(
        chatiere(['serve'], { PORT: '0', DATA_DIR: dataDir }),
        /another Chatière is running on the data folder/,
      );
    });

    for (const address of ['chatiere.example', 'http://chatiere.example', 'https://chatiere.example/sub']) {
      it(`says what is wrong with the address ${address}`, async () => {
        await oneSentence(
          chatiere(['serve'], { BASE_URL: address, DATA_DIR: temporaryFolder() }),
          /^Configuration refused\. BASE_URL: /,
        );
      });
    }

    it('says so when the data was published under another address', async () => {
      const dataDir = temporaryFolder();
      const server = await startOnce(dataDir, 'https://one.example');
      await server.stop('SIGTERM');
      const moved = chatiere(['serve'], { PORT: '0', DATA_DIR: dataDir, BASE_URL: 'https://two.example' });
      await oneSentence(moved, /^This data belongs to https:\/\/one\.example, but BASE_URL is https:\/\/two\.example/);
    });

    it('says where the bootstrap file is wrong', async () => {
      const file = join(temporaryFolder(), 'boot.json');
      writeFileSync(file, readFileSync(example, 'utf8').replace('https://pads.ecluse.example/', 'not an address'));
      const env = { PORT: '0', DATA_DIR: temporaryFolder(), BOOTSTRAP_FILE: file };
      await oneSentence(chatiere(['serve'], env), /collectives\[0\]\.services\[0\]\.profile\.website: /);
    });
  });

  /** startServer() waits on its own address; here the public one is another. */
  async function startOnce(dataDir: string, baseUrl: string): Promise<ServerProcess> {
    return start(dataDir, { BASE_URL: baseUrl });
  }

  it('begins with a set-up link, a private data folder and a secret of its own', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const server = await start(dataDir);
    const link = (await server.setupLink()) ?? '';
    expect(link).to.match(/^http:\/\/localhost:\d+\/setup\/[\w.-]+$/);
    expect(statSync(dataDir).mode & 0o777).to.equal(0o700);
    expect(statSync(join(dataDir, 'secret')).mode & 0o777).to.equal(0o600);
    expect(readFileSync(join(dataDir, 'secret'), 'utf8').trim()).to.have.length(64);
    expect((await fetch(link)).status).to.equal(200);
    const token = link.split('/').at(-1) ?? '';
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.output().split(token)).to.have.length(2);
  });

  it('warns loudly when private hosts are allowed', async () => {
    const server = await start(temporaryFolder(), { FEDERATION_PRIVATE_HOSTS: 'localhost:1' });
    expect(server.output()).to.match(/"level":40.*FEDERATION_PRIVATE_HOSTS is set/);
  });

  describe('a stop', () => {
    it('answers what is under way, takes nothing new, and ends with 0', async () => {
      const server = await start(temporaryFolder());
      const asked = Array.from({ length: 40 }, () => fetch(`${server.baseUrl}/about`).then((answer) => answer.status));
      await Promise.race(asked);
      const ended = server.stop('SIGTERM');
      expect(await ended).to.equal(0);
      const answers = await Promise.allSettled(asked);
      const statuses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      expect(statuses.filter((status) => status !== 200)).to.deep.equal([]);
      await fetch(server.baseUrl).then(
        () => expect.fail('it still answers'),
        () => {},
      );
    });

    it('leaves the lease of the jobs to the next one', async () => {
      const dataDir = temporaryFolder();
      const server = await start(dataDir);
      expect(await server.stop('SIGTERM')).to.equal(0);
      const archive = join(temporaryFolder(), 'all.jsonl');
      await chatiere(['export', archive], { DATA_DIR: dataDir });
      const lease = readFileSync(archive, 'utf8')
        .split('\n')
        .find((line) => line.startsWith('["leases"'));
      expect(lease).to.include('1970-01-01');
    });
  });

  it('keeps what was written when it is killed', async () => {
    const dataDir = temporaryFolder();
    const server = await start(dataDir, { BOOTSTRAP_FILE: example });
    await server.stop('SIGKILL');
    const again = await start(dataDir);
    expect(await (await fetch(`${again.baseUrl}/@ecluse`)).text()).to.include('Pads de l’Écluse');
  });

  describe('copies of everything', () => {
    it('are made while it runs, and bring everything back into an empty folder', async () => {
      const dataDir = temporaryFolder();
      const server = await start(dataDir, { BOOTSTRAP_FILE: example });
      const file = join(temporaryFolder(), 'now.backup');
      const made = await chatiere(['backup', file, '--json'], { DATA_DIR: dataDir });
      expect(made.code, made.err).to.equal(0);
      expect(JSON.parse(made.out)).to.deep.include({ file, secret: join(dataDir, 'secret') });
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      expect((await chatiere(['backup', file], { DATA_DIR: dataDir })).code).to.equal(1);
      await server.stop('SIGKILL');

      const restored = join(temporaryFolder(), 'data');
      expect((await chatiere(['restore', file], { DATA_DIR: restored })).code).to.equal(0);
      copyFileSync(join(dataDir, 'secret'), join(restored, 'secret'));
      const again = await start(restored);
      expect(await (await fetch(`${again.baseUrl}/@ecluse`)).text()).to.include('Pads de l’Écluse');
      const twice = await chatiere(['restore', file], { DATA_DIR: restored });
      expect(twice.code).to.equal(1);
      expect(twice.err).to.include('is not empty');
    });

    it('are not made by copying a database in use', async () => {
      const dataDir = temporaryFolder();
      await start(dataDir);
      const copy = temporaryFolder();
      for (const name of ['chatiere.db', 'chatiere.db-wal']) copyFileSync(join(dataDir, name), join(copy, name));
      const target = join(temporaryFolder(), 'data');
      const refused = await chatiere(['restore', join(copy, 'chatiere.db')], { DATA_DIR: target });
      expect(refused.code).to.equal(1);
      expect(existsSync(join(target, 'chatiere.db'))).to.equal(false);
    });

    it('move between stores unchanged', async () => {
      const [from, to, files] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
      expect((await chatiere(['bootstrap', example], { DATA_DIR: from })).code).to.equal(0);
      const [first, second] = [join(files, 'a.jsonl'), join(files, 'b.jsonl')];
      expect((await chatiere(['export', first], { DATA_DIR: from })).code).to.equal(0);
      expect((await chatiere(['import', first, '--send'], { DATA_DIR: to })).code).to.equal(0);
      expect((await chatiere(['export', second], { DATA_DIR: to })).code).to.equal(0);
      expect(readFileSync(second, 'utf8')).to.equal(readFileSync(first, 'utf8'));
      expect((await chatiere(['import', first], { DATA_DIR: to })).code).to.equal(1);
    });
  });

  describe('people', () => {
    it('are created beside a running server, with a link that lets them choose a password', async () => {
      const dataDir = temporaryFolder();
      const server = await start(dataDir);
      const args = ['person', 'create', 'zoe', '--email', 'zoe@canal.example', '--role', 'administrator', '--json'];
      const made = await chatiere(args, { DATA_DIR: dataDir });
      expect(made.code, made.err).to.equal(0);
      const { link } = JSON.parse(made.out) as { link: string };
      expect(link.startsWith(`${server.baseUrl}/reset/`)).to.equal(true);
      expect((await fetch(link)).status).to.equal(200);
      const again = await chatiere(args, { DATA_DIR: dataDir });
      expect(again.code).to.equal(1);
      expect(again.err).to.include('username: ');
      const reset = await chatiere(['person', 'reset', 'zoe@canal.example'], { DATA_DIR: dataDir });
      expect(reset.out).to.include('/reset/');
      expect((await fetch(link)).status).to.equal(410);
    });

    it('take a mail that came back beside a running server, and bounce nothing themselves', async () => {
      const dataDir = temporaryFolder();
      await start(dataDir);
      const pipe = (input: string) => chatiere(['bounce'], { DATA_DIR: dataDir }, input);
      const other = await pipe('Subject: On holiday\n\nBack on Monday.\n');
      expect(other).to.include({ code: 0, out: 'This is no report of a mail server: nothing was done.\n', err: '' });
      const report = [
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        ...['', '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; x', ''],
        ...['Action: failed', 'Status: 5.1.1', '--b--', ''],
      ];
      expect(await pipe(report.join('\r\n'))).to.include({ code: 0, out: 'Nothing was to be done.\n' });
      const nowhere = await chatiere(
        ['bounce'],
        { DATA_DIR: dataDir, MONGODB_URI: 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=200' },
        report.join('\n'),
      );
      expect(nowhere.code, nowhere.err).to.equal(75);
    });

    it('are refused in words when something is missing or unknown', async () => {
      const env = { DATA_DIR: temporaryFolder() };
      expect((await chatiere(['person', 'create', 'zoe'], env)).err).to.include("required option '--email <address>'");
      expect((await chatiere(['person', 'create', 'zoe', '--email', 'x'], env)).err.trim()).to.equal(
        '--email x is not an address.',
      );
      expect(
        (await chatiere(['person', 'create', 'zoe', '--email', 'z@x.example', '--role', 'king'], env)).err,
      ).to.include('--role must be one of');
      expect((await chatiere(['person', 'reset', 'nobody'], env)).err).to.include(
        'Nobody has the user name or address nobody',
      );
    });
  });

  it('says twice that a bootstrap file was read, and makes its things once', async () => {
    const env = { DATA_DIR: temporaryFolder() };
    expect((await chatiere(['bootstrap', example], env)).out).to.equal(
      'Made: 3 people, 1 collectives, 2 members, 1 services, 1 posts.\n',
    );
    expect((await chatiere(['bootstrap', example], env)).out).to.equal('Everything in the file was there already.\n');
  });

  it('imports a hoster from a file on disk, and says what it thinks of it', async () => {
    const dataDir = temporaryFolder();
    const file = join(temporaryFolder(), 'organization.properties');
    writeFileSync(
      file,
      'file.class=Organization\nfile.protocol=ChatonsInfos-0.4\norganization.name=La Bouture\norganization.website=nowhere\n',
    );
    const first = await chatiere(['chatonsinfos', 'import', file, '--json'], { DATA_DIR: dataDir });
    expect(first.code, first.err).to.equal(0);
    const result = JSON.parse(first.out) as { collective: string; remarks: string[] };
    expect(result.collective).to.equal('labouture');
    expect(result.remarks.join('\n')).to.include('organization.properties:4: ');
    const dry = await chatiere(['chatonsinfos', 'import', file, '--dry-run'], { DATA_DIR: dataDir });
    expect(dry.out).to.include('Nothing was changed');
    expect((await chatiere(['chatonsinfos', 'import', join(dataDir, 'none')], { DATA_DIR: dataDir })).code).to.equal(1);
  });

  describe('the doctor', () => {
    it('finds a running instance well', async () => {
      const dataDir = temporaryFolder();
      const server = await start(dataDir);
      const ended = await chatiere(['doctor', '--json'], {
        DATA_DIR: dataDir,
        PORT: String(server.port),
        BASE_URL: server.baseUrl,
      });
      const { findings } = JSON.parse(ended.out) as { findings: { what: string; state: string }[] };
      expect(findings.filter(({ state }) => state === 'broken')).to.deep.equal([]);
      const whats = [
        'Node.js',
        'data folder',
        'disk',
        'backup',
        'store',
        'reachability',
        'clock',
        'WebFinger',
        'federation',
      ];
      for (const what of whats) {
        expect(
          findings.map((finding) => finding.what),
          what,
        ).to.include(what);
      }
      expect(ended.code).to.equal(0);
    });

    it('says what is broken and what to do, with exit code 1', async () => {
      const dataDir = join(temporaryFolder(), 'data');
      mkdirSync(dataDir, { mode: 0o755 });
      const ended = await chatiere(['doctor'], { DATA_DIR: dataDir, PORT: String(await freePort()) });
      expect(ended.code).to.equal(1);
      expect(ended.out).to.include(`BROKEN  data folder: others may read ${dataDir}: chmod 700`);
      expect(ended.out).to.match(/look {4}reachability: http:\/\/localhost:\d+ does not answer: start Chatière/);
      const config = await chatiere(['doctor'], { PORT: 'x' });
      expect(config.code).to.equal(1);
      expect(config.out).to.match(/BROKEN {2}configuration: .*PORT/);
    });

    it('knows a name that leads nowhere', async () => {
      const ended = await chatiere(['doctor'], { DATA_DIR: temporaryFolder(), BASE_URL: 'https://chatiere.invalid' });
      expect(ended.out).to.include('BROKEN  DNS: chatiere.invalid has no address');
      expect(ended.code).to.equal(1);
    });
  });
});
