// The boundaries of ARCHITECTURE.md as checks: who may import whom, and which few files may do what. The way out to the
// network has its own test (test/federation/egress.test.ts).
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { projectDir } from '../server/paths.js';

interface Import {
  from: string;
  to: string;
  /** Vanishes when compiled. */
  isType: boolean;
}

const read = (file: string): string => readFileSync(join(projectDir, file), 'utf8');
const list = (folder: string, ending: string): string[] =>
  readdirSync(join(projectDir, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();

const sources = ['server', 'federation', 'jobs']
  .flatMap((folder) => list(folder, '.ts'))
  .filter((file) => !file.endsWith('.d.ts'));
const views = list('views', '.hbs');
const imports = sources.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const found: Import[] = [];
  for (const [, typeWord, names = '', target = ''] of read(file).matchAll(
    /^(?:import|export)\s+(type\s+)?([^;]*?)\s*from\s+'([^']+)';/gms,
  )) {
    const named = names
      .replace(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const isType = typeWord !== undefined || (names.startsWith('{') && named.every((name) => name.startsWith('type ')));
    found.push({ from: file, to: resolveImport(file, target), isType });
  }
  for (const [, lazy, bare] of read(file).matchAll(/\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm)) {
    found.push({ from: file, to: resolveImport(file, lazy ?? bare ?? ''), isType: false });
  }
  return found;
}

/** A file of ours by its path, a package by its name. */
function resolveImport(from: string, target: string): string {
  return target.startsWith('.')
    ? normalize(join(dirname(from), target))
        .replaceAll('\\', '/')
        .replace(/\.js$/, '.ts')
    : target;
}

const said = (one: Import): string => `${one.from} -> ${one.to}`;
const room = (file: string): string => file.split('/')[0] ?? '';

