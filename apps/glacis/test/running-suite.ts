import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Api } from '../src/demo/api.js';
import { Child } from '../src/demo/child.js';

/** A first start takes 3 s alone, and ten times as long beside other work. */
export const startLimitMs = 120_000;

export const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Every port a free one. */
export const freePorts: Readonly<Record<string, string>> = {
  GLACIS_PORT: '0',
  GLACIS_BACKENDS_MANAGER_PORT: '0',
  GLACIS_BACKENDS_AGENT_PORT: '0',
  GLACIS_CERTS_EST_PORT: '0',
  GLACIS_JOBS_AGENTS_PORT: '0',
};

/** The suite as its clients see it. */
export interface RunningSuite {
  door: string;
  managers: string;
  /** Of the first administrator. */
  token: string;
  tokenFile: string;
  api: Api;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** A process of its own on a throw-away data folder. */
export interface EmbeddedSuite extends RunningSuite {
  dataDir: string;
  process: Child;
}

/** @param env more settings, such as `GLACIS_CERTS_ALLOW_LOOPBACK` */
export async function startSuite(env: Record<string, string> = {}): Promise<EmbeddedSuite> {
  const dir = await mkdtemp(join(tmpdir(), 'glacis-suite-'));
  const dataDir = join(dir, 'data');
  const process = Child.start(program, { GLACIS_DATA_DIR: dataDir, ...freePorts, ...env });
  const close = async (): Promise<void> => {
    await process.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const [, door = '', managers = ''] = await process.line(
      /door (http:\S+?), managers (\S+?),/,
      startLimitMs,
    );
    const tokenFile = join(dataDir, 'admin.token');
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const api = new Api(door, token);
    return { door, managers, dataDir, token, tokenFile, api, process, close };
  } catch (error) {
    await close();
    throw error;
  }
}
