import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const linux = process.platform === 'linux';

/**
 * When a process was started, as a text to compare; null when no such process lives. Together with the pid it names
 * one process for good, while a pid alone is given out again.
 */
export async function processStart(pid: number): Promise<string | null> {
  return linux ? linuxProcessStart(pid) : ps(pid, 'lstart=');
}

/** The command line of a living process; null when no such process lives. */
export async function commandLine(pid: number): Promise<string | null> {
  if (!linux) {
    return ps(pid, 'command=');
  }
  const text = await readOrNull(`/proc/${pid}/cmdline`);
  return text === null ? null : text.replaceAll('\0', ' ').trim();
}

async function linuxProcessStart(pid: number): Promise<string | null> {
  const [stat, boot] = await Promise.all([
    readOrNull(`/proc/${pid}/stat`),
    readOrNull('/proc/sys/kernel/random/boot_id'),
  ]);
  // The name in parentheses may hold anything, so fields count from behind it: state is field 3, start time 22.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  const gone = state === undefined || state === 'Z' || state === 'X';
  return gone ? null : `${boot?.trim() ?? ''}/${started ?? ''}`;
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

async function ps(pid: number, column: string): Promise<string | null> {
  const { stdout } = await run('ps', ['-p', String(pid), '-o', column]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() || null;
}