/** Lines of source that match, as "file:line". Comments count as well: nothing needs to name these things. */
function linesWith(pattern: RegExp, files: readonly string[] = sources): string[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

const except = (found: string[], allowed: readonly string[]): string[] =>
  found.filter((place) => !allowed.some((start) => place.startsWith(start)));

/** Schema, rules, queries and present, actions, routes: a slice's files may import what is lower or equal. */
const ranks: Record<string, number> = { schema: 0, rules: 1, queries: 2, present: 2, actions: 3, routes: 4 };

function rankOf(file: string): number | null {
  const [top, slice, part] = file.split('/');
  if (top !== 'server' || slice === 'store' || slice === 'http' || part === undefined) return null;
  return ranks[part.replace(/\.ts$/, '')] ?? null;
}

describe('the architecture', () => {
  it('was read at all', () => {
    expect(sources.length).to.be.greaterThan(150);
    expect(imports.length).to.be.greaterThan(500);
    expect(views.length).to.be.greaterThan(50);
    expect(said(imports.find(({ from, to }) => from === 'server/main.ts' && to === 'server/app.ts') as Import)).to.be.a(
      'string',
    );
  });

  describe('arrows', () => {
    it('point from routes to actions to queries to rules to schema, within a slice and between slices', () => {
      const wrong = imports.filter(({ from, to }) => {
        const [upper, lower] = [rankOf(from), rankOf(to)];
        return upper !== null && lower !== null && lower > upper;
      });
      expect(wrong.map(said)).to.deep.equal([]);
    });

    it('point from federation and jobs to the server; only main and app know both', () => {
      const outward = imports.filter(
        ({ from, to }) => room(from) === 'server' && ['federation', 'jobs'].includes(room(to)),
      );
      const allowed = ['server/main.ts', 'server/app.ts'];
      expect(outward.filter(({ from }) => !allowed.includes(from)).map(said)).to.deep.equal([]);
      const inward = imports.filter(({ from, to }) => room(from) === 'federation' && room(to) === 'jobs');
      expect(inward.map(said)).to.deep.equal([]);
    });

    it('come to main and app from the command line only', () => {
      const roots = ['server/main.ts', 'server/app.ts', 'server/cli.ts'];
      const wrong = imports.filter(
        ({ from, to, isType }) =>
          roots.includes(to) && !isType && !from.startsWith('server/cli') && from !== 'server/main.ts',
      );
      expect(wrong.map(said)).to.deep.equal([]);
    });

    it('never run in a circle', () => {
      const circles = circlesIn(imports.filter(({ isType }) => !isType));
      expect(circles).to.deep.equal([]);
    });

    it('lead from rules, schema and actions to no HTTP, no JSON-LD and no template', () => {
      const inner = /^server\/(?!http\/|store\/)[^/]+\/(schema|rules|queries|actions)(\.ts|\/)/;
      const outer =
        /^(express|express-session|passport|helmet|handlebars|multer|jsonld|activitypub-express\/.*|undici|server\/http\/routes\.ts|server\/http\/page\.ts)$/;
      const wrong = imports.filter(({ from, to }) => inner.test(from) && outer.test(to));
      expect(wrong.map(said)).to.deep.equal([]);
    });
  });

  describe('only the store', () => {
    it('imports a database or looks behind its own interface', () => {
      const engines = /^(libsql|mongodb|mingo(\/.*)?|bson|server\/store\/(embedded|mongodb)\/.*)$/;
      const wrong = imports.filter(({ from, to }) => !from.startsWith('server/store/') && engines.test(to));
      expect(wrong.map(said)).to.deep.equal([]);
    });

    it('decides anything by which engine it is', () => {
      const asks = /\.engine\s*[!=]==|[!=]==\s*'(embedded|mongodb)'|case\s+'(embedded|mongodb)'/;
      expect(except(linesWith(asks), ['server/store/'])).to.deep.equal([]);
    });
  });

  it('reads the environment in one place', () => {
    const places = linesWith(/process\.env\b/);
    expect(except(places, ['server/cli/environment.ts', 'jobs/demo.ts'])).to.deep.equal([]);
  });

  it('takes the time from the context, in every rule, query and deed', () => {
    const clocks = linesWith(/new Date\(\)|Date\.now\(\)/);
    const doors = ['server/main.ts', 'server/cli/', 'server/store/', 'jobs/demoPartners.ts'];
    expect(except(clocks, doors)).to.deep.equal([]);
  });

  it('has no unsafe route that was declared beside server/http/routes.ts and the inbox', () => {
    const declared = linesWith(/\b(router|app)\.(post|put|patch|delete|all)\(/);
    expect(
      except(declared, ['server/http/routes.ts', 'federation/routes.ts', 'federation/wellKnown.ts']),
    ).to.deep.equal([]);
  });

  it('compares no token, digest, code or signature with ===', () => {
    const word = '\\w*(?:token|digest|mac|secret|signature|hash)';
    const value = '(?!undefined|null|\'|"|typeof|\\d)[\\w.]+';
    const compared = new RegExp(
      `\\b${word}\\s*[!=]==\\s*${value}|(?<!typeof )\\b[\\w.]+\\s*[!=]==\\s*[\\w.]*\\b${word}\\b`,
      'i',
    );
    // Names a plan that its reader was shown: no secret.
    const allowed = ['server/catalogue/actions/imports.ts'];
    expect(except(linesWith(compared), allowed)).to.deep.equal([]);
  });

  it('leaves nothing for later without saying where', () => {
    expect(linesWith(/\b(TODO|FIXME|XXX|HACK)\b/, [...sources, ...views])).to.deep.equal([]);
  });

  it('writes nothing to the console beside the log', () => {
    expect(except(linesWith(/\bconsole\.\w+\(/), ['jobs/demo.ts'])).to.deep.equal([]);
  });

  describe('templates', () => {
    it('hold no script, style or handler of their own', () => {
      expect(linesWith(/<style|\sstyle=|\son[a-z]+=["'{]|javascript:/i, views)).to.deep.equal([]);
      expect(linesWith(/<script(?![^>]*\b(src=|type="application\/ld\+json"))/i, views)).to.deep.equal([]);
    });

    it('fetch nothing from elsewhere', () => {
      expect(linesWith(/(src|srcset|data|poster)="(https?:)?\/\//i, views)).to.deep.equal([]);
      expect(linesWith(/@import|url\(\s*['"]?(https?:)?\/\//i, list('views/public', '.css'))).to.deep.equal([]);
    });

    it('put out unescaped text in few places, each of which is known', () => {
      const raw = linesWith(/\{\{\{|\{\{&/, views).map((place) => place.split(':')[0]);
      expect([...new Set(raw)].filter((file) => !knownRaw.has(file ?? ''))).to.deep.equal([]);
    });
  });

  it('has a lock file that any machine can install from', () => {
    const checked = spawnSync(process.execPath, ['.ci/lock.js'], { cwd: projectDir, encoding: 'utf8' });
    expect(checked.stderr).to.equal('');
    expect(checked.status).to.equal(0);
  });
});

/** The page around a page, mails in plain text, and posts, ours and others', cleaned of everything but a few elements. */
const knownRaw = new Set([
  'views/layouts/page.hbs',
  'views/mails/text.hbs',
  'views/partials/ownPost.hbs',
  'views/partials/post.hbs',
  'views/partials/remotePostBody.hbs',
  'views/partners/find.hbs',
  'views/posts/form.hbs',
]);

/** Groups of files that import each other, by Tarjan's algorithm. */
function circlesIn(arrows: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of arrows) targets.set(from, [...(targets.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file) ?? 0);
    stack.push(file);
    for (const to of targets.get(file) ?? []) {
      if (!order.has(to)) visit(to);
      if (stack.includes(to)) low.set(file, Math.min(low.get(file) ?? 0, low.get(to) ?? 0));
    }
    if (low.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle.join(' '));
  };
  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return circles;
}
