import type { AuditEntry } from '@glacis/identity';
import type { NodeConfig } from '../node-configs/node-config.entity.js';

/** One change of a node config, written with its audit row. */
export interface NodeConfigEdit {
  /** As it was read; absent: it is new. */
  before?: NodeConfig;
  /** As it is to be; absent: it goes. */
  after?: NodeConfig;
  audit: AuditEntry;
}

/** Items of a list: those after `after`, at most `limit`. */
export interface NodeConfigRange {
  after?: string;
  limit?: number;
}

/** Where node configs are kept, beside the Apps. */
export interface NodeConfigsStore {
  find(tenant: string, id: string): Promise<NodeConfig | undefined>;
  /** By id, and how many there are in all. */
  list(tenant: string, range: NodeConfigRange): Promise<{ configs: NodeConfig[]; total: number }>;
  /** @throws {OutrunError} when somebody else has written it since it was read */
  commit(edit: NodeConfigEdit): Promise<void>;
}

/** Injection token of the store. */
export const NODE_CONFIGS_STORE = Symbol('node configs store');
