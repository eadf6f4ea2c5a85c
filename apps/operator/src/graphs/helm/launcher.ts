import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { boundToUs, type ProcessOptions, type ProcessResult } from './run-process.js';

/** A program to be run. `null`: the one of that id gets SIGTERM. */
export interface ToLauncher {
  id: number;
  program: { file: string; options: Omit<ProcessOptions, 'signal'> } | null;
}

/** `error`: it could not be started. */
export type FromLauncher = { id: number } & ({ result: ProcessResult } | { error: string });

interface Waiting {
  resolve: (result: ProcessResult) => void;
  reject: (error: Error) => void;
}

const launcher = createRequire(import.meta.url).resolve('@glacis/operator/launcher');

/**
 * Runs programs as `runProcess` does, from a small process of its own: to fork the operator, whose memory is that of its
 * caches, costs as much as all else that it does for a release. The kernel kills that process when the operator ends, and
 * with it whatever it runs. It begins with the first program; one that ended is followed by another.
 */
export class Launcher {
  private readonly waiting = new Map<number, Waiting>();
  private child: ChildProcess | undefined;
  private lastId = 0;
  private idle: NodeJS.Timeout | undefined;

  /**
   * @param onUse told when programs begin to be run, and when there was none for a while
   * @param idleMs that while
   */
  constructor(
    private readonly onUse: (isUsed: boolean) => void = () => undefined,
    private readonly idleMs = 10_000,
  ) {}

  /** @throws {Error} when it cannot be started, or was killed together with the launcher */
  readonly run = async (file: string, options: ProcessOptions): Promise<ProcessResult> => {
    const { signal, ...rest } = options;
    const id = (this.lastId += 1);
    this.used();
    const child = (this.child ??= this.start());
    const ended = new Promise<ProcessResult>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    const send = (message: ToLauncher): void => {
      child.send(message, (error) => error && this.waiting.get(id)?.reject(error));
    };
    const stop = (): void => send({ id, program: null });
    send({ id, program: { file, options: rest } });
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      return await ended;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.idle = setTimeout(() => this.unused(), this.idleMs).unref();
    }
  };

  /** What still runs is killed. */
  async close(): Promise<void> {
    const { child } = this;
    if (this.idle !== undefined) this.unused();
    if (!child) return;
    const closed = once(child, 'exit');
    if (child.connected) child.disconnect();
    await closed;
  }

  private used(): void {
    if (this.idle === undefined && this.waiting.size === 0) this.onUse(true);
    clearTimeout(this.idle);
    this.idle = undefined;
  }

  private unused(): void {
    clearTimeout(this.idle);
    this.idle = undefined;
    this.onUse(false);
  }

  private start(): ChildProcess {
    const [file, args] = boundToUs(process.execPath, [launcher]);
    const child = spawn(file, args, {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message) => this.told(message as FromLauncher));
    const gone = (): void => this.lost(child);
    return child.once('error', gone).once('exit', gone);
  }

  private told(message: FromLauncher): void {
    const waiting = this.waiting.get(message.id);
    if ('result' in message) waiting?.resolve(message.result);
    else waiting?.reject(new Error(message.error));
  }

  private lost(child: ChildProcess): void {
    if (this.child !== child) return;
    this.child = undefined;
    const error = new Error('the process that starts others has ended');
    for (const { reject } of this.waiting.values()) reject(error);
  }
}
