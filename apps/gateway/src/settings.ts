import {
  defineSettings,
  durationMs,
  host,
  integer,
  list,
  optionalPort,
  optionalText,
  port,
  setting,
  sizeBytes,
  text,
  urls,
  type Values,
} from '@glacis/settings';

export const gatewaySettings = defineSettings('GLACIS_GATEWAY_', {
  httpPort: setting(port, '8080', 'Port of the door when it runs on its own.'),
  dataDir: setting(
    optionalText,
    '',
    'Folder that `admin.token` is written to at the start, the token of the first administrator; empty: none is made, see `admin-token.js`.',
  ),
  kekFile: setting(
    text,
    undefined,
    'File with the key-encryption keys for the keys that sign tokens, one of 32 bytes per line in base64 or hex; the first encrypts.',
  ),
  grpcHost: setting(host, '0.0.0.0', 'Address on which other services are listened for.'),
  grpcPort: setting(
    optionalPort,
    '7005',
    'Port for the calls of other services; 0 takes a free one, empty: none is opened.',
  ),
  grpcNames: setting(
    list,
    'localhost,127.0.0.1,::1',
    'Host names and IP addresses under which other services dial us; all of them stand in our server certificate.',
  ),
  tokenServices: setting(
    list,
    'operator',
    'Services that are given tokens of 15 minutes, by which they act as `admin` of the tenant that they name.',
  ),
  tokenTtl: setting(durationMs, '24h', 'Life of a token when its maker names none.'),
  tokenTtlMax: setting(durationMs, '8760h', 'Longest life that a token may be given.'),
  tokenRetention: setting(
    durationMs.refine((ms) => ms >= 600_000, { error: 'expected at least 10m' }),
    '720h',
    'How long a token is still listed after its end, at least 10m.',
  ),
  revocationPoll: setting(
    durationMs,
    '500ms',
    'Time between two looks at the revoked tokens and at the keys of tokens, for news whose broadcast was lost.',
  ),
  backendsUrls: setting(
    urls,
    '',
    'Replicas of the service backends that requests are passed on to; a name may stand for several. Empty where it is mounted in this process.',
  ),
  certificatesUrls: setting(urls, '', 'The same for the service certificates.'),
  graphAppsUrls: setting(urls, '', 'The same for the service graph-apps.'),
  jobsUrls: setting(urls, '', 'The same for the service jobs.'),
  resolveInterval: setting(
    durationMs,
    '5s',
    'Time between two looks at the addresses that the names of replicas stand for.',
  ),
  upstreamConnections: setting(
    integer(1, 10_000),
    '128',
    'Connections to one replica, and so requests under way at it, at most.',
  ),
  upstreamQueue: setting(
    integer(0, 100_000),
    '512',
    'Requests that may wait for a connection to one replica; with more it counts as taken.',
  ),
  upstreamCaFile: setting(
    optionalText,
    '',
    'PEM file with roots that services named by https are checked against, beside those that Node ships; empty: those of Node alone.',
  ),
  connectTimeout: setting(
    durationMs,
    '1s',
    'Time that a request may wait for a connection to a replica, before the next one is tried; 503 after three times as much without one that takes it.',
  ),
  replyTimeout: setting(
    durationMs,
    '30s',
    'Time from the last byte of a request to the first of its answer; then it is 504.',
  ),
  replyIdleTimeout: setting(
    durationMs,
    '30s',
    'Time between two pieces of an answer; then it is cut off.',
  ),
  bodyLimit: setting(
    sizeBytes,
    '64mb',
    'Longest body that is passed on; each operation of a service has a limit of its own.',
  ),
  fileLimit: setting(
    sizeBytes,
    '1gb',
    'The same for uploads of files, as share files of jobs; these may take as long as bytes come.',
  ),
});

export type GatewaySettings = Values<typeof gatewaySettings.shape>;

/** Injection token of the settings. */
export const GATEWAY_SETTINGS = Symbol('GATEWAY_SETTINGS');
