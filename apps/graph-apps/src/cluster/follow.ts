import { ANNOTATIONS, hashOf } from '@glacis/graphs';
import type { App, StoredGraph, Version, VersionPatch } from '../apps/app.entity.js';
import {
  byItself,
  createdEvent,
  deletedEvent,
  editOf,
  named,
  savedEvent,
  withVersion,
  type Cause,
  type Told,
} from '../apps/changes.js';
import type { Edit } from '../store/apps-store.js';
import { nameOf, statusOf } from './graph-status.js';
import type { RampartGraph } from './rampart-graph.js';

/** What is known of a graph beside itself. */
export interface Found {
  graph: RampartGraph;
  /** Of its Namespace. */
  tenant: string;
  /** The version whose content it has; undefined: none has. */
  number: number | undefined;
  now: Date;
}

/**
 * The App as the graph in the cluster wants it (`graph-apps.md` 6.6): version, labels, state. From both as they are, so it
 * may be asked again at any time.
 * @param before the App, where there is one; else it begins as `blank`
 * @returns undefined when nothing differs
 */
export function follow(
  { before, blank }: { before: App | undefined; blank: App },
  found: Found,
  cause: Cause = byItself,
): Edit | undefined {
  const app = before ?? blank;
  const { graph, tenant, now } = found;
  const { after, version } = followed({ ...app, tenant }, found);
  if (before !== undefined && !differs(before, after)) return undefined;
  const events = [
    ...(before ? [] : [createdEvent(after, 'cluster')]),
    ...(version ? [savedEvent(after, version)] : []),
    ...requested(app, after),
    ...finished(app, after, graph),
  ];
  const { activeVersion, active, phase } = after;
  const detail = { version: activeVersion, deployed: active, phase };
  const patch = patchOf(app, after, now);
  return editOf({ before, after, version, patch }, cause, { action: 'app.follow', detail, events });
}

/** A graph whose content no version has becomes a version. */
function followed(app: App, found: Found): { after: App; version?: Version } {
  const { graph, number, now } = found;
  if (number !== undefined) return { after: seen(app, number, found) };
  const given = { graph: storedOf(graph), notes: '', source: 'cluster', now } as const;
  const made = withVersion(app, given);
  return { after: seen(made.app, made.version.number, found), version: made.version };
}

/** The end of an App whose graph is gone. */
export function gone(before: App): Edit {
  const did = { action: 'app.delete', events: [deletedEvent(before)] };
  return editOf({ before }, byItself, did);
}

/** What a graph says of the version that it is: the annotation if it tells the truth. */
export function annotatedVersion({ metadata }: RampartGraph): number {
  const text = metadata.annotations?.[ANNOTATIONS.appVersion] ?? '';
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
}

export function hashOfGraph(graph: RampartGraph): string {
  return hashOf(storedOf(graph).spec.graph);
}

function storedOf(graph: RampartGraph): StoredGraph {
  const { apiVersion, kind, spec } = graph;
  return { apiVersion, kind, metadata: nameOf(graph), spec: { graph: spec?.graph ?? {} } };
}

function seen(app: App, number: number, { graph, now }: Found): App {
  const { metadata, status } = graph;
  const phase = typeof status?.phase === 'string' ? status.phase : null;
  const entered = phase === 'Deploying' && app.phase !== 'Deploying';
  return {
    ...app,
    uid: metadata.uid,
    labels: metadata.labels ?? {},
    active: graph.spec?.deploy !== false,
    activeVersion: number,
    versionStatus: replacedVersions(app, number, graph),
    phase,
    status: statusOf(graph),
    seen: metadata.resourceVersion,
    lastDeployment: entered ? now : app.lastDeployment,
  };
}

/** A version that was active is being undeployed until the one that replaces it is deployed (6.4). */
function replacedVersions(app: App, number: number, graph: RampartGraph): Record<string, string> {
  const { status, metadata } = graph;
  if (status?.phase === 'Deployed' && status.observedGeneration === metadata.generation) return {};
  const { [String(number)]: _, ...others } = app.versionStatus;
  const replaced = app.active && app.activeVersion > 0 && app.activeVersion !== number;
  return replaced ? { ...others, [String(app.activeVersion)]: 'Undeploying' } : others;
}

/** `seen` alone is no difference: the graph says of everything else what it said before. */
function differs(before: App, after: App): boolean {
  return JSON.stringify({ ...before, seen: null }) !== JSON.stringify({ ...after, seen: null });
}

function patchOf(app: App, after: App, now: Date): VersionPatch | undefined {
  if (after.lastDeployment === app.lastDeployment) return undefined;
  return { number: after.activeVersion, lastDeployment: now };
}

function requested(app: App, after: App): Told[] {
  const another = after.active && after.activeVersion !== app.activeVersion;
  if (after.active === app.active && !another) return [];
  const data = { ...named(after), version: after.activeVersion, deployed: after.active };
  return [{ type: 'deployment.requested', data }];
}

const ends = ['Deployed', 'Undeployed', 'Failed'] as const;

function finished(app: App, after: App, { status }: RampartGraph): Told[] {
  const phase = ends.find((end) => end === after.phase);
  if (phase === undefined || app.phase === phase) return [];
  const reason = typeof status?.reason === 'string' ? status.reason : undefined;
  const data = { ...named(after), version: after.activeVersion, phase, reason };
  return [{ type: 'deployment.finished', data }];
}
