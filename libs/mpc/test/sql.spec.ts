import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

describe('whole queries', () => {
  it('jobs.md 11: random queries over shares show what DuckDB and the disclosure rules say', () => {
    const command = join(import.meta.dirname, '../../../conformance/run.mjs');
    const args = [command, 'sql', '1', '25', '--one-thread'];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('25 passed, 0 failed');
    expect(status).toBe(0);
  });
});
