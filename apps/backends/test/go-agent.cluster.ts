import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { agentDialectNames, type AgentDialectName } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import { cached, requireProgram, runCommand } from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { FakeCertificates, type ManagerFiles } from './fake-certificates.js';
import { Stand } from './stand.js';

jest.setTimeout(300_000);

const source = join(import.meta.dirname, 'go-agent');
const root = join(import.meta.dirname, '../../..');

let database: TestDatabase;
let certificates: FakeCertificates;
let stand: Stand;
let program: string;

beforeAll(async () => {
  program = join(await goAgent(), 'go-agent');
  database = await testDatabase();
  certificates = await FakeCertificates.create();
  stand = await Stand.start(certificates, { databaseUrl: database.url });
});
afterAll(async () => {
  await stand?.stop();
  await database?.drop();
});

async function goAgent(): Promise<string> {
  const recipe = createHash('sha256');
  for (const name of ['main.go', 'go.mod', 'go.sum'])
    recipe.update(await readFile(join(source, name)));
  return cached(`go-agent-${recipe.digest('hex').slice(0, 16)}`, async (folder) => {
    const go = await requireProgram('go', 'golang-go');
    await runCommand(go, ['build', '-o', join(folder, 'go-agent'), '.'], { cwd: source });
  });
}

/** An agent in a process of its own, and the lines that it prints. */
class GoAgent {
  readonly lines: Record<string, unknown>[] = [];
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.child.stdout! }).on('line', (line) =>
      this.lines.push(JSON.parse(line) as Record<string, unknown>),
    );
  }

  line(member: string): Promise<Record<string, unknown>> {
    return waitFor(() => this.lines.find((line) => member in line), { what: `${member} in Go` });
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

async function dial(
  dialect: AgentDialectName,
  files: ManagerFiles,
  folder: string,
): Promise<GoAgent> {
  const descriptors = join(folder, 'cvms.binpb');
  const proto = join(root, 'proto/cvms', dialect);
  await runCommand(join(root, 'node_modules/.bin/buf'), ['build', proto, '-o', descriptors]);
  for (const name of ['ca', 'cert', 'key'] as const) {
    await writeFile(join(folder, `${name}.pem`), files[name]);
  }
  const metadata = ['glacis-protocol', dialect];
  return new GoAgent([`127.0.0.1:${stand.agentPort}`, folder, descriptors, ...metadata]);
}

const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const hash = randomBytes(32);

describe.each(agentDialectNames)('backends.md 16.6: an agent of %s in Go', (dialect) => {
  it('connects, reports, runs, tells its state, stops and disconnects', async () => {
    const id = await stand.backend({ entity_type: 'cvm' });
    const files = await certificates.issue(id, { entityType: 'cvm' });
    const folder = await temporaryFolder();
    const agent = await dial(dialect, files, folder);
    try {
      await stand.active(id, true);
      await waitFor(async () =>
        (await stand.events(id)).some(({ data }) => data.message === 'hello from Go'),
      );
      const body = {
        id: 'c1',
        datasets: [{ hash: [...hash], user_key: key.toString('base64'), filename: 'a.csv' }],
        algorithm: { hash: [...hash], user_key: key.toString('base64') },
        agent_config: { port: '7002', log_level: 'debug', server_key: '/k' },
      };
      expect((await stand.send('POST', `/backends/${id}/runs`, { body })).status).toBe(202);
      expect(await agent.line('algorithm')).toMatchObject({
        id: 'c1',
        algorithm: { hash: hash.toString('base64') },
        agentConfig: { port: '7002', keyFile: '/k', logLevel: 'debug' },
      });
      await waitFor(async () => {
        const { runs } = (await stand.send('GET', `/backends/${id}/runs`)).json();
        return (runs as { state: string }[])[0]?.state === 'accepted';
      });
      await stand.send('POST', `/backends/${id}/state`);
      await waitFor(async () => (await stand.send('GET', `/backends/${id}/state`)).status === 200);
      expect((await stand.send('DELETE', `/backends/${id}/runs/c1`)).status).toBe(204);
      expect(await agent.line('stopComputation')).toEqual({
        stopComputation: { computationId: 'c1' },
      });
      expect((await stand.send('POST', `/backends/terminate/${id}/1`)).status).toBe(204);
      expect(await agent.exited).toBe(0);
      expect('disconnectReq' in (agent.lines.at(-1) ?? {})).toBe(dialect !== 'v0.5.0');
    } finally {
      await agent.kill();
    }
  });
});
