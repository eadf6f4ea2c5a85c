import { appId } from '@glacis/graphs';
import type { App, AppStatus, StoredGraph, VersionEntry } from './app.entity.js';
import { isReadOnly } from './known-app.js';

/** `2024-05-01T10:00:00.000000+00:00` (`graph-apps.md` 6.1). */
export function timeText(time: Date): string {
  return time.toISOString().replace('Z', '000+00:00');
}

export const timeOrNull = (time: Date | null): string | null => time && timeText(time);

/** An entry of the list of Apps. */
export function appEntry(app: App, graph: StoredGraph | undefined): Record<string, unknown> {
  const id = appId(app);
  return {
    id,
    appId: id,
    name: app.name,
    description: app.description,
    deployedVersion: app.activeVersion,
    versionCount: app.versionCount,
    readOnly: isReadOnly(app),
    graph,
    lastDeployment: timeOrNull(app.lastDeployment),
    lastEdit: timeText(app.lastEdit),
  };
}

/** True for the version that the cluster is to have. */
export function isActive(app: App, { number }: { number: number }): boolean {
  return app.active && app.activeVersion === number;
}

const wordOfPhase: Record<string, AppStatus> = {
  Deploying: 'deploying',
  Undeploying: 'undeploying',
  Deleting: 'deleting',
  Deployed: 'deployed',
  DeployedWithErrors: 'deployment_error',
  Undeployed: 'undeployed',
  Failed: 'error',
};

/** The word for the phase of a version's row. */
export function phaseWord(phase: string): AppStatus {
  return wordOfPhase[phase] ?? 'unknown';
}

export function versionStatus(app: App, version: { number: number }): AppStatus {
  const own = app.versionStatus[version.number];
  if (own !== undefined) return phaseWord(own);
  return isActive(app, version) ? app.status : 'undeployed';
}

/** An item of `versions[]`. */
export function versionView(app: App, version: VersionEntry): Record<string, unknown> {
  return {
    name: app.name,
    appId: appId(app),
    version: String(version.number),
    status: versionStatus(app, version),
    deployed: isActive(app, version),
    lastDeployment: timeOrNull(version.lastDeployment),
    lastEdit: timeText(version.createdAt),
    notes: version.notes,
  };
}

/** An item of the list of versions. */
export function versionItem(app: App, version: VersionEntry): Record<string, unknown> {
  return { ...versionView(app, version), hash: version.hash, source: version.source };
}

/** An entry of the list of all states. */
export function statusItem(app: App): Record<string, unknown> {
  const id = appId(app);
  return { id, name: app.name, appId: id, status: app.status };
}
