import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './daemon.js';
import { freePort } from './ports.js';
import { pythonEnvironment } from './python-environment.js';

const version = '5.2.5';

export interface Ec2Emulator {
  url: string;
  /** Nothing is there any more. */
  reset(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

/**
 * moto (Apache-2.0), which answers the calls of AWS in their shapes and keeps what they make in memory. It verifies no
 * signature, ignores client tokens, and everything takes no time.
 */
export function ec2Environment(): Promise<string> {
  // What its server needs for EC2, and nothing for the other services that it knows.
  return pythonEnvironment(
    `moto-${version}`,
    `moto==${version}`,
    'flask==3.1.3',
    'flask-cors==6.0.5',
  );
}

/** Starts it on the loopback address. */
export async function startEc2(): Promise<Ec2Emulator> {
  const file = await ec2Environment();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-ec2-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const daemon = new Daemon({
    name: 'the emulator of EC2',
    file,
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    logFile: join(folder, 'server.log'),
    ready: () =>
      fetch(`${url}/moto-api/`).then(
        () => true,
        () => false,
      ),
  });
  const stop = async (): Promise<void> => {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await daemon.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const reset = async (): Promise<void> => {
    const { ok } = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
    if (!ok) throw new Error('the emulator of EC2 keeps what it has');
  };
  return { url, reset, stop };
}
