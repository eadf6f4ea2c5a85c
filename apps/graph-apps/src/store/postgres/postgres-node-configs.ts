import type { Audit } from '@glacis/identity';
import type { Store, Tx } from '@glacis/store';
import type { NodeConfig } from '../../node-configs/node-config.entity.js';
import { OutrunError } from '../apps-store.js';
import type { NodeConfigEdit, NodeConfigRange, NodeConfigsStore } from '../node-configs-store.js';

interface Row {
  id: string;
  tenant: string;
  title: string;
  config: Record<string, unknown>;
  type: string;
  node_type: string;
  message: string | null;
  created_at: Date;
  modified_at: Date | null;
  version: number;
}

const columns =
  'id, tenant, title, config, type, node_type, message, created_at, modified_at, version';

export class PostgresNodeConfigs implements NodeConfigsStore {
  constructor(
    private readonly store: Store,
    private readonly audit: Audit,
  ) {}

  async find(tenant: string, id: string): Promise<NodeConfig | undefined> {
    const [row] = await this.store.query<Row>(
      `SELECT ${columns} FROM node_configs WHERE tenant = $1 AND id = $2`,
      [tenant, id],
    );
    return row && configOf(row);
  }

  async list(
    tenant: string,
    { after, limit }: NodeConfigRange,
  ): Promise<{ configs: NodeConfig[]; total: number }> {
    const [rows, counts] = await Promise.all([
      this.store.query<Row>(
        `SELECT ${columns} FROM node_configs WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`,
        [tenant, after ?? '', limit ?? null],
      ),
      this.store.query<{ count: string }>('SELECT count(*) FROM node_configs WHERE tenant = $1', [
        tenant,
      ]),
    ]);
    return { configs: rows.map(configOf), total: Number(counts[0]?.count) };
  }

  async commit({ before, after, audit }: NodeConfigEdit): Promise<void> {
    await this.store.transaction(async (tx) => {
      if (before) await remove(tx, before);
      if (after) await insert(tx, after);
      await this.audit.record(tx, audit);
    });
  }
}

async function remove(tx: Tx, { id, version }: NodeConfig): Promise<void> {
  const gone = await tx.query(
    'DELETE FROM node_configs WHERE id = $1 AND version = $2 RETURNING 1',
    [id, version],
  );
  if (gone.length === 0) throw new OutrunError();
}

async function insert(tx: Tx, config: NodeConfig): Promise<void> {
  const { id, tenant, title, type, nodeType, message, createdAt, modifiedAt, version } = config;
  const text = JSON.stringify(config.config);
  await tx.query(
    `INSERT INTO node_configs (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [id, tenant, title, text, type, nodeType, message, createdAt, modifiedAt, version],
  );
}

function configOf(row: Row): NodeConfig {
  const { node_type: nodeType, created_at: createdAt, modified_at: modifiedAt, ...rest } = row;
  return { ...rest, nodeType, createdAt, modifiedAt };
}
