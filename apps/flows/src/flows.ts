import { createLogger, Metrics } from '@glacis/observability';
import type { Values } from '@glacis/settings';
import { FlowRoot } from './files/flow-root.js';
import { flowRoutes } from './flow-routes.js';
import { serveHttp, type HttpServer } from './http/server.js';
import { Fetches } from './repositories/fetches.js';
import { Git } from './repositories/git.js';
import type { flowsSettings } from './settings.js';

export type FlowsSettings = Values<typeof flowsSettings.shape>;

/** Starts the service that shows files and repositories of flows (`graph-apps.md` 7.1). Resolves when it listens. */
export function startFlows(settings: FlowsSettings): Promise<HttpServer> {
  const logger = createLogger({ name: 'flows', level: settings.logLevel });
  const metrics = new Metrics();
  metrics.observeProcess();
  const { gitTimeout: limitMs, gitProcesses: processes } = settings;
  const git = new Git({ limitMs, processes, logger });
  const { remotes, fetchEvery: everyMs } = settings;
  const fetches = new Fetches({ git, logger, remotes, everyMs });
  const root = new FlowRoot(settings.root);
  return serveHttp({
    host: settings.host,
    port: settings.httpPort,
    routes: flowRoutes({ root, git, fetches, most: settings.maxEntries }),
    ready: () => root.check(),
    logger,
    metrics,
  });
}
