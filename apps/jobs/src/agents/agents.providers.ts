import type { Provider } from '@nestjs/common';
import { AgentListener } from './agent-listener.js';
import { AgentRoutes } from './agent-routes.js';
import { Bells } from './bells.js';
import { Enrolment } from './enrolment.js';
import { EphemeralCertificates } from './ephemeral-certificates.js';
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
  { provide: PartyCertificates, useClass: EphemeralCertificates },
  Lookups,
  Objects,
  Work,
];
