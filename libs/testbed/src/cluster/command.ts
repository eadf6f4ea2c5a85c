import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Its standard input. Default: nothing. */
  input?: string;
}

/**
 * Runs a program to its end and gives what it printed.
 * @throws {Error} with the end of its output when it fails
 */
export async function runCommand(
  file: string,
  args: string[],
  { input = '', ...options }: CommandOptions = {},
): Promise<string> {
  try {
    const running = run(file, args, { ...options, maxBuffer: 64 << 20 });
    running.child.stdin?.on('error', () => undefined).end(input);
    return (await running).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const told = `${stdout}${stderr}`.trim().slice(-2_000);
    throw new Error(`${basename(file)} failed: ${told}`, { cause: error });
  }
}
