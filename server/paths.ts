// Where the project's own files are, whether it runs from sources (tsx) or compiled (dist/).
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!(existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'views')))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the folder views/ was not found beside package.json');
    folder = parent;
  }
  return folder;
}

export const projectDir = findRoot();
export const viewsDir = join(projectDir, 'views');
