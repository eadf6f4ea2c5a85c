import type { Outbox } from '@glacis/events';
import type { Audit } from '@glacis/identity';
import { conflictOf, type Queryable, type Store, type Tx } from '@glacis/store';
import { shownVersion } from '../../apps/app.entity.js';
import type {
  App,
  AppRef,
  StoredGraph,
  Version,
  VersionEntry,
  VersionPatch,
} from '../../apps/app.entity.js';
import {
  OutrunError,
  type AppPage,
  type AppQuery,
  type AppsStore,
  type Edit,
  type VersionRange,
} from '../apps-store.js';
import { appOf, entryOf, rowOf, type AppRow, type VersionRow } from './rows.js';

const entryColumns = 'number, hash, notes, source, created_at, last_deployment';

/** Apps in the database of the service: a change, its events and its audit row are one transaction. */
export class PostgresApps implements AppsStore {
  constructor(
    private readonly store: Store,
    private readonly outbox: Outbox,
    private readonly audit: Audit,
  ) {}

  async find({ namespace, name }: AppRef): Promise<App | undefined> {
    const [row] = await this.store.query<AppRow>(
      'SELECT * FROM apps WHERE namespace = $1 AND name = $2',
      [namespace, name],
    );
    return row && appOf(row);
  }

  async list(query: AppQuery): Promise<AppPage> {
    const { tenant, namespace, q, status, after, limit } = query;
    const where = `tenant = $1 AND ($2::text IS NULL OR namespace = $2)
      AND ($3::text IS NULL OR position($3 in name) > 0) AND ($4::text IS NULL OR status = $4)`;
    const filter = [tenant, namespace ?? null, q ?? null, status ?? null];
    const [rows, counts] = await Promise.all([
      this.store.query<AppRow>(
        `SELECT * FROM apps WHERE ${where} AND ($5::text IS NULL OR (namespace, name) > ($5, $6))
         ORDER BY namespace, name LIMIT $7`,
        [...filter, after?.namespace ?? null, after?.name ?? null, limit ?? null],
      ),
      this.store.query<{ count: string }>(`SELECT count(*) FROM apps WHERE ${where}`, filter),
    ]);
    return { apps: rows.map(appOf), total: Number(counts[0]?.count) };
  }

  async deployed(): Promise<AppRef[]> {
    return this.store.query('SELECT namespace, name FROM apps WHERE uid IS NOT NULL');
  }

  async versions(app: App, range: VersionRange = {}): Promise<VersionEntry[]> {
    const rows = await this.store.query<VersionRow>(
      `SELECT ${entryColumns} FROM versions WHERE app = $1 AND number > $2 ORDER BY number LIMIT $3`,
      [app.id, range.after ?? 0, range.limit ?? null],
    );
    return rows.map(entryOf);
  }

  async version(app: App, number: number): Promise<Version | undefined> {
    const [row] = await this.store.query<VersionRow & { graph: StoredGraph }>(
      `SELECT ${entryColumns}, graph FROM versions WHERE app = $1 AND number = $2`,
      [app.id, number],
    );
    return row && { ...entryOf(row), graph: row.graph };
  }

  async numberOf(app: App, hash: string): Promise<number | undefined> {
    const [row] = await this.store.query<{ number: number }>(
      'SELECT number FROM versions WHERE app = $1 AND hash = $2 ORDER BY number DESC LIMIT 1',
      [app.id, hash],
    );
    return row?.number;
  }

  async shownGraphs(apps: readonly App[]): Promise<Map<string, StoredGraph>> {
    const rows = await this.store.query<{ app: string; graph: StoredGraph }>(
      `SELECT app, graph FROM versions
       WHERE (app, number) IN (SELECT * FROM unnest($1::uuid[], $2::integer[]))`,
      [apps.map(({ id }) => id), apps.map(shownVersion)],
    );
    return new Map(rows.map(({ app, graph }) => [app, graph]));
  }

  async commit(edit: Edit): Promise<void> {
    try {
      await this.store.transaction((tx) => this.write(tx, edit));
    } catch (error) {
      if (conflictOf(error) === 'apps_name') throw new OutrunError();
      throw error;
    }
  }

  private async write(tx: Tx, edit: Edit): Promise<void> {
    const app = await writeApp(tx, edit);
    if (app && edit.version) await insertVersion(tx, app, edit.version);
    if (app && edit.patch) await patchVersion(tx, app, edit.patch);
    await this.outbox.add(tx, ...edit.events);
    await this.audit.recordAll(tx, edit.audit);
  }
}

async function writeApp(tx: Queryable, { before, after }: Edit): Promise<App | undefined> {
  if (before === undefined) return after && insertApp(tx, after);
  const written =
    after === undefined ? await deleteApp(tx, before) : await update(tx, before, after);
  if (!written) throw new OutrunError();
  return after;
}

async function insertApp(tx: Queryable, app: App): Promise<App> {
  const row = Object.entries(rowOf({ ...app, turn: 1 }));
  await tx.query(
    `INSERT INTO apps (${row.map(([column]) => column).join(', ')})
     VALUES (${row.map((_, i) => `$${i + 1}`).join(', ')})`,
    row.map(([, value]) => value),
  );
  return app;
}

async function update(tx: Queryable, before: App, after: App): Promise<boolean> {
  const row = Object.entries(rowOf({ ...after, turn: before.turn + 1 }));
  const changed = await tx.query(
    `UPDATE apps SET ${row.map(([column], i) => `${column} = $${i + 3}`).join(', ')}
     WHERE id = $1 AND turn = $2 RETURNING 1`,
    [before.id, before.turn, ...row.map(([, value]) => value)],
  );
  return changed.length === 1;
}

async function deleteApp(tx: Queryable, { id, turn }: App): Promise<boolean> {
  const sql = 'DELETE FROM apps WHERE id = $1 AND turn = $2 RETURNING 1';
  return (await tx.query(sql, [id, turn])).length === 1;
}

async function insertVersion(tx: Queryable, app: App, version: Version): Promise<void> {
  const { number, hash, notes, source, createdAt, lastDeployment, graph } = version;
  await tx.query(
    `INSERT INTO versions (app, ${entryColumns}, graph) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [app.id, number, hash, notes, source, createdAt, lastDeployment, JSON.stringify(graph)],
  );
}

async function patchVersion(tx: Queryable, app: App, patch: VersionPatch): Promise<void> {
  await tx.query(
    `UPDATE versions SET notes = coalesce($3, notes), last_deployment = coalesce($4, last_deployment)
     WHERE app = $1 AND number = $2`,
    [app.id, patch.number, patch.notes ?? null, patch.lastDeployment ?? null],
  );
}
