import { waitFor } from '@glacis/runtime';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat } from 'node:fs/promises';

export interface DaemonOptions {
  /** For errors. */
  name: string;
  file: string;
  args: string[];
  /** Default: the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** Takes its standard output and error, start after start. */
  logFile: string;
  /** Whether it is ready, from what it has logged since it was started. */
  ready: (log: string) => boolean | Promise<boolean>;
  /** Milliseconds that a start may take. Default 60,000. */
  startDeadlineMs?: number;
  /** Milliseconds that a stop may take, after which it is killed and the stop fails. Default 30,000. */
  stopDeadlineMs?: number;
  /** By which it stops in good order. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** As root, the user and group to run as. */
  uid?: number;
}

/**
 * A program that is started, stopped, killed and started again. It never outlives this process, even when that is
 * killed: the kernel then kills it as well (PR_SET_PDEATHSIG, prctl(2)).
 */
export class Daemon {
  private child: ChildProcess | undefined;
  private exit: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DaemonOptions) {}

  /** What it prints, start after start. */
  get logFile(): string {
    return this.options.logFile;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && !this.child.signalCode;
  }

  /** Of the program that runs or ran last. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** @throws {Error} with the end of its log when it ends or is not ready in time */
  async start(): Promise<void> {
    const { name, logFile, ready, startDeadlineMs = 60_000 } = this.options;
    if (this.running) throw new Error(`${name} runs already`);
    const offset = await sizeOf(logFile);
    await this.launch();
    const newLog = async (): Promise<string> =>
      (await readFile(logFile)).subarray(offset).toString();
    try {
      const started = await waitFor(
        async () => {
          if (!this.running) return { ready: false };
          return (await ready(await newLog())) && { ready: true };
        },
        { deadlineMs: startDeadlineMs, everyMs: 50, what: `${name} to be ready` },
      );
      if (!started.ready) throw new Error(`${name} has ended`);
    } catch (cause) {
      await this.kill();
      throw new Error(`${name} does not start: ${(await newLog()).trim().slice(-2_000)}`, {
        cause,
      });
    }
  }

  /** Ends it in good order. Nothing happens when it does not run. */
  async stop(): Promise<void> {
    const { name, stopSignal = 'SIGTERM', stopDeadlineMs = 30_000 } = this.options;
    if (!this.running) return;
    this.resume();
    this.signal(stopSignal);
    const late = setTimeout(() => this.signal('SIGKILL'), stopDeadlineMs);
    await this.exit;
    clearTimeout(late);
    if (this.child?.signalCode === 'SIGKILL') {
      throw new Error(`${name} did not stop within ${stopDeadlineMs} ms and was killed`);
    }
  }

  /** Ends it by SIGKILL. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit;
  }

  /** Freezes it: its connections stay open and nobody answers. */
  pause(): void {
    this.signal('SIGSTOP');
  }

  resume(): void {
    this.signal('SIGCONT');
  }

  private signal(signal: NodeJS.Signals): void {
    if (this.running) this.child?.kill(signal);
  }

  private async launch(): Promise<void> {
    const { file, args, env = process.env, logFile, uid } = this.options;
    const user = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    const log = await open(logFile, 'a');
    try {
      const child = spawn('setpriv', ['--pdeathsig=KILL', ...user, '--', file, ...args], {
        cwd: '/',
        env,
        stdio: ['ignore', log.fd, log.fd],
      });
      this.child = child;
      await once(child, 'spawn');
      this.exit = once(child, 'exit');
    } finally {
      await log.close();
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
