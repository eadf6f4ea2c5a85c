import { appId, hashOf } from '@glacis/graphs';
import type { NewEvent } from '@glacis/events';
import type { AuditEntry } from '@glacis/identity';
import type { Edit } from '../store/apps-store.js';
import type { App, StoredGraph, Version, VersionSource } from './app.entity.js';

/** Who changes something, and in the course of what. */
export interface Cause {
  actor: string;
  requestId?: string;
  traceparent?: string;
}

/** What this service does by itself. */
export const byItself: Cause = { actor: 'graph-apps' };

export interface NewVersion {
  graph: StoredGraph;
  notes: string;
  source: VersionSource;
  now: Date;
}

/** The App with one version more, and that version. The number is never one that was given before. */
export function withVersion(app: App, given: NewVersion): { app: App; version: Version } {
  const { graph, notes, source, now } = given;
  const number = app.lastVersion + 1;
  const version = {
    number,
    hash: hashOf(graph.spec.graph),
    notes,
    source,
    createdAt: now,
    lastDeployment: null,
    graph,
  };
  const versionCount = app.versionCount + 1;
  return { app: { ...app, lastVersion: number, versionCount, lastEdit: now }, version };
}

/** An App without a version yet. */
export function newApp(
  of: Pick<App, 'id' | 'tenant' | 'namespace' | 'name' | 'labels'>,
  now: Date,
): App {
  return {
    ...of,
    description: '',
    uid: null,
    active: false,
    activeVersion: 0,
    versionCount: 0,
    lastVersion: 0,
    versionStatus: {},
    phase: null,
    seen: null,
    status: 'undeployed',
    lastEdit: now,
    lastDeployment: null,
    revision: 0,
    turn: 0,
  };
}

/** The members that name an App in events. */
export function named(app: App): { app_id: string; namespace: string; name: string } {
  return { app_id: appId(app), namespace: app.namespace, name: app.name };
}

/** An event before it is known whose it is. */
export type Told = Pick<NewEvent, 'type' | 'data'>;

/** An edit of one revision more, with the audit row of what was done and the events that tell of it. */
export function editOf(
  change: Pick<Edit, 'before' | 'after' | 'version' | 'patch'>,
  cause: Cause,
  { action, detail, events }: { action: string; detail?: Record<string, unknown>; events: Told[] },
): Edit {
  const { before, after } = change;
  const app = (after ?? before) as App;
  const { actor, requestId, traceparent } = cause;
  const [subject, tenant] = [appId(app), app.tenant];
  const audit: AuditEntry = { actor, tenant, action, subject, requestId, detail };
  return {
    ...change,
    after: after && { ...after, revision: (before?.revision ?? 0) + 1 },
    events: events.map((told) => ({ ...told, subject, tenant, traceparent })),
    audit: [audit],
  };
}

export function savedEvent(app: App, { number, hash, source }: Version): Told {
  return { type: 'version.saved', data: { ...named(app), version: number, hash, source } };
}

export function createdEvent(app: App, source: VersionSource): Told {
  return { type: 'app.created', data: { ...named(app), source } };
}

export function deletedEvent(app: App): Told {
  return { type: 'app.deleted', data: named(app) };
}
