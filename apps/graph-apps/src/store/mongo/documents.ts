import type { App, Version, VersionEntry } from '../../apps/app.entity.js';
import type { NodeConfig } from '../../node-configs/node-config.entity.js';
import type { AppDocument, NodeConfigDocument, VersionDocument } from './client.js';

/** Members of an App document that an edit sets. */
export type AppMembers = Omit<AppDocument, '_id' | 'turn' | 'live' | 'outbox' | 'redo'>;

export function appOf(document: AppDocument): App {
  const { _id: id, live: _live, outbox: _outbox, redo: _redo, ...rest } = document;
  return {
    ...rest,
    id,
    labels: JSON.parse(rest.labels) as App['labels'],
    versionStatus: JSON.parse(rest.versionStatus) as App['versionStatus'],
  };
}

export function membersOf({ id: _id, turn: _turn, ...app }: App): AppMembers {
  const { labels, versionStatus } = app;
  return {
    ...app,
    labels: JSON.stringify(labels),
    versionStatus: JSON.stringify(versionStatus),
  };
}

export function entryOf(document: VersionDocument): VersionEntry {
  const { number, hash, notes, source, createdAt, lastDeployment } = document;
  return { number, hash, notes, source, createdAt, lastDeployment };
}

export function versionOf(document: VersionDocument): Version {
  return { ...entryOf(document), graph: JSON.parse(document.graph) as Version['graph'] };
}

export function configOf(document: NodeConfigDocument): NodeConfig {
  const { _id: id, turn: _turn, live: _live, outbox: _outbox, ...rest } = document;
  return { ...rest, id, config: JSON.parse(rest.config) as NodeConfig['config'] };
}
