import {
  choice,
  defineSettings,
  durationMs,
  host,
  integer,
  list,
  port,
  setting,
  text,
  type Setting,
} from '@glacis/settings';

/** What both programs of the folder have: they run in pods, where others reach them. */
const shared = {
  host: setting(host, '0.0.0.0', 'Address that HTTP is listened for on.'),
  httpPort: setting(port, '8000', 'Port of HTTP, health and metrics; 0 takes a free one.'),
  logLevel: setting(
    choice('debug', 'info', 'warn', 'error'),
    'info',
    'Least severe log record that is written, as JSON on standard error.',
  ),
} satisfies Record<string, Setting<unknown>>;

export const flowsSettings = defineSettings('GLACIS_FLOWS_', {
  ...shared,
  root: setting(text, '/volume_flow_mount', 'Directory that the claims of flows are mounted in.'),
  remotes: setting(
    list,
    '',
    'Flows that are clones of remotes and no component can write to, by claim: they are fetched as their git settings say.',
  ),
  fetchEvery: setting(durationMs, '60s', 'A clone is fetched when the last fetch is older.'),
  maxEntries: setting(
    integer(1, 10_000_000),
    '100000',
    'Entries of a directory, and branches and tags of a repository, that are listed; larger ones are refused.',
  ),
  gitTimeout: setting(durationMs, '20s', 'Time that git may take for an answer.'),
  gitProcesses: setting(integer(1, 1000), '8', 'git processes at once; more requests wait.'),
});

export const livenessSettings = defineSettings('GLACIS_LIVENESS_', {
  ...shared,
  declarations: setting(
    text,
    '/.RAMPART',
    'Directory of `component.yaml` and `edges.yaml`, which tell of the edges.',
  ),
});
