// DuckDB with the same tables in the open: what the queries' expressions, conditions and aggregates are.
import { DuckDBInstance } from '@duckdb/node-api';
import { decimal } from './tables.mjs';

const TYPES = {
  // Wide enough that products of columns are computed in 38 digits.
  number: ({ scale }) => `DECIMAL(20, ${scale})`,
  label: () => 'INTEGER',
  text: () => 'VARCHAR',
  hash: () => 'VARCHAR',
  date: () => 'DATE',
};

function literal({ kind, scale, labels }, cell) {
  if (kind === 'number') return decimal(cell, scale);
  return kind === 'label' ? String(labels.indexOf(cell)) : `'${cell.replaceAll("'", "''")}'`;
}

export class Duck {
  #instance;
  #connection;

  static async open() {
    const duck = new Duck();
    duck.#instance = await DuckDBInstance.create(':memory:');
    duck.#connection = await duck.#instance.connect();
    return duck;
  }

  close() {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  /** Rows as objects; decimals and 64-bit integers are text. */
  async rows(sql) {
    const result = await this.#connection.runAndReadAll(sql);
    return result.getRowObjectsJson();
  }

  async load(tables) {
    for (const { name, columns, owners } of tables) {
      const declared = columns.map((column) => `${column.name} ${TYPES[column.kind](column)}`);
      await this.#connection.run(
        `CREATE OR REPLACE TABLE ${name} (${declared.join(', ')}, owner_ INTEGER)`,
      );
      const rows = owners.flatMap((own, owner) =>
        own.map((row) => [...row.map((cell, k) => literal(columns[k], cell)), owner].join(', ')),
      );
      await this.#connection.run(`INSERT INTO ${name} VALUES (${rows.join('), (')})`);
    }
  }

  async run(sql) {
    await this.#connection.run(sql);
  }
}
