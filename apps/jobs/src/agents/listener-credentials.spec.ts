import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { listenerCredentials } from './listener-credentials.js';

const names = ['127.0.0.1', 'glacis-jobs.glacis.svc'];

test('jobs.md 9: what one replica tells its agents holds for every other, and for no other service', async () => {
  const secret = randomBytes(32);
  const told = await listenerCredentials(secret, names);
  const other = await listenerCredentials(secret, names);
  const foreign = await listenerCredentials(randomBytes(32), names);
  const ca = join(await temporaryFolder(), 'ca.pem');
  await writeFile(ca, told.ca);
  const asServer = [
    '-purpose',
    'sslserver',
    '-x509_strict',
    '-verify_hostname',
    names[1] as string,
  ];
  const verified = async ({ cert }: { cert: string | Buffer }): Promise<number | null> =>
    (await openssl(['verify', ...asServer, '-CAfile', ca], cert)).code;
  expect(await verified(told)).toBe(0);
  expect(await verified(other)).toBe(0);
  expect(await verified(foreign)).toBe(2);
  expect(other.key).not.toBe(told.key);
});
