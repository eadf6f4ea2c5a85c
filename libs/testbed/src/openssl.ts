import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';

export interface CommandResult {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/**
 * Runs the real `openssl` program, which takes what we issue or does not.
 * @param input its standard input; nothing by default
 * @throws {Error} when there is no such program
 */
export async function openssl(args: string[], input?: string | Buffer): Promise<CommandResult> {
  const child = spawn('openssl', args, { stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end(input ?? '');
  const [stdout, stderr, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
  ]);
  return { code, stdout, stderr: stderr.toString() };
}
