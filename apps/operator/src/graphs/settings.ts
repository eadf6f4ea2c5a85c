import { placesOf } from '@glacis/grpc';
import {
  defineSettings,
  flag,
  integer,
  named,
  optionalPort,
  optionalText,
  setting,
  SettingsError,
  text,
  type Setting,
  type Values,
} from '@glacis/settings';

const brokers = optionalText.refine((places) => places === undefined || placesOf(places) !== null, {
  error: 'expected host:port, several of them with commas',
});
const seconds = integer(1, 86_400);
/** Empty text stays empty. */
const anyText = optionalText.transform((value) => value ?? '');

const rampart = <T>(name: string, of: Setting<T>): Setting<T> => named(`RAMPART_${name}`, of);

/** Settings of graphs (graph-apps.md 4.11), most of them under the names that Rampart gave them. */
export const graphSettings = defineSettings('GLACIS_', {
  workers: setting(integer(1, 64), '4', 'Graphs that are worked on at once.'),
  resyncSeconds: setting(seconds, '60', 'After so many seconds what is there is compared anew.'),
  persistentErrorAfter: setting(
    integer(0, 86_400),
    '600',
    'Age in seconds of a pod that is not ready at which its error counts as persistent.',
  ),
  pulsarSweep: setting(
    flag,
    'true',
    'Whether namespaces of pulsar go that belong to no graph any more.',
  ),
  kafkaBootstrap: setting(
    brokers,
    '',
    'host:port of Kafka for flows, several with commas; empty: that of the infra `kafka`, if there is one.',
  ),
  kafkaClientSecret: setting(
    anyText,
    '',
    'Secret in the namespace of the operator with the TLS and SASL files by which topics are made; empty: none.',
  ),
  helm: setting(text, 'helm', 'The program helm, version 3.'),
  livenessImage: setting(anyText, '', 'Image of the liveness of edges; empty: RAMPART_FLOW_IMAGE.'),
  repoImage: setting(
    anyText,
    '',
    'Image with sh and git, and dvc for flows of that kind, which fills repositories; empty: dev/dvc:2.9.3 of RAMPART_REGISTRY.',
  ),
  imagePullSecretPath: rampart(
    'IMAGE_PULL_SECRET_PATH',
    setting(anyText, '', 'File with the dockerconfigjson by which images are pulled; empty: none.'),
  ),
  registry: rampart(
    'REGISTRY',
    setting(anyText, '', 'Registry of images, as charts are told; empty: none.'),
  ),
  storageClass: rampart(
    'STORAGE_CLASS',
    setting(
      text,
      'rampart',
      'ReadWriteMany storage class in which claims of one name share a directory.',
    ),
  ),
  workdir: rampart(
    'WORKDIR',
    setting(anyText, '', 'Folder for the files of helm; empty: a temporary one.'),
  ),
  flowImage: rampart('FLOW_IMAGE', setting(anyText, '', 'Image of the flow services.')),
  repoTimeout: rampart(
    'REPO_TIMEOUT',
    setting(seconds, '60', 'Seconds for reading a chart repository, and for reading a chart.'),
  ),
  repoFlowInitTimeout: rampart(
    'REPO_FLOW_INIT_TIMEOUT',
    setting(seconds, '600', 'Seconds for the Job that makes a repository.'),
  ),
  componentInstallTimeout: rampart(
    'COMPONENT_INSTALL_TIMEOUT',
    setting(seconds, '600', 'Seconds for installing one release.'),
  ),
  pulsarService: rampart(
    'PULSAR_SERVICE',
    setting(anyText, '', 'Service of pulsar; empty: graphs get no pulsar.'),
  ),
  pulsarNamespace: rampart('PULSAR_NAMESPACE', setting(text, 'pulsar', 'Namespace of pulsar.')),
  pulsarDeployment: rampart(
    'PULSAR_DEPLOYMENT',
    setting(text, 'rampart-pulsar', 'Cluster of pulsar in which the tenant is allowed.'),
  ),
  pulsarAdminPort: rampart(
    'PULSAR_ADMIN_PORT',
    setting(optionalPort, '', 'Port of the admin API of pulsar; both ports or neither.'),
  ),
  pulsarClientPort: rampart(
    'PULSAR_CLIENT_PORT',
    setting(optionalPort, '', 'Port of the clients of pulsar.'),
  ),
  auxChartRepo: rampart(
    'AUX_CHART_REPO',
    setting(
      text,
      'rampart-repo',
      'Repository of the chart that `ingressNeeded` adds: a URL, or the name of a repository Secret.',
    ),
  ),
  auxChartName: rampart('AUX_CHART_NAME', setting(text, 'auth-aux', 'Name of that chart.')),
  auxChartVersion: rampart(
    'AUX_CHART_VERSION',
    setting(text, 'latest', 'Version of that chart, or latest.'),
  ),
  volumeFlowLivenessPath: rampart(
    'VOLUME_FLOW_LIVENESS_PATH',
    setting(anyText, '', 'Script that the liveness image runs; empty: its own.'),
  ),
});

export type GraphSettings = Values<typeof graphSettings.shape>;

/** @throws {SettingsError} when one port of pulsar is set without the other */
export function checkGraphSettings(settings: GraphSettings): void {
  const { pulsarAdminPort: admin, pulsarClientPort: client } = settings;
  if ((admin === undefined) === (client === undefined)) return;
  const missing = admin === undefined ? 'ADMIN' : 'CLIENT';
  throw new SettingsError([
    { name: `RAMPART_PULSAR_${missing}_PORT`, reason: 'is not set, and the other port is' },
  ]);
}
