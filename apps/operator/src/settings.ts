import { placesOf } from '@glacis/grpc';
import { peerShape, programShape, SettingsLoader, type PeerSettings } from '@glacis/host/bare';
import {
  defineSettings,
  list,
  named,
  optionalText,
  port,
  setting,
  SettingsError,
  text,
  url,
  type Values,
} from '@glacis/settings';
import type { Command } from './command-line.js';
import { checkGraphSettings, graphSettings, type GraphSettings } from './graphs/settings.js';

const place = text.refine((value) => placesOf(value)?.length === 1, {
  error: 'expected host:port',
});

const servable = ['teemanagers', 'rampartgraphs'] as const;
export type Servable = (typeof servable)[number];

const resources = list.refine(
  (names): names is Servable[] =>
    names.every((name) => (servable as readonly string[]).includes(name)),
  { error: `expected some of ${servable.join(', ')}` },
);

export const operatorSettings = defineSettings('GLACIS_OPERATOR_', {
  httpPort: setting(port, '9016', 'Port of health and metrics; 0 takes a free one.'),
  resources: setting(resources, servable.join(','), 'Resources that the role `operator` serves.'),
  namespace: named(
    'GLACIS_NAMESPACE',
    setting(
      optionalText,
      '',
      'Namespace of the operator: of its Lease `glacis-operator`, of repository Secrets for all graphs; empty: that of the service account.',
    ),
  ),
  webhookNames: setting(
    list,
    '',
    'Host names of the webhooks, such as glacis-webhooks.glacis.svc. They stand in a certificate of our own CA, which registrations are then kept to trust; empty: the certificate comes by files.',
  ),
  webhookConfiguration: setting(
    text,
    'glacis-graphs',
    'Name of the validating and of the mutating webhook configuration.',
  ),
});

/** Mandatory where TeeManagers are served. */
export const teeManagerSettings = defineSettings('GLACIS_OPERATOR_', {
  doorUrl: setting(url, undefined, 'REST of the suite, such as http://glacis-gateway:8080.'),
  managerUrl: setting(
    place,
    undefined,
    'host:port that the managers dial, such as glacis-backends.glacis.svc:7011; the host stands in the certificate of `backends`.',
  ),
  managerImage: setting(
    text,
    undefined,
    'Image of the reference manager, which TeeManagers take that name none.',
  ),
  tenant: setting(
    text,
    'default',
    'Tenant of TeeManagers in namespaces without the label `glacis.dev/tenant`.',
  ),
  namespaces: setting(list, '', 'Namespaces whose TeeManagers are served; empty: all.'),
});

const processSettings = defineSettings('GLACIS_', { ...programShape, ...peerShape });

export type TeeManagerSettings = Values<typeof teeManagerSettings.shape>;

export interface OperatorSettings {
  own: Values<typeof operatorSettings.shape>;
  process: Values<typeof processSettings.shape>;
  graphs: GraphSettings;
  /** Absent: they are not served. */
  teeManagers?: TeeManagerSettings;
}

/** @throws {SettingsError} naming every bad value */
export function loadOperatorSettings({ roles }: Pick<Command, 'roles'>): OperatorSettings {
  const loader = new SettingsLoader();
  const settings: OperatorSettings = {
    own: loader.load(operatorSettings),
    process: loader.load(processSettings),
    graphs: loader.load(graphSettings),
  };
  if (roles.has('operator') && settings.own.resources?.includes('teemanagers')) {
    settings.teeManagers = loader.load(teeManagerSettings);
  }
  loader.check();
  checkGraphSettings(settings.graphs);
  if (settings.teeManagers) checkPeers(settings.process);
  return settings;
}

/** TeeManagers can do nothing without any of them. */
function checkPeers(settings: PeerSettings): void {
  const peers = {
    GLACIS_CERTS_GRPC_URL: settings.certsGrpcUrl,
    GLACIS_BACKENDS_GRPC_URL: settings.backendsGrpcUrl,
    GLACIS_GATEWAY_GRPC_URL: settings.gatewayGrpcUrl,
  };
  const missing = Object.entries(peers).filter(([, address]) => address === undefined);
  if (missing.length > 0) {
    throw new SettingsError(missing.map(([name]) => ({ name, reason: 'is not set' })));
  }
}
