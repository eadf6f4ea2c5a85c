import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { startAzure } from '@glacis/testbed/cluster';
import { openAzure } from '../../src/storage/azure/azure-storage.js';
import { signedInThePast, type Subject } from './conformance.js';

export async function openAzureServer(): Promise<Subject> {
  const server = await startAzure();
  const clock = new ManualClock(new Date());
  const keysFile = join(await temporaryFolder(), 'keys');
  await writeFile(keysFile, server.keys.join('\n'));
  const { endpoints } = server;
  return {
    provider: await openAzure({ endpoints, keysFile, isolation: 'nominal' }, clock),
    expired: signedInThePast(clock),
    stored: 201,
    sealKey: null,
    plainIsCreateOnly: true,
    capsPlain: false,
    capsStrict: false,
    freezes: true,
    close: () => server.stop(),
  };
}
