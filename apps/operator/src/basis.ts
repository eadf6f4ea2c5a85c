import type { ApiServer } from '@glacis/kube';
import { createLogger, Health, Metrics, Tracing, type Logger } from '@glacis/observability';
import type { OperatorSettings } from './settings.js';

/** What all roles of a process share. */
export interface Basis {
  logger: Logger;
  metrics: Metrics;
  health: Health;
  tracing: Tracing;
  server: ApiServer;
}

export function openBasis({ process: shared }: OperatorSettings, server: ApiServer): Basis {
  const metrics = new Metrics();
  metrics.observeProcess();
  return {
    logger: createLogger({ name: 'operator', level: shared.logLevel }),
    metrics,
    health: new Health(),
    tracing: new Tracing({ service: 'operator', endpoint: shared.traceEndpoint }),
    server,
  };
}
