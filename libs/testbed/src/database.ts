import { createLogger } from '@glacis/observability';
import { openStore, withConnection, type MigrationClass, type Queryable } from '@glacis/store';
import { createHash, randomBytes } from 'node:crypto';
import { currentRun } from './run.js';

export interface TestDatabase {
  /** For `openStore`, `DATABASE_URL` and every Postgres client. */
  url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/**
 * A database of the test's own on the Postgres of the run, with the schemas of the services already migrated: a copy
 * of a template that is made once per run and set of migrations. About 30 ms.
 * @param services migrations by service, as each service gives them to `openStore`; none for an empty database
 */
export async function testDatabase(
  services: Record<string, MigrationClass[]> = {},
): Promise<TestDatabase> {
  const run = currentRun();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withAdmin(async (admin) => {
    const template = await ensureTemplate(admin, services);
    await admin.query(
      `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy OWNER ${run.role}`,
    );
  });
  return {
    url: urlOf(name),
    drop: () =>
      withAdmin(async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** Of several workers that need the same template one makes it and the others wait. */
async function ensureTemplate(
  admin: Queryable,
  services: Record<string, MigrationClass[]>,
): Promise<string> {
  if (Object.keys(services).length === 0) {
    return 'template0';
  }
  const template = `template_${fingerprint(services)}`;
  await admin.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [template]);
  try {
    const known = await admin.query('SELECT datname FROM pg_database WHERE datname = $1', [
      template,
    ]);
    if (known.length === 0) {
      await makeTemplate(admin, template, services);
    }
  } finally {
    await admin.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [template]);
  }
  return template;
}

async function makeTemplate(
  admin: Queryable,
  template: string,
  services: Record<string, MigrationClass[]>,
): Promise<void> {
  const draft = `draft_${template}`;
  await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${draft} TEMPLATE template0 OWNER ${currentRun().role}`);
  const logger = createLogger({ name: 'testbed', level: 'warn' });
  for (const [service, migrations] of Object.entries(services)) {
    const store = await openStore({ service, migrations, url: urlOf(draft), logger });
    await store.close();
  }
  await admin.query(`ALTER DATABASE ${draft} RENAME TO ${template}`);
}

function fingerprint(services: Record<string, MigrationClass[]>): string {
  const steps = Object.entries(services).map(([service, migrations]) => [
    service,
    migrations.map((each) => new each()),
  ]);
  return createHash('sha256').update(JSON.stringify(steps)).digest('hex').slice(0, 16);
}

function urlOf(database: string): string {
  const { adminUrl, role } = currentRun();
  const url = new URL(adminUrl);
  url.username = role;
  url.pathname = `/${database}`;
  return url.href;
}

async function withAdmin(work: (admin: Queryable) => Promise<void>): Promise<void> {
  await withConnection(currentRun().adminUrl, work);
}
