import { RpcDirectory } from '@glacis/grpc';
import type { Provider } from '@nestjs/common';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { AgentListener } from './agent-listener.js';
import { AgentRoutes } from './agent-routes.js';
import { Bells } from './bells.js';
import { Enrolment } from './enrolment.js';
import { EphemeralCertificates } from './ephemeral-certificates.js';
import { ChosenCertificates } from './chosen-certificates.js';
import { ServiceCertificates } from './service-certificates.js';
import { Lookups } from './lookups.js';
import { Objects } from './objects.js';
import { PartyCertificates } from './party-certificates.js';
import { Work } from './work.js';

/** The listener of party agents and what stands behind it. */
export const agentsProviders: Provider[] = [
  AgentListener,
  AgentRoutes,
  Bells,
  Enrolment,
  EphemeralCertificates,
  ServiceCertificates,
  {
    provide: PartyCertificates,
    inject: [SETTINGS, RpcDirectory, ServiceCertificates, EphemeralCertificates],
    useFactory: (
      { pki }: JobsSettings,
      directory: RpcDirectory,
      service: ServiceCertificates,
      ephemeral: EphemeralCertificates,
    ) => {
      const byService = (): boolean =>
        pki === 'service' || (pki === 'auto' && directory.knows('certificates'));
      return new ChosenCertificates(() => (byService() ? service : ephemeral));
    },
  },
  Lookups,
  Objects,
  Work,
];
