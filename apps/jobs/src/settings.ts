import {
  choice,
  defineSettings,
  durationMs,
  flag,
  host,
  integer,
  json,
  list,
  optionalText,
  optionalUrl,
  port,
  setting,
  sizeBytes,
  text,
  type Values,
} from '@glacis/settings';
import { z } from 'zod';
import { machineSettings, storageSettings } from './cloud-settings.js';

const network = z.object({ mbit: z.number().positive(), rtt_ms: z.number().nonnegative() });

/** `jobs.md` 1.2, and where the service listens and keeps its things. */
export const jobsSettings = defineSettings('GLACIS_JOBS_', {
  httpPort: setting(port, '5000', 'Port of the REST interface when the service runs on its own.'),
  agentsHost: setting(host, '127.0.0.1', 'Address on which party agents are listened for.'),
  agentsPort: setting(port, '5001', 'Port for party agents, mutual TLS; 0 takes a free one.'),
  agentsUrl: setting(
    optionalUrl,
    '',
    'Where party agents elsewhere reach that port, as `https://jobs.example.org:5001`; empty: its address.',
  ),
  publicUrl: setting(
    optionalUrl,
    '',
    'What upload and download links begin with; empty: the address of the door.',
  ),
  dataDir: setting(text, '.glacis/jobs', 'Folder of local buckets and of local party agents.'),
  secretFile: setting(
    text,
    undefined,
    'File with the secrets that tokens and links of the service are signed with, one of 32 bytes per line in base64 or hex; the first signs, the others are accepted for an hour after the file was changed.',
  ),
  engineAvgScale: setting(
    integer(0, 4),
    '2',
    'Decimals of AVG and of arithmetic on opened values, at least.',
  ),
  engineMaxRows: setting(
    integer(1, 1_048_576),
    '262144',
    'Rows of a table over all owners, at most.',
  ),
  engineMaxRounds: setting(
    integer(1, 10_000_000),
    '50000',
    'Rounds that a query may need by the estimate; with more it is `too_complex`.',
  ),
  planNet: setting(
    z.union([choice('auto'), json(network)]),
    'auto',
    'Network that estimates are made for, as `{"mbit":10000,"rtt_ms":0.3}`; `auto` goes by the placement.',
  ),
  collusion: setting(
    choice('warn', 'deny'),
    'warn',
    'What becomes of a job where one provider has several parties.',
  ),
  rawRows: setting(
    choice('allow', 'consent', 'refuse'),
    'consent',
    'Output of rows that are not aggregated; `consent` needs the signed consent of every owner.',
  ),
  minOwners: setting(integer(1, 1000), '1', 'Registered owners that submit needs.'),
  minGroupSize: setting(
    integer(1, 1000),
    '5',
    'Members that a group needs to be shown, at least; a job or a policy may ask for more.',
  ),
  residual: setting(
    choice('on', 'off'),
    'on',
    'From two owners on, whether no owner may learn a small rest of a group by taking off its own rows.',
  ),
  extremes: setting(
    choice('policy', 'refuse'),
    'policy',
    'MIN and MAX: each owner with a policy must allow them, or refused for all.',
  ),
  resultKey: setting(
    choice('auto', 'optional'),
    'auto',
    '`auto`: outside mode `open` a job needs `result_key`, so that only the analyst can read the result.',
  ),
  auth: setting(
    choice('auto', 'open', 'token'),
    'auto',
    'Whether the contract routes need a token; `auto` is `open` on a loopback address while all drivers are local, else `token`.',
  ),
  allowOpen: setting(flag, 'false', 'Lets `open` be chosen on an address that others can reach.'),
  executionAllow: setting(
    list.pipe(z.array(z.enum(['local', 'mixed', 'cloud']))),
    'local,mixed,cloud',
    'Kinds of execution that are not refused at create.',
  ),
  urlsTtlSeconds: setting(integer(60, 3600), '3600', 'Lifetime of signed links, in seconds.'),
  urlsPerHour: setting(
    integer(1, 10_000),
    '30',
    'Times in an hour that one owner of a job gets upload links.',
  ),
  uploadMaxBytes: setting(sizeBytes, '256mb', 'Bytes of a share file, at most.'),
  uploadSets: setting(integer(1, 9999), '20', 'Upload sets of an owner, at most.'),
  openJobs: setting(integer(1, 10_000), '10', 'Jobs of one analyst that have not ended, at most.'),
  jobsPerDay: setting(
    integer(1, 1_000_000),
    '1000',
    'Jobs that one analyst may create within 24 hours.',
  ),
  retentionDays: setting(
    integer(1, 3650),
    '7',
    'Days after the end of a job when its buckets are deleted.',
  ),
  sealedRetentionDays: setting(
    integer(1, 3650),
    '90',
    'Days that sealed results stay while nobody acknowledges them.',
  ),
  orphanGrace: setting(
    durationMs,
    '10m',
    'How long buckets and party agents that no job has use for stay, as a create or a submit may be under way.',
  ),
  bucketPrefix: setting(
    text.refine((value) => /^[a-z][a-z0-9-]{0,13}$/.test(value), {
      error: 'expected 1 to 14 small letters, digits and dashes',
    }),
    'glacis',
    'What names of buckets begin with; installations that share an account of a cloud need different ones.',
  ),
  validateSkipIdle: setting(
    flag,
    'false',
    'Lets submit pass over owners who registered and stored nothing.',
  ),
  pki: setting(
    choice('auto', 'service', 'ephemeral'),
    'auto',
    'Issuer of party certificates: the service certificates, or an authority in memory for each job, which only local execution may use.',
  ),
  localUsers: setting(
    list.pipe(
      z
        .array(z.string().regex(/^\d{1,10}:\d{1,10}$/, { error: 'expected uid:gid' }))
        .refine(({ length }) => length === 0 || length >= 3, {
          error: 'expected an account for each of three parties, or none',
        }),
    ),
    '',
    'Operating system accounts `uid:gid` of local parties, one each; empty: that of the service.',
  ),
  kubernetesProvider: setting(
    choice('none', 'aws', 'gcp', 'azure'),
    'none',
    'Name of the provider whose parties run as pods of a Kubernetes cluster; they must reach `GLACIS_JOBS_AGENTS_HOST` from there.',
  ),
  kubernetesInstallation: setting(
    text.refine((value) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(value), {
      error: 'expected a value that a label of Kubernetes may have',
    }),
    'glacis',
    'Name of this installation among those that run parties in the cluster: each ends pods of its own only.',
  ),
  kubernetesImage: setting(
    text,
    'glacis',
    'Image of pods of parties: that of this version of the suite.',
  ),
  kubernetesRuntimeClass: setting(
    optionalText,
    '',
    'Runtime class of pods of parties, as a confidential one.',
  ),
  kubernetesStorageClass: setting(
    optionalText,
    '',
    'Storage class of the volumes that keep keys of parties; empty: the default of the cluster.',
  ),
  kubernetesPullSecretFiles: setting(
    list,
    '',
    'Files with a dockerconfigjson each, by which nodes pull that image; each pod has them as Secrets in its namespace while it is there.',
  ),
  kubeconfig: setting(
    optionalText,
    '',
    'Kubeconfig of the cluster that parties run in. Empty: the service account of the pod.',
  ),
  corsOrigins: setting(list, '', 'Origins whose pages may call the service; `/storage` takes any.'),
  runsParallel: setting(
    integer(0, 1000),
    '0',
    'Jobs that one replica runs at once; further ones wait. 0: as many as there are processors, and two at least.',
  ),
  ...storageSettings,
  ...machineSettings,
  eventStreams: setting(
    integer(1, 100_000),
    '1000',
    'Event streams open at once; further ones are 503.',
  ),
});

export type JobsSettings = Values<typeof jobsSettings.shape>;

/** Injection token of the settings. */
export const SETTINGS = Symbol('jobs settings');

/** Where REST of the service is listened for. */
export interface Listener {
  /** Host name or address. */
  host: string;
}

/** Injection token of the {@link Listener}. */
export const LISTENER = Symbol('jobs listener');

/** The service does not start: sums of so many rows with so many decimals could be too large for 64 bits. */
export class UnsafeScaleError extends Error {
  constructor() {
    super(
      'GLACIS_JOBS_ENGINE_MAX_ROWS · 2^31 · 10^GLACIS_JOBS_ENGINE_AVG_SCALE does not fit into 63 bits',
    );
  }
}

/** @throws {UnsafeScaleError} by the rule of `jobs.md` 1.2 */
export function checkScale({
  engineMaxRows,
  engineAvgScale,
}: Pick<JobsSettings, 'engineMaxRows' | 'engineAvgScale'>): void {
  const rows = BigInt(engineMaxRows);
  if (rows * 2n ** 31n * 10n ** BigInt(engineAvgScale) + rows / 2n >= 2n ** 63n)
    throw new UnsafeScaleError();
}
