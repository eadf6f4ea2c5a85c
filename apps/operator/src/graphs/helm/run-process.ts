import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface ProcessOptions {
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Its standard input. Default: nothing. */
  input?: string;
  /** Milliseconds after which it gets SIGTERM. */
  timeoutMs: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  graceMs: number;
  /** Gives it SIGTERM as well. */
  signal?: AbortSignal;
}

export interface ProcessResult {
  /** null: a signal ended it. */
  code: number | null;
  /** Why it got SIGTERM from here. */
  ended?: 'timeout' | 'stopped' | 'output';
  stdout: string;
  /** The end of what it said on standard error. */
  stderr: string;
}

const maxStdoutBytes = 64 << 20;
const tailBytes = 64 << 10;

/** Runs a program to its end: here, or in a process for that. */
export type RunProcess = (file: string, options: ProcessOptions) => Promise<ProcessResult>;

/**
 * Runs a program to its end, whatever that end is; what it prints is read while it runs. The kernel kills it when this
 * process ends (PR_SET_PDEATHSIG, prctl(2)): nobody would hold its lock on a release otherwise.
 * @throws {Error} when it cannot be started
 */
export async function runProcess(file: string, options: ProcessOptions): Promise<ProcessResult> {
  const [program, args] = boundToUs(file, options.args);
  const { cwd, env } = options;
  const child = spawn(program, args, { cwd, env, stdio: 'pipe' });
  let ended: ProcessResult['ended'];
  let killing: NodeJS.Timeout | undefined;
  const end = (why: ProcessResult['ended']): void => {
    if (ended !== undefined) return;
    ended = why;
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), options.graceMs);
  };
  const onAbort = (): void => end('stopped');
  const late = setTimeout(() => end('timeout'), options.timeoutMs);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    const stdout = collect(child.stdout, () => end('output'));
    const stderr = tail(child.stderr);
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    if (options.signal?.aborted) onAbort();
    const code = await closed;
    return { code, ended, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(late);
    clearTimeout(killing);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** As what this process starts, so that it ends with it: setpriv(1) of util-linux replaces itself by the program. */
export function boundToUs(file: string, args: readonly string[]): [string, readonly string[]] {
  if (process.platform !== 'linux') return [file, args];
  return ['setpriv', ['--pdeathsig=KILL', '--', file, ...args]];
}

function collect(stream: Readable, onOverflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxStdoutBytes) onOverflow();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

function tail(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-tailBytes);
  });
  return () => kept.toString().trim();
}
