import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program of the suite, run as its user would run it; its lines can be waited for. */
export class Child {
  readonly exited: Promise<number | null>;
  private readonly lines: string[] = [];
  private readonly watchers = new Set<() => void>();
  private ended = false;

  private constructor(private readonly process: ChildProcess) {
    this.exited = new Promise((resolve) => {
      process.once('exit', (code) => {
        this.ended = true;
        this.notify();
        resolve(code);
      });
    });
    for (const stream of [process.stdout, process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.add(line));
    }
  }

  /** @param env added to this process's environment */
  static start(script: string, env: Record<string, string>, args: readonly string[] = []): Child {
    const options = { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] as const };
    return new Child(
      spawn(process.execPath, [script, ...args], { ...options, stdio: [...options.stdio] }),
    );
  }

  /** Every line so far. */
  get printed(): readonly string[] {
    return this.lines;
  }

  /** The first line, past or to come, that the pattern matches. Rejects when the program ends without it. */
  async line(pattern: RegExp, deadlineMs = 60_000): Promise<RegExpExecArray> {
    const give = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const match = this.lines.map((line) => pattern.exec(line)).find((found) => found !== null);
      if (match) return match;
      if (this.ended || give.aborted) {
        throw new Error(`no line like ${pattern} in:\n${this.lines.slice(-20).join('\n')}`);
      }
      await this.change(give);
    }
  }

  /** SIGKILL: the end that no program can prepare for. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  /** SIGTERM, then waits for the end. */
  async stop(): Promise<void> {
    if (!this.ended) this.process.kill('SIGTERM');
    await this.exited;
  }

  private add(line: string): void {
    this.lines.push(line);
    this.notify();
  }

  private notify(): void {
    for (const watcher of this.watchers) watcher();
  }

  private async change(give: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.watchers.delete(done);
        give.removeEventListener('abort', done);
        resolve();
      };
      this.watchers.add(done);
      give.addEventListener('abort', done);
    });
  }
}
