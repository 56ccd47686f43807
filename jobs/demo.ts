// `npm run demo`: three instances on free ports of this machine that federate, filled with ROSEAU. For trying things out;
// nothing here is used by a server. A fresh demo each time, unless --keep.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectDir } from '../server/paths.js';
import { followEachOther, talk } from './demoPartners.js';
import { holdReviews } from './demoSurveys.js';
import { type RoseauMemberId, roseau, roseauMember } from './roseau.js';

const password = 'un roseau plie et tient';

interface Plan {
  key: string;
  name: string;
  members: RoseauMemberId[];
  /** Who signs in for the first hoster, as coordinator, as administrator. */
  people: [member: string, coordinator: string, administrator: string];
}

const plans: Plan[] = [
  {
    key: 'canal',
    name: 'ROSEAU · canal',
    members: ['ecluse', 'tuilelierre', 'ruisseau'],
    people: ['sacha', 'maud', 'idris'],
  },
  {
    key: 'marais',
    name: 'ROSEAU · marais',
    members: ['octetsmarais', 'nuagecausses', 'fournil'],
    people: ['lou', 'nino', 'ysee'],
  },
  { key: 'serre', name: 'ROSEAU · serre', members: ['serrecommune', 'gouttiere'], people: ['alix', 'wim', 'fatou'] },
];

export interface DemoInstance extends Plan {
  port: number;
  baseUrl: string;
  dataDir: string;
}

/** What BOOTSTRAP_FILE says for one instance. */
function bootstrapOf({ key, name, members, people }: Plan): object {
  const [member, coordinator, administrator] = people;
  const person = (username: string) => ({
    username,
    email: `${username}@${key}.roseau.example`,
    displayName: username.charAt(0).toUpperCase() + username.slice(1),
    password,
    language: 'fr',
  });
  return {
    settings: {
      name,
      tagline: roseau.name,
      description: roseau.description,
      contactEmail: roseau.contactEmail,
      words: { round: roseau.words.round },
    },
    administrator: person(administrator),
    people: [{ ...person(coordinator), instanceRole: 'moderator' }, person(member)],
    collectives: members.map((id, index) => {
      const { profile, services } = roseauMember(id);
      const says = index === 0 ? [{ text: helloOf(profile.name.fr) }] : [];
      const members_ = [{ username: index === 0 ? member : administrator, role: 'representative' }];
      return { handle: id, profile, members: members_, services, posts: says };
    }),
  };
}

function helloOf(name: string): object {
  return {
    fr: `${name} est maintenant sur le Fédivers. Suivez-nous pour savoir quand un service ouvre, change ou ferme.`,
    en: `${name} is now on the Fediverse. Follow us to know when a service opens, changes or closes.`,
  };
}

function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  return Promise.all(
    probes.map(
      (probe) =>
        new Promise<number>((done, fail) => {
          probe.once('error', fail);
          probe.listen(0, '127.0.0.1', () => {
            const address = probe.address();
            done(typeof address === 'object' && address ? address.port : 0);
          });
        }),
    ),
  ).finally(() => {
    for (const probe of probes) probe.close();
  });
}

/** The ports are part of every name on the wire: a demo that is kept keeps them. */
async function layOut(folder: string): Promise<DemoInstance[]> {
  const note = join(folder, 'ports.json');
  const kept = existsSync(note) ? (JSON.parse(readFileSync(note, 'utf8')) as number[]) : null;
  const ports = kept ?? (await freePorts(plans.length));
  writeFileSync(note, JSON.stringify(ports));
  return plans.map((plan, index) => {
    const port = ports[index] ?? 0;
    return { ...plan, port, baseUrl: `http://localhost:${port}`, dataDir: join(folder, plan.key) };
  });
}

function start(instance: DemoInstance, hosts: string): ChildProcess {
  mkdirSync(instance.dataDir, { recursive: true, mode: 0o700 });
  const file = join(instance.dataDir, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrapOf(instance), null, 2));
  const child = spawn(process.execPath, [join(projectDir, 'dist/server/cli.js'), 'serve'], {
    // Not in the project folder: its .env is for the real instance. Not of the terminal's group: Ctrl-C is passed on once.
    cwd: instance.dataDir,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      PORT: String(instance.port),
      BASE_URL: instance.baseUrl,
      DATA_DIR: instance.dataDir,
      BOOTSTRAP_FILE: file,
      FEDERATION_PRIVATE_HOSTS: hosts,
      LOG_LEVEL: 'error',
    },
  });
  child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(`[${instance.key}] ${chunk.toString()}`));
  return child;
}

async function untilReady(instance: DemoInstance, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${instance.name} ended before it was ready`);
    const answer = await fetch(`${instance.baseUrl}/health/ready`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  throw new Error(`${instance.name} was not ready in a minute`);
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}

function describe(
  instances: readonly DemoInstance[],
  pages: readonly string[],
  folder: string,
  keeps: boolean,
): string {
  const lines = ['', 'ROSEAU runs on three instances that federate. Everybody’s password: ' + password, ''];
  for (const [index, { name, baseUrl, members, people }] of instances.entries()) {
    const [member, coordinator, administrator] = people;
    lines.push(
      `${name}   ${baseUrl}`,
      `  hosters: ${members.map((id) => `@${id}@${new URL(baseUrl).host}`).join('  ')}`,
      `  sign in: ${member} (member of ${members[0]})   ${coordinator} (coordinator)   ${administrator} (administrator)`,
      `  as ${member}, its partners on the two others and what they say: ${pages[index]}`,
      '',
    );
  }
  lines.push(
    keeps
      ? `Kept in ${folder}: the same demo is there next time with --keep.`
      : 'Gone when you stop it. Keep one with: npm run demo -- --keep',
    'Stop with Ctrl-C.',
    '',
  );
  return lines.join('\n');
}

async function run(): Promise<void> {
  const keeps = process.argv.includes('--keep');
  const folder = keeps ? join(projectDir, 'data', 'demo') : mkdtempSync(join(tmpdir(), 'chatiere-demo-'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const instances = await layOut(folder);
  const hosts = instances.map(({ port }) => `localhost:${port}`);
  const children = instances.map((instance) => start(instance, hosts.join(',')));
  let isStopping = false;
  const end = async (code: number) => {
    if (isStopping) return;
    isStopping = true;
    await Promise.all(children.map(stop));
    if (!keeps) rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  for (const [index, child] of children.entries()) {
    child.once('exit', (code) => {
      if (isStopping) return;
      console.error(`${instances[index]?.name} has ended (${code}).`);
      void end(1);
    });
  }
  try {
    await Promise.all(instances.map((instance, index) => untilReady(instance, children[index] as ChildProcess)));
    const pages = await followEachOther(instances, hosts);
    console.log(describe(instances, pages, folder, keeps));
    const tell = (line: string) => console.log(line);
    for (const play of [holdReviews, talk]) {
      await play(instances, hosts, tell).catch((error: unknown) => {
        if (!isStopping) console.error(error instanceof Error ? error.message : error);
      });
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    await end(1);
  }
}

await run();
