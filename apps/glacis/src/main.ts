import { run } from '@glacis/host';
import { SealBrokenError } from '@glacis/pki';
import { loadSettings } from '@glacis/settings';
import { DataFolderInUseError, UnreachableFolderError } from '@glacis/store';
import { KekMissingError } from './data-folder.js';
import { suiteSettings } from './settings.js';
import { startSuite, type Suite } from './suite.js';

// `npm start`: the embedded suite. Exit 0 after SIGTERM or SIGINT, 1 when it cannot start.

async function start(): Promise<Suite> {
  const databaseUrl = process.env['DATABASE_URL'] ?? '';
  const suite = await startSuite(loadSettings(suiteSettings, { overrides: { databaseUrl } }));
  const seconds = process.uptime().toFixed(1);
  const token = suite.dataFolder.adminTokenFile;
  console.log(
    `Glacis is ready: door ${suite.door}, managers ${suite.managers}, agents ${suite.agents}, enrolment ${suite.enrolment}, token ${token} (${seconds} s)`,
  );
  console.log(`Next: npx glacis --server ${suite.door} --token-file ${token} status`);
  return suite;
}

await run({
  name: 'Glacis',
  start,
  stopLimitMs: 30_000,
  plain: [DataFolderInUseError, UnreachableFolderError, KekMissingError, SealBrokenError],
});
