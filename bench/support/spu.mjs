// SPU 0.9.5 (https://github.com/secretflow/spu, from PyPI) in a virtual environment of its own, kept for later runs.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const venv = join(root, 'node_modules/.cache/spu-0.9.5');
const python = join(venv, 'bin/python');

async function installed() {
  if (!existsSync(join(venv, 'ready'))) {
    await run('python3', ['-m', 'venv', '--clear', venv]);
    await run(python, ['-m', 'pip', 'install', '--quiet', 'spu==0.9.5'], { maxBuffer: 1 << 24 });
    await run('touch', [join(venv, 'ready')]);
  }
  return python;
}

/** Milliseconds of a sort and of a group-by sum, the better of two runs. */
export async function spuFigures(rows) {
  const program = join(import.meta.dirname, 'aby3.py');
  const { stdout } = await run(await installed(), [program, String(rows)], { maxBuffer: 1 << 24 });
  const [sort, groupSum] = stdout.trim().split('\n').at(-1).split(' ').map(Number);
  return { sort, groupSum };
}
