import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Logger } from '@glacis/observability';
import { Problem } from '../http/problem.js';
import { Slots } from './slots.js';

export interface GitOptions {
  /** Milliseconds that git may take in all; the time in which a reader does not take what it gives is not counted. */
  limitMs: number;
  /** Processes at once at most. */
  processes: number;
  /** Default `git`, found by PATH. */
  program?: string;
  logger: Logger;
}

/** A repository, as git is told of it. */
export interface GitPlace {
  /** Its git directory. Nothing else is looked at: neither the surroundings nor settings of the machine. */
  gitDir: string;
  /** What git may read without belonging to its user. */
  safeDirectory: string;
}

export interface GitMore {
  /** For standard input. */
  input?: string | Buffer;
  /** Protocols by which git may reach others. Default none. */
  protocols?: readonly string[];
}

/** git has run and failed. What it wrote stays in the log: it may hold paths and addresses. */
export class GitError extends Error {
  override readonly name = 'GitError';

  constructor(
    message: string,
    /** Exit code; null where a signal ended it. */
    readonly code: number | null,
  ) {
    super(message);
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Bytes of output that are taken whole, where it is not streamed. */
const wholeBytes = 1 << 20;
const logBytes = 2048;

/** Runs git so that neither what is asked for nor the settings of a repository have it do anything else. */
export class Git {
  private readonly slots: Slots;

  constructor(private readonly options: GitOptions) {
    this.slots = new Slots(options.processes, options.limitMs);
  }

  /** The output of a command that writes little. @throws {GitError}, {Problem} 504 after the limit */
  async text(place: GitPlace, args: string[], more: GitMore = {}): Promise<string> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.output(place, args, more)) {
      length += chunk.length;
      if (length > wholeBytes) throw new GitError(`git writes over ${wholeBytes} bytes`, null);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  /** The output piece by piece. Fails at its end when git has. Leaving the loop ends git. */
  async *output(place: GitPlace, args: string[], more: GitMore = {}): AsyncGenerator<Buffer> {
    const release = await this.slots.take();
    const child = this.start([...configOf(place, more), ...args], more.input);
    const errors = tailOf(child.stderr);
    const closed = once(child, 'close') as Promise<[number | null]>;
    closed.catch(() => undefined);
    try {
      yield* this.timed(child.stdout);
      const [code] = await closed;
      if (code !== 0) throw new GitError(`git ${args[0]} has ended with ${code}`, code);
    } catch (error) {
      const [command] = args;
      this.options.logger.info({ err: error, command, stderr: errors() }, 'git has failed');
      throw error;
    } finally {
      end(child);
      void closed.then(release, release);
    }
  }

  private start(args: string[], input: string | Buffer | undefined): Child {
    const { program = 'git' } = this.options;
    // A group of its own, so that what git starts ends with it.
    const child = spawn(program, args, { cwd: '/', env: environment(), detached: true });
    // Ended before it has read all: `closed` tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return child;
  }

  private async *timed(source: Readable): AsyncGenerator<Buffer> {
    let leftMs = this.options.limitMs;
    const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      const since = performance.now();
      const timer = setTimeout(() => source.destroy(tooSlow()), leftMs);
      const { done, value } = await pieces.next().finally(() => clearTimeout(timer));
      if (done) return;
      leftMs -= performance.now() - since;
      yield value;
    }
  }
}

const tooSlow = (): Problem => new Problem('gateway-timeout', 'git gave no answer in time');

/** Settings on the command line go before those of the repository, which whoever writes to the flow may change. */
function configOf(place: GitPlace, { protocols = [] }: GitMore): string[] {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.pager=cat',
    'core.fsmonitor=false',
    'core.alternateRefsCommand=false',
    'core.bigFileThreshold=8m',
    'diff.external=',
    'gc.auto=0',
    `safe.directory=${place.safeDirectory}`,
    'protocol.allow=never',
    'protocol.file.allow=never',
    ...protocols.map((protocol) => `protocol.${protocol}.allow=always`),
  ];
  const flags = ['--no-pager', '--no-optional-locks', '--no-replace-objects'];
  return [`--git-dir=${place.gitDir}`, ...flags, ...settings.flatMap((text) => ['-c', text])];
}

/** What git and its helpers need of our own environment. */
const passedOn = ['PATH', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

function environment(): NodeJS.ProcessEnv {
  const names = [...passedOn, ...passedOn.map((name) => name.toLowerCase())];
  return {
    ...Object.fromEntries(names.map((name) => [name, process.env[name]])),
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Time in which git removes its lock files. */
const cleanUpMs = 2000;

function end(child: Child): void {
  child.stdout.destroy();
  child.stderr.destroy();
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const group = -child.pid;
  signal(group, 'SIGTERM');
  const timer = setTimeout(() => signal(group, 'SIGKILL'), cleanUpMs);
  child.once('exit', () => clearTimeout(timer));
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(group, name);
  } catch {
    // It has ended meanwhile.
  }
}

function tailOf(stream: Readable): () => string {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text: string) => (tail = (tail + text).slice(-logBytes)));
  return () => tail;
}
