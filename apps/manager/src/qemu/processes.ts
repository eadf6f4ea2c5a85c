import { execFile, spawn } from 'node:child_process';
import { appendFile, open, readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** A guest that does not end within it is killed, and given up after as long again. */
const patienceMs = 5_000;
const lookAgainMs = 50;

/**
 * The QEMU processes of this host. They outlive a manager: each is known by the folder that its arguments name, so
 * whoever takes a manager's place finds them, and a process id that now belongs to another program deceives nobody.
 */
export class Processes {
  constructor(private readonly options: { useSudo: boolean }) {}

  /**
   * Starts a program in a session of its own; what it writes goes to `logFile`.
   * @returns a promise for its end, which never rejects; a program that is not there ends at once and is logged
   */
  async start(
    command: string,
    args: readonly string[],
    logFile: string,
  ): Promise<{ ended: Promise<void> }> {
    const log = await open(logFile, 'a', 0o600);
    const [file, ...all] = this.asRoot([command, ...args]);
    const child = spawn(file, all, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', ({ message }) => void appendFile(logFile, message).finally(resolve));
    });
    await log.close();
    return { ended };
  }

  /** Whether a program runs whose arguments name the folder. */
  async running(folder: string): Promise<boolean> {
    return (await pidsOf(folder)).length > 0;
  }

  /** Resolves when no program runs whose arguments name the folder. @throws {Error} when one cannot be ended */
  async end(folder: string): Promise<void> {
    for (const signal of ['TERM', 'KILL'] as const) {
      if (await this.signalUntilGone(folder, signal)) return;
    }
    throw new Error('the guest does not end');
  }

  /** Makes files ours that a program has made as root. */
  async own(...files: string[]): Promise<void> {
    if (!this.options.useSudo) return;
    const [file, ...args] = this.asRoot(['chown', String(process.getuid?.()), ...files]);
    await run(file, args);
  }

  private async signalUntilGone(folder: string, signal: 'TERM' | 'KILL'): Promise<boolean> {
    const until = performance.now() + patienceMs;
    let pids = await pidsOf(folder);
    if (pids.length > 0) await this.signal(signal, pids);
    while (pids.length > 0 && performance.now() < until) {
      await delay(lookAgainMs);
      pids = await pidsOf(folder);
    }
    return pids.length === 0;
  }

  /** One that has ended meanwhile is no failure: `end` looks again. */
  private async signal(signal: 'TERM' | 'KILL', pids: readonly number[]): Promise<void> {
    const [file, ...args] = this.asRoot(['kill', '-s', signal, ...pids.map(String)]);
    await run(file, args).catch(() => undefined);
  }

  private asRoot(command: [string, ...string[]]): [string, ...string[]] {
    return this.options.useSudo ? ['sudo', '-n', ...command] : command;
  }
}

async function pidsOf(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const named = await Promise.all(pids.map((pid) => names(pid, folder)));
  return pids.filter((_, index) => named[index]);
}

async function names(pid: number, folder: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(folder);
}
