import { appId, hashOf } from '@glacis/graphs';
import { newId } from '@glacis/runtime';
import type { App, AppRef, Version } from '../apps/app.entity.js';
import { createdEvent, editOf, newApp, savedEvent, type Cause } from '../apps/changes.js';
import { Edits } from '../apps/edits.js';
import type { AppsStore } from '../store/apps-store.js';
import type { NodeConfigsStore } from '../store/node-configs-store.js';
import {
  appRow,
  configRow,
  readRows,
  versionRow,
  type AppRow,
  type ConfigRow,
  type VersionRow,
} from './tinydb.js';

const importer: Cause = { actor: 'graph-apps import' };

export interface ImportParts {
  apps: AppsStore;
  nodeConfigs: NodeConfigsStore;
  /** Of everything that is taken over. */
  tenant: string;
  /** Nothing is written, and what would be is told. */
  dryRun: boolean;
  /** Told of each thing that was done or left out. */
  report: (line: string) => void;
  now: Date;
}

/**
 * Takes over the files of Rampart (`graph-apps.md` 6.6). What is there is left alone, so it may be repeated, and after a
 * crash goes on where it was.
 * @throws {ImportError} before anything is written, when a file does not hold
 */
export async function importFolder(folder: string, parts: ImportParts): Promise<void> {
  const rows = await readRows(folder, 'apps.json', appRow);
  const versions = await readRows(folder, 'versions.json', versionRow);
  const configs = await readRows(folder, 'configs.json', configRow);
  const edits = new Edits(parts.apps);
  for (const row of newestOf(rows, parts.report)) {
    await importApp(row, versionsOf(row, versions, parts.now), { ...parts, edits });
  }
  for (const row of configs) await importConfig(row, parts);
}

/** One row of each App: the one that was edited last. */
function newestOf(rows: readonly AppRow[], report: ImportParts['report']): AppRow[] {
  const byId = new Map<string, AppRow>();
  for (const row of rows) {
    const known = byId.get(appId(row));
    if (known) report(`${appId(row)}: has several rows, the one that was edited last is taken`);
    if (!known || editTime(row) >= editTime(known)) byId.set(appId(row), row);
  }
  return [...byId.values()];
}

const editTime = ({ lastEditTimestamp }: AppRow): number => lastEditTimestamp?.getTime() ?? 0;

interface Found {
  version: Version;
  row: VersionRow;
}

/** Ascending by number; of several rows of a number the last one counts. */
function versionsOf(app: AppRef, rows: readonly VersionRow[], now: Date): Found[] {
  const own = rows.filter(
    ({ namespace, name }) => namespace === app.namespace && name === app.name,
  );
  const byNumber = new Map(own.map((row) => [row.version, row]));
  return [...byNumber.values()]
    .toSorted((a, b) => a.version - b.version)
    .map((row) => ({ row, version: versionOf(row, now) }));
}

function versionOf(row: VersionRow, now: Date): Version {
  const { namespace, name, version: number, notes, graph } = row;
  const { apiVersion, kind, spec } = graph.object;
  return {
    number,
    hash: hashOf(spec.graph),
    notes: notes ?? '',
    source: 'import',
    createdAt: row.creationTimestamp ?? graph.timestamp ?? now,
    lastDeployment: row.lastDeploymentTimestamp,
    graph: { apiVersion, kind, metadata: { name, namespace }, spec: { graph: spec.graph } },
  };
}

type Importing = ImportParts & { edits: Edits };

async function importApp(row: AppRow, found: Found[], parts: Importing): Promise<void> {
  const { apps, report } = parts;
  const id = appId(row);
  if (found.length === 0) return report(`${id}: has no versions, left out`);
  const known = await apps.find(row);
  const kept = known ? await apps.versions(known) : [];
  if (known?.tenant !== undefined && known.tenant !== parts.tenant) {
    return report(`${id}: belongs to somebody else, left alone`);
  }
  if (kept.some(({ source }) => source !== 'import')) return report(`${id}: is there, left alone`);
  const missing = found.filter(({ version }) => version.number > (known?.lastVersion ?? 0));
  report(`${id}: ${missing.length} of ${found.length} versions are taken over`);
  if (parts.dryRun) return;
  for (const { version } of missing) await importVersion(row, version, found, parts);
}

/** The App with one version more; all else of it is that of the files. */
async function importVersion(
  row: AppRow,
  version: Version,
  found: readonly Found[],
  { edits, tenant, now }: Importing,
): Promise<void> {
  const { namespace, name } = row;
  await edits.run(row, (before) => {
    // Somebody else imports as well.
    if (before && before.lastVersion >= version.number) return { result: undefined };
    const labels = row.labels ?? {};
    const app = before ?? newApp({ id: newId(), tenant, namespace, name, labels }, now);
    const after = {
      ...app,
      ...stateOf(row, version, found),
      lastEdit: row.lastEditTimestamp ?? version.createdAt,
      versionCount: app.versionCount + 1,
      lastVersion: version.number,
    };
    const saved = savedEvent(after, version);
    const events = before ? [saved] : [createdEvent(after, 'import'), saved];
    const did = { action: 'app.import', detail: { version: version.number }, events };
    return { edit: editOf({ before, after, version }, importer, did), result: undefined };
  });
}

/** What the rows say of the cluster; it is looked at when the service meets it. */
function stateOf(row: AppRow, { number }: Version, found: readonly Found[]): Partial<App> {
  const active = found.find((each) => each.row.active)?.version.number ?? 0;
  const replaced = found.filter(({ row: each }) => each.status !== null && !each.active);
  return {
    uid: row.uid,
    description: row.desc ?? '',
    active: row.active && active > 0,
    activeVersion: active <= number ? active : 0,
    versionStatus: Object.fromEntries(
      replaced.map(({ row: each }) => [String(each.version), each.status ?? '']),
    ),
    lastDeployment: row.lastDeploymentTimestamp,
  };
}

async function importConfig(row: ConfigRow, parts: ImportParts): Promise<void> {
  const { nodeConfigs, tenant, report } = parts;
  const { creationTimestamp: createdAt, lastModifiedTimestamp: modifiedAt, ...rest } = row;
  if (await nodeConfigs.find(tenant, row.id)) return report(`node config ${row.id}: is there`);
  report(`node config ${row.id}: is taken over`);
  if (parts.dryRun) return;
  const after = { ...rest, tenant, message: row.message ?? null, createdAt, modifiedAt };
  const audit = { ...importer, tenant, action: 'node-config.import', subject: row.id };
  await nodeConfigs.commit({ after, audit });
}
