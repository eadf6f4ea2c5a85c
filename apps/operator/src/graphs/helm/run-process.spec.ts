import { Launcher } from './launcher.js';
import { runProcess, type ProcessOptions, type RunProcess } from './run-process.js';

const launcher = new Launcher();
afterAll(() => launcher.close());

const ways: [string, RunProcess][] = [
  ['of ours', runProcess],
  ['of the launcher', launcher.run],
];

describe.each(ways)('graph-apps.md 4.1: processes %s', (_, run) => {
  const shell = (script: string, options: Partial<ProcessOptions> = {}) =>
    run('/bin/sh', {
      args: ['-c', script],
      cwd: '/',
      env: process.env,
      timeoutMs: 60_000,
      graceMs: 60_000,
      ...options,
    });

  it('are given their input and read to the end', async () => {
    const { code, stdout } = await shell('cat; exit 3', { input: 'x'.repeat(1 << 20) });
    expect([code, stdout.length]).toEqual([3, 1 << 20]);
  });

  it('leave the end of what they say on standard error', async () => {
    const { stderr } = await shell('head -c 1000000 /dev/zero | tr "\\0" a >&2; echo end >&2');
    expect(stderr).toHaveLength((64 << 10) - 1);
    expect(stderr.endsWith('aend')).toBe(true);
  });

  it('get SIGTERM when they are late or not wanted any more, and may end in good order', async () => {
    const script = 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done';
    const late = await shell(script, { timeoutMs: 500 });
    expect(late).toMatchObject({ code: 0, ended: 'timeout', stdout: 'up\nbye\n' });
    const before = await shell('sleep 60', { signal: AbortSignal.abort() });
    expect(before).toMatchObject({ code: null, ended: 'stopped' });
  });

  it('are killed when they do not heed it', async () => {
    const deaf = await shell('trap "" TERM; while :; do sleep 0.05; done', {
      timeoutMs: 100,
      graceMs: 100,
    });
    expect(deaf).toMatchObject({ code: null, ended: 'timeout' });
  });

  it('that cannot be started are an error', async () => {
    const file = '/nonexistent/helm';
    const { code, stderr } = await run(file, {
      args: [],
      cwd: '/',
      env: process.env,
      timeoutMs: 1000,
      graceMs: 1000,
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain(file);
  });
});
