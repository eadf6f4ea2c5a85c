import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAuditLog } from './audit.js';

it('an audit log is read up to the line that is being written', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'audit-')), 'audit.log');
  await writeFile(file, '{"verb":"get"}\n{"verb":"patch"}\n{"verb":"de');
  expect((await readAuditLog(file)).map(({ verb }) => verb)).toEqual(['get', 'patch']);
});
