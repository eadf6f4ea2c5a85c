import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { requireProgram, runCommand } from '@glacis/testbed/cluster';
import { EstPort } from '../src/index.js';
import { Suite } from './suite.js';

const source = fileURLToPath(new URL('est-client/', import.meta.url));

afterAll(() => Suite.stopAll());

it('certificates.md 16.11: a Go EST client enrols and renews, and verifies what it got', async () => {
  const suite = await Suite.start({ env: { EST_PORT: '0', EST_HOST: '127.0.0.1' } });
  const listening = suite.app.get(EstPort, { strict: false });
  const port = await waitFor(() => listening.port, { what: 'the EST port' });
  const folder = await temporaryFolder();
  const [client, roots] = [join(folder, 'est-client'), join(folder, 'roots.pem')];
  const go = await requireProgram('go', 'golang-go');
  await runCommand(go, ['build', '-buildvcs=false', '-o', client, '.'], { cwd: source });
  await writeFile(roots, (await suite.send('GET', '/certs/ca?only=roots')).bytes);
  const backend = suite.backends.register('tenant-a');
  const { token } = await suite.directory.client('certificates').createEnrolmentToken({
    tenant: 'tenant-a',
    backendId: backend,
    ttlSeconds: 900,
    cidr: '127.0.0.0/8',
    requestedBy: 'service:backends',
  });
  const args = [`localhost:${port}`, 'tenant-a', backend, token, roots];
  const serials = (await runCommand(client, args)).trim().split('\n');
  const member = await suite.token();
  const [first, second] = await Promise.all(
    serials.map(async (serial) =>
      (await suite.send('GET', `/certs/${serial}`, { token: member })).json(),
    ),
  );
  expect(first).toMatchObject({ entity_id: backend, renewed_to: serials[1], status: 'valid' });
  expect(second).toMatchObject({ entity_id: backend, renewed_from: serials[0], status: 'valid' });
});
