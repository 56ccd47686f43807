import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { projectDir } from '../../server/paths.js';

describe('npx chatiere', () => {
  it('is the command line, in the folder of the project', async () => {
    const command = join(projectDir, 'node_modules/.bin/chatiere');
    const { stdout } = await promisify(execFile)(command, ['--help'], { cwd: projectDir });
    expect(stdout).to.include('Usage: chatiere');
  });
});
