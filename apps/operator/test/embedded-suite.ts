import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@glacis/testbed';
import { Daemon, freePorts } from '@glacis/testbed/cluster';

const script = fileURLToPath(new URL('../../glacis/dist/main.js', import.meta.url));

export interface SuiteOptions {
  /** Address at which managers dial it. Default 127.0.0.1. */
  address?: string;
  env?: Record<string, string>;
}

/** The embedded suite in a process of its own, with its internal ports open. */
export class EmbeddedSuite {
  private constructor(
    readonly daemon: Daemon,
    readonly url: string,
    /** What an operator is told of it. */
    readonly operatorEnv: Record<string, string>,
    private readonly tokenFile: string,
  ) {}

  static async start({
    address = '127.0.0.1',
    env = {},
  }: SuiteOptions = {}): Promise<EmbeddedSuite> {
    const folder = await temporaryFolder();
    const joinTokenFile = join(folder, 'join');
    await writeFile(joinTokenFile, randomBytes(32).toString('hex'), { mode: 0o600 });
    const [port, managers, certs, backends, gateway] = await freePorts(5);
    const dataDir = join(folder, 'data');
    const daemon = new Daemon({
      name: 'the embedded suite',
      file: process.execPath,
      args: [script],
      env: {
        ...process.env,
        GLACIS_DATA_DIR: dataDir,
        GLACIS_PORT: String(port),
        GLACIS_BACKENDS_MANAGER_HOST: address,
        GLACIS_BACKENDS_MANAGER_PORT: String(managers),
        GLACIS_BACKENDS_PUBLIC_NAMES: `localhost,127.0.0.1,${address}`,
        GLACIS_BACKENDS_AGENT_PORT: '0',
        GLACIS_CERTS_EST_PORT: '0',
        GLACIS_JOBS_AGENTS_PORT: '0',
        GLACIS_CERTS_GRPC_PORT: String(certs),
        GLACIS_BACKENDS_GRPC_PORT: String(backends),
        GLACIS_GATEWAY_GRPC_PORT: String(gateway),
        GLACIS_JOIN_TOKEN_FILE: joinTokenFile,
        ...env,
      },
      logFile: join(folder, 'suite.log'),
      ready: (log) => log.includes('Glacis is ready'),
      startDeadlineMs: 120_000,
    });
    await daemon.start();
    const url = `http://127.0.0.1:${port}`;
    const operatorEnv = {
      GLACIS_OPERATOR_DOOR_URL: url,
      GLACIS_OPERATOR_MANAGER_URL: `${address}:${managers}`,
      GLACIS_CERTS_GRPC_URL: `127.0.0.1:${certs}`,
      GLACIS_BACKENDS_GRPC_URL: `127.0.0.1:${backends}`,
      GLACIS_GATEWAY_GRPC_URL: `127.0.0.1:${gateway}`,
      GLACIS_JOIN_TOKEN_FILE: joinTokenFile,
    };
    return new EmbeddedSuite(daemon, url, operatorEnv, join(dataDir, 'admin.token'));
  }

  /** What an administrator sees and does. */
  async call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const token = (await readFile(this.tokenFile, 'utf8')).trim();
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    };
    const reply = await fetch(`${this.url}${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    return (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text) as T;
  }

  log(): Promise<string> {
    return readFile(this.daemon.logFile, 'utf8');
  }

  stop(): Promise<void> {
    return this.daemon.stop();
  }
}
