import { placesOf } from '@glacis/grpc';
import {
  defineSettings,
  list,
  optionalText,
  port,
  setting,
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

export type OperatorSettings = Values<typeof operatorSettings.shape>;
