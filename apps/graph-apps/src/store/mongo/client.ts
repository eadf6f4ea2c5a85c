import type { Collection } from 'mongodb';
import type { AuditEntry } from '@glacis/identity';
import type { NewEvent } from '@glacis/events';
import type { App, VersionEntry, VersionPatch } from '../../apps/app.entity.js';
import type { NodeConfig } from '../../node-configs/node-config.entity.js';

/** What is still to be told of a change; it goes once it stands in the outbox of the service. */
export interface Entry {
  id: string;
  events: NewEvent[];
  audit: AuditEntry[];
}

/** A document that is changed by compare-and-set on its turn, with what is to be told of its changes. */
export interface Kept {
  _id: string;
  turn: number;
  /** False: it is deleted, and goes once everything is told. */
  live: boolean;
  outbox: Entry[];
}

export interface AppDocument extends Kept, Omit<App, 'id' | 'turn' | 'versionStatus' | 'labels'> {
  /** JSON text: keys hold dots. */
  labels: string;
  versionStatus: string;
  /** Changes of versions that this document counts and the versions may not show yet, by the turn that made them. */
  redo: Redo[];
}

export type Redo = VersionPatch & { turn: number };

export interface VersionDocument extends VersionEntry {
  /** Row id of its App. */
  app: string;
  /** Of the edit that made it. */
  edit: string;
  /** Turn of the App that changed it last: what comes later from an earlier one has no effect. */
  patched: number;
  /** JSON text: keys hold `$` and dots. */
  graph: string;
}

export interface NodeConfigDocument extends Kept, Omit<NodeConfig, 'id' | 'config'> {
  /** JSON text. */
  config: string;
}

/** The collections of this service, and the end of the connection. */
export interface MongoCollections {
  apps: Collection<AppDocument>;
  versions: Collection<VersionDocument>;
  nodeConfigs: Collection<NodeConfigDocument>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds after which a call without an answer has failed. */
const callMs = 10_000;

/** Connects, and makes the indexes that are missing; a server that has them answers at once. */
export async function openMongo(url: string): Promise<MongoCollections> {
  // Loaded here only: it costs tens of megabytes, which nobody pays who has no MongoDB.
  const { MongoClient } = await import('mongodb');
  // What is acknowledged is on the disks of the majority, and what is read is nothing that could be rolled back.
  const client = new MongoClient(url, {
    appName: 'glacis-graph-apps',
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    ignoreUndefined: true,
    serverSelectionTimeoutMS: callMs,
    socketTimeoutMS: callMs,
  });
  await client.connect();
  const database = client.db();
  const collections = {
    apps: database.collection<AppDocument>('apps'),
    versions: database.collection<VersionDocument>('versions'),
    nodeConfigs: database.collection<NodeConfigDocument>('node_configs'),
  };
  await makeIndexes(collections);
  return {
    ...collections,
    ping: async () => void (await database.command({ ping: 1 })),
    close: () => client.close(),
  };
}

async function makeIndexes({
  apps,
  versions,
  nodeConfigs,
}: Pick<MongoCollections, 'apps' | 'versions' | 'nodeConfigs'>): Promise<void> {
  await apps.createIndex(
    { namespace: 1, name: 1 },
    { unique: true, partialFilterExpression: { live: true } },
  );
  await apps.createIndex({ tenant: 1, namespace: 1, name: 1 });
  await apps.createIndex({ 'outbox.id': 1 });
  await versions.createIndex({ app: 1, number: 1 }, { unique: true });
  await versions.createIndex({ app: 1, hash: 1, number: -1 });
  await nodeConfigs.createIndex({ tenant: 1, _id: 1 });
  await nodeConfigs.createIndex({ 'outbox.id': 1 });
}

const lost = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
]);

/** True where the server does not answer. */
export function isMongoAway(error: unknown): boolean {
  return error instanceof Error && lost.has(error.name);
}

/** True for a document that a unique index does not let in. */
export function isDuplicate(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 11000;
}
