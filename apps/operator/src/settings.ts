import { placesOf } from '@glacis/grpc';
import { peerShape, programShape, SettingsLoader, type PeerSettings } from '@glacis/host/bare';
import {
  defineSettings,
  list,
  optionalText,
  port,
  setting,
  SettingsError,
  text,
  url,
  type Values,
} from '@glacis/settings';

const place = text.refine((value) => placesOf(value)?.length === 1, {
  error: 'expected host:port',
});

export const operatorSettings = defineSettings('GLACIS_OPERATOR_', {
  httpPort: setting(port, '9016', 'Port of health and metrics; 0 takes a free one.'),
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
  namespace: setting(
    optionalText,
    '',
    'Namespace of the Lease `glacis-operator`; empty: that of the service account.',
  ),
});

const processSettings = defineSettings('GLACIS_', { ...programShape, ...peerShape });

export interface OperatorSettings {
  own: Values<typeof operatorSettings.shape>;
  process: Values<typeof processSettings.shape>;
}

/** @throws {SettingsError} naming every bad value */
export function loadOperatorSettings(): OperatorSettings {
  const loader = new SettingsLoader();
  const settings = { own: loader.load(operatorSettings), process: loader.load(processSettings) };
  loader.check();
  checkPeers(settings.process);
  return settings;
}

/** It can do nothing without any of them. */
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
