import { runService } from '@glacis/host';
import { KekUnavailableError } from '@glacis/pki';
import { CertificatesModule } from './certificates.module.js';
import { EstPort } from './enrolment/est-port.js';
import { InternalPort } from './rpc/internal-port.js';
import { certificatesSettings } from './settings.js';

await runService({
  name: 'certificates',
  settings: certificatesSettings,
  apis: ['certs'],
  httpPort: ({ httpPort }) => httpPort,
  module: (settings) => CertificatesModule.forRoot(settings),
  plain: [KekUnavailableError],
  ports: (app) => ({
    enrolment: app.get(EstPort, { strict: false }).port,
    calls: app.get(InternalPort, { strict: false }).port,
  }),
});
