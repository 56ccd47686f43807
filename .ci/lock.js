// Checks package-lock.json: no download address in it, every platform's packages in it (a lock written where one is
// missing makes `npm ci` fail elsewhere), versions in package.json exact. Uses nothing but Node, since it runs first.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const complaints = [];

for (const [path, entry] of Object.entries(packages)) {
  if (typeof entry.resolved === 'string' && /^[a-z+]+:\/\//i.test(entry.resolved)) {
    complaints.push(`${path} has a download address`);
  }
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!isLocked(path, name))
      complaints.push(`${path || 'package.json'} may need ${name}, which is not in the lock file`);
  }
  if (path !== '' && !entry.link && !entry.resolved && !entry.integrity && path.includes('node_modules/')) {
    complaints.push(`${path} has no checksum`);
  }
}
for (const group of ['dependencies', 'devDependencies']) {
  for (const [name, version] of Object.entries(manifest[group] ?? {})) {
    if (!/^\d+\.\d+\.\d+$/.test(version))
      complaints.push(`${name} is ${version} in package.json: write an exact version`);
  }
}

/** Node's own way of looking: beside the package, then in each folder above. */
function isLocked(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

for (const complaint of complaints) process.stderr.write(`package-lock.json: ${complaint}\n`);
process.exit(complaints.length > 0 ? 1 : 0);
