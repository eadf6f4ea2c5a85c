import { parseArgs } from 'node:util';
import { Outbox } from '@glacis/events';
import { makeHost, serviceProgramSettings, SettingsLoader } from '@glacis/host';
import { Audit } from '@glacis/identity';
import { systemClock } from '@glacis/runtime';
import { SettingsError } from '@glacis/settings';
import { openStore } from '@glacis/store';
import { importFolder } from './import/importer.js';
import { ImportError } from './import/tinydb.js';
import { graphAppsMigrations } from './migrations.js';
import { graphAppsSettings } from './settings.js';
import { Documents } from './store/documents.js';

// `node apps/graph-apps/dist/import.js --dir DIR [--dry-run]`: takes over the files of Rampart. Exit 0; 1 when a file or a
// setting does not hold; 2 for bad usage.

const usage = 'usage: import.js --dir DIR [--dry-run]';
const service = 'graph-apps';
const report = (line: string): void => console.log(line);

function argumentsOf(): { dir: string; dryRun: boolean } | undefined {
  try {
    const options = { dir: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;
    const { dir, 'dry-run': dryRun = false } = parseArgs({ options }).values;
    return dir === undefined ? undefined : { dir, dryRun };
  } catch {
    return undefined;
  }
}

async function run({ dir, dryRun }: { dir: string; dryRun: boolean }): Promise<void> {
  const loader = new SettingsLoader();
  const { DATABASE_URL: databaseUrl } = process.env;
  const program = loader.load(serviceProgramSettings, databaseUrl && { databaseUrl });
  const settings = loader.load(graphAppsSettings);
  loader.check();
  const { logger, health } = makeHost(`${service} import`, program, program.databaseUrl);
  const url = program.databaseUrl;
  const store = await openStore({ service, url, migrations: graphAppsMigrations, logger });
  const clock = systemClock;
  // The service tells of it when it looks next.
  const outbox = new Outbox({ service, clock, wake: () => undefined });
  const parts = { settings, store, outbox, audit: new Audit(clock), health, clock, logger };
  try {
    const documents = await Documents.open(parts);
    const { apps, nodeConfigs } = documents;
    const { tenant } = settings;
    try {
      await importFolder(dir, { apps, nodeConfigs, tenant, dryRun, report, now: clock.now() });
    } finally {
      await documents.onApplicationShutdown();
    }
  } finally {
    await store.close();
  }
}

const given = argumentsOf();
if (given === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  await run(given).catch((error: unknown) => {
    const explains = error instanceof ImportError || error instanceof SettingsError;
    console.error(explains ? error.message : error);
    process.exitCode = 1;
  });
}
