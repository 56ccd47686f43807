#!/usr/bin/env node
// What `npx chatiere` runs in the project's folder: the compiled command line (server/cli.ts). A package of its own, since
// npm links the commands of a workspace, not those of the project itself.
import { existsSync } from 'node:fs';

const compiled = new URL('../../dist/server/cli.js', import.meta.url);
if (existsSync(compiled)) await import(compiled.href);
else {
  process.stderr.write('Chatière is not built yet: run "npm run build" first.\n');
  process.exitCode = 1;
}
