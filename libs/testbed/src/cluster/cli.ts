/**
 * `npm run testbed -- up kafka postgres`, `status`, `down`: real components on this machine, for people; `fetch`: all that
 * the cluster tests need, ahead of them.
 */
import { waitFor } from '@glacis/runtime';
import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache.js';
import { components, type ComponentName } from './components.js';
import { fetchAll } from './fetch.js';
import { findHolders, readState, removeState, stateFile } from './held-state.js';

const known = Object.keys(components);
/** What the services run with. */
const usual: ComponentName[] = ['kafka', 'postgres'];
const usage = `usage: npm run testbed -- up [${known.join('] [')}] | status | down | fetch`;
/** The first start of all fetches them, or builds them, on a machine that may be busy. */
const startDeadlineMs = 3 * 3_600_000;

async function up(names: string[]): Promise<void> {
  const wanted = names.length > 0 ? names : usual;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(' ')}\n${usage}`);
  if ((await findHolders()).length > 0) throw new Error('runs already: see status, or down first');
  await removeState();
  await hold(wanted as ComponentName[]);
  await status();
}

/** The holder is no child of this shell: it stays when that is closed. */
async function hold(names: ComponentName[]): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const logFile = join(cacheFolder(), 'up.log');
  const log = await open(logFile, 'w');
  console.error(`starts ${names.join(' and ')}; for the first time this takes minutes: ${logFile}`);
  const program = fileURLToPath(new URL('./hold.js', import.meta.url));
  const holder = spawn(process.execPath, [program, stateFile(), ...names], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const ready = await waitFor(
    async () => (await readState()) !== null || (holder.exitCode !== null && 'ended'),
    // Each look goes through all processes.
    { deadlineMs: startDeadlineMs, everyMs: 500, what: names.join(' and ') },
  );
  if (ready === 'ended') throw new Error(await readFile(logFile, 'utf8'));
  holder.unref();
}

async function down(): Promise<void> {
  const holders = await findHolders();
  holders.forEach((pid) => process.kill(pid, 'SIGTERM'));
  await waitFor(async () => (await findHolders()).length === 0, {
    deadlineMs: 60_000,
    everyMs: 200,
    what: 'the components to end',
  });
  await removeState();
  console.log(holders.length > 0 ? 'ended' : 'nothing ran');
}

async function status(): Promise<void> {
  const state = await readState();
  if (!state) {
    console.log('nothing runs');
    return;
  }
  for (const [variable, value] of Object.entries(state.env)) {
    console.log(`export ${variable}='${value}'`);
  }
  // The shell that evaluates the lines above passes over these.
  for (const hint of state.hints) console.log(`# ${hint}`);
}

const [verb, ...names] = process.argv.slice(2);
try {
  if (verb === 'up') await up(names);
  else if (verb === 'down') await down();
  else if (verb === 'status') await status();
  else if (verb === 'fetch') await fetchAll();
  else throw new Error(usage);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
