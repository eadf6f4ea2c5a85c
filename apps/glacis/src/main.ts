import { loadSettings, SettingsError } from '@glacis/settings';
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
    `Glacis is ready: door ${suite.door}, managers ${suite.managers}, token ${token} (${seconds} s)`,
  );
  console.log(`Next: npx glacis --server ${suite.door} --token-file ${token} status`);
  return suite;
}

function onSignal(suite: Promise<Suite>): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await (await suite).stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
}

/** What the operator did wrong needs no stack. */
function explain(error: unknown): string {
  const operatorsOwn = [
    SettingsError,
    DataFolderInUseError,
    UnreachableFolderError,
    KekMissingError,
  ];
  const known = operatorsOwn.some((type) => error instanceof type);
  if (known) return (error as Error).message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const suite = start();
onSignal(suite);
try {
  await suite;
} catch (error) {
  console.error(`Glacis cannot start: ${explain(error)}`);
  process.exit(1);
}
