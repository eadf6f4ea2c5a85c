import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withConnection } from '@glacis/store';

const uuid = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g;

/** Every column of every table, as text: `db schema.table.column`. */
export async function columnsOf(url: string): Promise<Map<string, string>> {
  return withConnection(url, async (connection) => {
    const tables = await connection.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const columns = new Map<string, string>();
    for (const { name } of tables) {
      const rows = await connection.query<{ key: string; text: string | null }>(
        `SELECT c.key, string_agg(c.value, E'\\n') AS text FROM ${name} AS t, jsonb_each_text(to_jsonb(t)) AS c GROUP BY c.key`,
      );
      for (const { key, text } of rows) columns.set(`db ${name}.${key}`, text ?? '');
    }
    return columns;
  });
}

/** Every file below a folder: `file path`, with `JOB` for each id. */
export function filesOf(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const name = `file ${path.slice(folder.length + 1).replaceAll(uuid, 'JOB')}`;
    files.set(name, (files.get(name) ?? '') + readFileSync(path, 'latin1'));
  }
  return files;
}
