import {
  choice,
  defineSettings,
  integer,
  list,
  named,
  optionalText,
  port,
  secret,
  setting,
  sizeBytes,
  text,
  type Values,
} from '@glacis/settings';

/** `graph-apps.md` 6.8. */
export const graphAppsSettings = defineSettings('GLACIS_GRAPH_APPS_', {
  httpPort: setting(port, '9013', 'Port of the REST interface when the service runs on its own.'),
  kubeconfig: setting(
    optionalText,
    '',
    'Kubeconfig of the cluster that Apps are deployed to. Empty: the service account of the pod where one is mounted, else no cluster; a service that runs by itself reads `KUBECONFIG` before that.',
  ),
  tenant: setting(
    text,
    'default',
    'Tenant of graphs in Namespaces without the label `glacis.dev/tenant`.',
  ),
  streams: setting(
    integer(1, 100_000),
    '1000',
    'Streams of events (`/apps/events`) open at once; further ones are 503.',
  ),
  proxyLimit: setting(
    sizeBytes,
    '1gb',
    'Longest answer that is passed on from the flows of a graph; then it is cut off.',
  ),
  basePath: named(
    'BASE_PATH',
    setting(optionalText, '', 'What stands before `/api/v1` in the paths, as `/rampart`.'),
  ),
  corsOrigins: named(
    'CORS_ORIGINS',
    setting(list, '', 'Origins whose pages may call this service; empty: any.'),
  ),
  dashboardHostname: named(
    'DASHBOARD_HOSTNAME',
    setting(optionalText, '', 'Host of the Kubernetes dashboard that components link to.'),
  ),
  dashboardPort: named('DASHBOARD_PORT', setting(optionalText, '', 'Its port.')),
  dashboardPath: named('DASHBOARD_PATH', setting(optionalText, '', 'Its path.')),
  store: named(
    'GLACIS_STORE',
    setting(choice('postgres', 'mongodb'), 'postgres', 'Where Apps and their versions are kept.'),
  ),
  storeUrl: named(
    'GLACIS_STORE_URL',
    secret(
      optionalText,
      '',
      'MongoDB connection string with the name of a database; Postgres needs none, it is that of the service.',
    ),
  ),
  schemaDir: named(
    'GLACIS_SCHEMA_DIR',
    setting(
      optionalText,
      '',
      'Folder of JSON files with further component types for the editor, one type a file.',
    ),
  ),
});

export type GraphAppsSettings = Values<typeof graphAppsSettings.shape>;

/** Injection token of the settings. */
export const SETTINGS = Symbol('graph-apps settings');

/** Where the routes begin: `/api/v1`, with what stands before it. */
export function rootPath({ basePath = '' }: Pick<GraphAppsSettings, 'basePath'>): string {
  return `/${basePath}/api/v1`.replaceAll(/\/{2,}/g, '/');
}
