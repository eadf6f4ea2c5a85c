import type { GraphAppsSettings } from '../settings.js';

type Place = Pick<GraphAppsSettings, 'dashboardHostname' | 'dashboardPort' | 'dashboardPath'>;

/** Types whose pods the dashboard shows on the page of Deployments. */
const deployments = new Set<unknown>(['batch-uploader', 'generic-service', 'tensorboard']);

/** Where the Kubernetes dashboard is, as the settings say (`graph-apps.md` 6.5). */
export function dashboardUrl({
  dashboardHostname,
  dashboardPort,
  dashboardPath = '',
}: Place): string {
  const path = dashboardPath.replace(/^\/+|\/+$/g, '');
  const below = path === '' ? '' : `/${path}`;
  if (dashboardHostname === undefined) return below;
  const port = dashboardPort !== undefined && path !== '' ? `:${dashboardPort}` : '';
  return `http://${dashboardHostname}${port}${below}`;
}

/** The page of a component. */
export function componentUrl(place: Place, type: unknown, namespace: string): string {
  const page = deployments.has(type) ? 'deployment' : 'workloads';
  return `${dashboardUrl(place)}/#/${page}?namespace=${namespace}`;
}
