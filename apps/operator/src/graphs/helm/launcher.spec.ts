import { waitFor } from '@glacis/runtime';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Launcher } from './launcher.js';
import type { ProcessOptions } from './run-process.js';

/** A process that does not end by itself, known by its environment; its parent is written to the file `mark`. */
function lasting(mark: string): ProcessOptions {
  const args = ['-c', `echo $PPID > ${mark}; exec sleep 600`];
  return { args, cwd: '/', env: { MARK: mark }, timeoutMs: 600_000, graceMs: 600_000 };
}

const newMark = async (): Promise<string> => join(await temporaryFolder(), 'mark');

/** Undefined until it is written: no signal may go to the process 0, which is all of ours. */
const parentIn = (mark: string): Promise<number> =>
  waitFor(async () => Number(await readFile(mark, 'utf8').catch(() => '')) || undefined, {
    deadlineMs: 60_000,
  });

const ended = (mark: string): Promise<unknown> =>
  waitFor(async () => (await findProcesses(mark)).length === 0, { deadlineMs: 60_000 });

describe('graph-apps.md 4.1: the launcher of processes', () => {
  it('ends with us, and what it runs with it, also when we are killed', async () => {
    const mark = await newMark();
    const module = new URL('../../../dist/graphs/helm/launcher.js', import.meta.url).href;
    const script = `import(${JSON.stringify(module)}).then(({ Launcher }) =>
      new Launcher().run('/bin/sh', ${JSON.stringify(lasting(mark))}))`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    await parentIn(mark);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await ended(mark);
  });

  it('that is killed takes what it runs with it, which fails here; another one follows', async () => {
    const mark = await newMark();
    const launcher = new Launcher();
    const failure = launcher.run('/bin/sh', lasting(mark)).catch((error: unknown) => error);
    process.kill(await parentIn(mark), 'SIGKILL');
    expect(await failure).toBeInstanceOf(Error);
    await ended(mark);
    const echo = { ...lasting(mark), args: ['-c', 'echo again'] };
    expect(await launcher.run('/bin/sh', echo)).toMatchObject({ code: 0, stdout: 'again\n' });
    await launcher.close();
  });

  it('that is closed takes what it runs with it', async () => {
    const mark = await newMark();
    const launcher = new Launcher();
    const failure = launcher.run('/bin/sh', lasting(mark)).catch((error: unknown) => error);
    await parentIn(mark);
    await launcher.close();
    expect(await failure).toBeInstanceOf(Error);
    await ended(mark);
  });

  it('tells when programs begin to be run, and when there are none any more', async () => {
    const told: boolean[] = [];
    const onUse = (isUsed: boolean): void => void told.push(isUsed);
    const nothing = { ...lasting(await newMark()), args: ['-c', 'true'] };
    const patient = new Launcher(onUse, 600_000);
    for (let i = 0; i < 2; i++) await patient.run('/bin/sh', nothing);
    expect(told).toEqual([true]);
    await patient.close();
    expect(told).toEqual([true, false]);
    const hasty = new Launcher(onUse, 0);
    await hasty.run('/bin/sh', nothing);
    await waitFor(() => told.length === 4, { deadlineMs: 60_000 });
    expect(told.slice(2)).toEqual([true, false]);
    await hasty.close();
  });

  it('has nothing of our environment but the path', async () => {
    const mark = await newMark();
    const launcher = new Launcher();
    process.env['OF_THE_OPERATOR'] = mark;
    const failure = launcher.run('/bin/sh', lasting(mark)).catch((error: unknown) => error);
    const environment = await readFile(`/proc/${await parentIn(mark)}/environ`, 'utf8');
    expect(environment).not.toContain(mark);
    await launcher.close();
    await failure;
  });
});
