import { newId } from '@glacis/runtime';
import type { NodeConfig } from '../../node-configs/node-config.entity.js';
import { OutrunError } from '../apps-store.js';
import type { NodeConfigEdit, NodeConfigRange, NodeConfigsStore } from '../node-configs-store.js';
import type { MongoCollections, NodeConfigDocument } from './client.js';
import { configOf } from './documents.js';

/** Node configs in MongoDB: one document each, with the audit rows of its changes until they are told. */
export class MongoNodeConfigs implements NodeConfigsStore {
  /** @param wake told that there is something to be told */
  constructor(
    private readonly mongo: MongoCollections,
    private readonly wake: () => void,
  ) {}

  async find(tenant: string, id: string): Promise<NodeConfig | undefined> {
    const found = await this.mongo.nodeConfigs.findOne({ _id: id, tenant, live: true });
    return found === null ? undefined : configOf(found);
  }

  async list(
    tenant: string,
    { after = '', limit = 0 }: NodeConfigRange,
  ): Promise<{ configs: NodeConfig[]; total: number }> {
    const all = { tenant, live: true };
    const [found, total] = await Promise.all([
      this.mongo.nodeConfigs
        .find({ ...all, _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
      this.mongo.nodeConfigs.countDocuments(all),
    ]);
    return { configs: found.map(configOf), total };
  }

  async commit({ before, after, audit }: NodeConfigEdit): Promise<void> {
    const entry = { id: newId(), events: [], audit: [audit] };
    if (before === undefined) {
      if (after) await this.mongo.nodeConfigs.insertOne(documentOf(after, [entry]));
      return this.wake();
    }
    const { version: turn } = before;
    const set = after ? membersOf(after) : { live: false };
    const { modifiedCount } = await this.mongo.nodeConfigs.updateOne(
      { _id: before.id, turn, live: true },
      { $set: set, $inc: { turn: 1 }, $push: { outbox: entry } },
    );
    if (modifiedCount === 0) throw new OutrunError();
    this.wake();
  }
}

function membersOf(config: NodeConfig): Omit<NodeConfigDocument, KeptMember> {
  const { id: _id, ...rest } = config;
  return { ...rest, config: JSON.stringify(rest.config) };
}

type KeptMember = '_id' | 'turn' | 'live' | 'outbox';

function documentOf(config: NodeConfig, outbox: NodeConfigDocument['outbox']): NodeConfigDocument {
  return { ...membersOf(config), _id: config.id, turn: config.version, live: true, outbox };
}
