import type { App, AppStatus, VersionEntry, VersionSource } from '../../apps/app.entity.js';

export interface AppRow {
  id: string;
  tenant: string;
  namespace: string;
  name: string;
  description: string;
  labels: Record<string, string>;
  uid: string | null;
  active: boolean;
  active_version: number;
  version_count: number;
  last_version: number;
  version_status: Record<string, string>;
  phase: string | null;
  seen: string | null;
  status: AppStatus;
  last_edit: Date;
  last_deployment: Date | null;
  /** `bigint` comes as text. */
  revision: string | number;
  turn: string | number;
}

export interface VersionRow {
  number: number;
  hash: string;
  notes: string;
  source: VersionSource;
  created_at: Date;
  last_deployment: Date | null;
}

export function appOf(row: AppRow): App {
  return {
    id: row.id,
    tenant: row.tenant,
    namespace: row.namespace,
    name: row.name,
    description: row.description,
    labels: row.labels,
    uid: row.uid,
    active: row.active,
    activeVersion: row.active_version,
    versionCount: row.version_count,
    lastVersion: row.last_version,
    versionStatus: row.version_status,
    phase: row.phase,
    seen: row.seen,
    status: row.status,
    lastEdit: row.last_edit,
    lastDeployment: row.last_deployment,
    revision: Number(row.revision),
    turn: Number(row.turn),
  };
}

/** As the database is given it: documents as text. */
export function rowOf(app: App): Record<keyof AppRow, unknown> {
  return {
    id: app.id,
    tenant: app.tenant,
    namespace: app.namespace,
    name: app.name,
    description: app.description,
    labels: JSON.stringify(app.labels),
    uid: app.uid,
    active: app.active,
    active_version: app.activeVersion,
    version_count: app.versionCount,
    last_version: app.lastVersion,
    version_status: JSON.stringify(app.versionStatus),
    phase: app.phase,
    seen: app.seen,
    status: app.status,
    last_edit: app.lastEdit,
    last_deployment: app.lastDeployment,
    revision: app.revision,
    turn: app.turn,
  };
}

export function entryOf(row: VersionRow): VersionEntry {
  return {
    number: row.number,
    hash: row.hash,
    notes: row.notes,
    source: row.source,
    createdAt: row.created_at,
    lastDeployment: row.last_deployment,
  };
}
