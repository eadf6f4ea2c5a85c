import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.js';
import type { CertificateFiles } from './certificate-authority.js';
import { runCommand } from './command.js';
import { Daemon } from './daemon.js';
import { freePort } from './ports.js';

const version = '3.37.0';
const sources = ['node_modules', 'azurite', 'dist', 'src'];

export interface AzureServer {
  /** Of each account. */
  endpoints: string[];
  /** The key of each, in the same order. */
  keys: string[];
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}

/**
 * Azurite (MIT), the emulator of Azure Blob Storage by its makers, with one change: a link that is bound to a stored
 * policy is held to its own fields where the policy leaves them open, as the service does and the emulator does not.
 */
export function azureProgram(): Promise<string> {
  return cached(`azurite-${version}-glacis1`, async (folder) => {
    const quiet = ['--no-audit', '--no-fund', '--loglevel', 'error'];
    const install = ['install', '--prefix', folder, '--ignore-scripts', ...quiet];
    await runCommand('npm', [...install, `azurite@${version}`], { cwd: folder });
    const file = join(folder, ...sources, 'blob', 'authentication', 'BlobSASAuthenticator.js');
    const before = await readFile(file, 'utf8');
    const after = before.replaceAll(/(values\.\w+) = (accessPolicy\.\w+);/g, '$1 = $2 || $1;');
    if (after === before) throw new Error('the emulator is not as it was when it was changed');
    await writeFile(file, after);
  });
}

export interface AzureOptions {
  /** Default 3. */
  accounts?: number;
  /** Takes tokens, for which it wants TLS; of a token it looks at audience, issuer and times, and not at the signature. */
  tls?: CertificateFiles;
}

/** Starts a server of Azure Blob Storage on the loopback address, with accounts and a folder of its own. */
export async function startAzure({ accounts = 3, tls }: AzureOptions = {}): Promise<AzureServer> {
  const program = await azureProgram();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-azure-'));
  const port = await freePort();
  const names = Array.from({ length: accounts }, (_, i) => `account${i}`);
  const keys = names.map(() => randomBytes(64).toString('base64'));
  const daemon = new Daemon({
    name: 'the server of Azure Blob Storage',
    file: process.execPath,
    args: [join(program, ...sources, 'blob', 'main.js')]
      .concat('--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder)
      .concat('--silent', '--disableTelemetry', '--skipApiVersionCheck')
      .concat(tls ? ['--oauth', 'basic', '--cert', tls.cert, '--key', tls.key] : []),
    env: {
      ...process.env,
      AZURITE_ACCOUNTS: names.map((name, i) => `${name}:${keys[i]}`).join(';'),
    },
    logFile: join(folder, 'server.log'),
    ready: (log) => log.includes('successfully listens'),
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
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  return { endpoints: names.map((name) => `${origin}/${name}`), keys, stop };
}
