import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder, testDatabase } from '@glacis/testbed';
import { sharedKafka } from '@glacis/testbed/cluster';
import { Api } from '../src/demo/api.js';
import { Child } from '../src/demo/child.js';

const script = fileURLToPath(new URL('../../../examples/distributed/start.mjs', import.meta.url));

it('examples/distributed: the start script runs the services apart, two of each, and ends them', async () => {
  const database = await testDatabase();
  const data = await temporaryFolder();
  // Below the ports that outgoing connections take.
  const offset = randomInt(11_000, 22_000);
  const env = {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: sharedKafka().join(),
    GLACIS_KAFKA_PREFIX: `test-${randomBytes(6).toString('hex')}.`,
  };
  const args = ['--replicas', '2', '--data', data, '--offset', String(offset)];
  const suite = Child.start(script, env, args);
  try {
    for (const service of ['gateway', 'certificates', 'backends', 'graph-apps']) {
      for (const replica of [1, 2]) {
        await suite.line(new RegExp(`^${service}-${replica}: ${service} is ready`), 120_000);
      }
    }
    const token = (await readFile(join(data, 'gateway', 'admin.token'), 'utf8')).trim();
    const doors = [0, 100].map((more) => `http://127.0.0.1:${8080 + offset + more}`);
    const [one, two] = doors.map((door) => new Api(door, token));
    const created = await one!.call('POST', '/backends', { name: 'apart' });
    expect(created.status).toBe(201);
    const id = created.headers.get('location')?.split('/').at(-1);
    const issued = await two!.call('POST', `/certs/issue/backend/${id}`, {});
    expect(issued.status).toBe(201);
    const paths = ['/backends/{id}', '/certs/{serial}', '/tokens'];
    await waitFor(
      async () => {
        const document = await (await fetch(`${doors[1]}/openapi.json`)).text();
        return paths.every((path) => document.includes(`"${path}"`));
      },
      { what: 'one document of all services', everyMs: 500, deadlineMs: 30_000 },
    );
    await waitFor(async () => (await fetch(`${doors[0]}/health/ready`)).status === 200, {
      what: 'the door to see every service',
    });
  } finally {
    await suite.stop();
    await database.drop();
  }
  expect(await suite.exited).toBe(0);
}, 240_000);
