import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testIdentity } from '@glacis/identity/testing';
import { ManualClock } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { kekFile, openDoor, type Door } from '../../test/door.js';
import { gatewayMigrations } from '../migrations.js';

const script = fileURLToPath(new URL('../../dist/admin-token.js', import.meta.url));
const run = promisify(execFile);

let database: TestDatabase;
let door: Door;

beforeAll(async () => {
  database = await testDatabase({ gateway: gatewayMigrations });
  const clock = new ManualClock(new Date());
  const identity = await testIdentity(clock);
  door = await openDoor({ databaseUrl: database.url, clock, identity });
});

afterAll(async () => {
  await door.close();
  await database.drop();
});

async function adminToken(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { PATH, TMPDIR } = process.env;
  const env = {
    PATH,
    TMPDIR,
    DATABASE_URL: database.url,
    GLACIS_GATEWAY_KEK_FILE: await kekFile(),
  };
  return run(process.execPath, [script, ...args], { env });
}

test('prints a token of the first administrator that the gateway takes, and that is recorded', async () => {
  const { stdout } = await adminToken('--ttl', '1h');
  const bearer = stdout.trim();
  const { tokens } = (await door.call('/tokens', { bearer })).json;
  expect(tokens).toMatchObject([
    { subject: 'admin', tenant: 'default', roles: ['admin', 'platform-admin'] },
  ]);
  const { entries } = (await door.call('/audit/gateway?action=token.create', { bearer })).json;
  expect(entries).toMatchObject([{ actor: 'gateway', tenant: 'default', subject: tokens[0]?.id }]);
});

test.each(['0', '9000h', 'soon'])('refuses a life of %s', async (ttl) => {
  await expect(adminToken('--ttl', ttl)).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('no token: --ttl: expected a duration from 1s'),
  });
});
