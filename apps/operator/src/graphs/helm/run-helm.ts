import type { ChartArchives } from './chart-archives.js';
import { HelmError, type HelmErrorCode } from './helm-error.js';
import type { ProcessResult, RunProcess } from './run-process.js';
import type { WorkFolder } from './work-folder.js';

export interface HelmCommand {
  args: readonly string[];
  /** Its standard input. */
  input?: string;
  /** What must not be told of what it says. */
  secrets?: readonly string[];
  /** Where it changes a release, and then has a time-out of its own; otherwise it asks a repository. */
  release?: string;
}

/** Runs helm(1) and gives what it printed. @throws {HelmError} */
export type RunHelm = (command: HelmCommand) => Promise<string>;

export interface HelmOptions {
  /** The program: a path, or a name in `PATH`. */
  program: string;
  /** Starts it. */
  run: RunProcess;
  /** Seconds that an install, a rollback or an uninstall may take. */
  installTimeoutSeconds: number;
  /** Seconds that a question to a repository may take. */
  repoTimeoutSeconds: number;
  /** File of the cluster's credentials. Absent: those of the pod. */
  kubeconfig?: string;
  /** Absent: every release asks its repository. */
  archives?: ChartArchives;
  /** Told of each process that has ended. */
  onRun?: (run: HelmRun) => void;
}

export interface HelmRun {
  /** `upgrade`, `rollback`, `uninstall`, `repo`, `pull` or `show`. */
  verb: string;
  release?: string;
  seconds: number;
  outcome: 'succeeded' | HelmErrorCode;
}

/** Milliseconds that helm has beyond its own time-out, and from SIGTERM to SIGKILL. */
const graceMs = 30_000;

/** @param signal stops what runs */
export function helmRunner(
  folder: WorkFolder,
  options: HelmOptions,
  signal?: AbortSignal,
): RunHelm {
  return async (command) => {
    const { args, input, release } = command;
    const verb = args[0] ?? '';
    const begun = performance.now();
    const own = release === undefined;
    folder.make();
    const seconds = own ? options.repoTimeoutSeconds : options.installTimeoutSeconds;
    const result = await options.run(options.program, {
      args,
      input,
      signal,
      graceMs,
      cwd: folder.path,
      env: folder.environment(options.kubeconfig),
      timeoutMs: seconds * 1000 + (own ? 0 : graceMs),
    });
    const error = errorOf(result, { ...command, what: `helm ${verb}`, seconds });
    const outcome = error?.code ?? 'succeeded';
    options.onRun?.({ verb, release, seconds: (performance.now() - begun) / 1000, outcome });
    if (error) throw error;
    return result.stdout;
  };
}

function errorOf(
  { code, ended, stdout, stderr }: ProcessResult,
  { what, seconds, secrets = [] }: HelmCommand & { what: string; seconds: number },
): HelmError | undefined {
  if (ended === 'stopped') return new HelmError('stopped', `${what} was stopped`);
  // This one tells its reasons there, and prints nothing else.
  const told = what === 'helm repo' ? `${stdout}${stderr}` : stderr;
  const said = withoutSecrets(told, secrets);
  if (ended === 'timeout') {
    return new HelmError('timeout', `${what} was not done within ${seconds} s. ${said}`.trim());
  }
  if (code === 0 && ended === undefined) return undefined;
  const late = /context deadline exceeded|timed out waiting/.test(stderr);
  return new HelmError(late ? 'timeout' : 'failed', said || `${what} failed`);
}

/** Also user information of URLs, which helm repeats in its errors. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret !== '');
  const clean = known.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return clean.replaceAll(/:\/\/[^\s/@"']+@/g, '://***@');
}
