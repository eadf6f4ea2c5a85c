import { readFile } from 'node:fs/promises';

/** A process of this machine, told from a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Ticks since boot at which it began (proc(5), field 22); 0 where there is no /proc. */
  started: number;
}

/** When a living process began; undefined when there is none. A zombie has ended. */
export async function startOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return isAliveWithoutProc(pid) ? 0 : undefined;
  // The second field is a name in brackets, in which anything may stand.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : Number(fields[19]);
}

/**
 * Whether this very process lives: number, begin and, where it can be read, the run id in its command line. A number that
 * was given to another process since is never taken for it (jobs.md 9, restart).
 */
export async function isAlive(identity: ProcessIdentity, runId: string): Promise<boolean> {
  if ((await startOf(identity.pid)) !== identity.started) return false;
  const command = await readFile(`/proc/${identity.pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command === '' || command.split('\0').includes(runId);
}

function isAliveWithoutProc(pid: number): boolean {
  if (process.platform === 'linux') return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
