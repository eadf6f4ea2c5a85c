// Saves versions of one App for as long as it lives and prints the number of each that was acknowledged.
import { Outbox } from '@glacis/events';
import { Audit } from '@glacis/identity';
import { createLogger, Health } from '@glacis/observability';
import { systemClock } from '@glacis/runtime';
import { openStore } from '@glacis/store';
import { editOf, savedEvent, withVersion } from '../dist/apps/changes.js';
import { Edits } from '../dist/apps/edits.js';
import { graphAppsMigrations } from '../dist/index.js';
import { Documents } from '../dist/store/documents.js';

const [url, kind, storeUrl] = process.argv.slice(2);
const logger = createLogger({ name: 'writer', level: 'error' });
const service = 'graph-apps';
const store = await openStore({ service, url, migrations: graphAppsMigrations, logger });
const clock = systemClock;
const outbox = new Outbox({ service, clock, wake: () => undefined });
const settings = { store: kind, storeUrl };
const parts = { settings, store, outbox, audit: new Audit(), health: new Health(), clock, logger };
const { apps } = await Documents.open(parts);
const edits = new Edits(apps);

for (let i = 0; ; i++) {
  const number = await edits.run({ namespace: 'team', name: 'killed' }, (before) => {
    const metadata = { namespace: 'team', name: 'killed' };
    const graph = { apiVersion: 'v', kind: 'RampartGraph', metadata, spec: { graph: { i } } };
    const given = { graph, notes: '', source: 'api', now: clock.now() };
    const { app: after, version } = withVersion(before, given);
    const patch = { number: 1, notes: `saw ${version.number}` };
    const did = { action: 'version.save', events: [savedEvent(after, version)] };
    const edit = editOf({ before, after, version, patch }, { actor: 'writer' }, did);
    return { edit, result: version.number };
  });
  process.stdout.write(`${number}\n`);
}
