import { createLogger, Metrics } from '@glacis/observability';
import type { Values } from '@glacis/settings';
import { readDeclarations, type Declarations, type Edge } from './edges/declarations.js';
import { Markers } from './edges/markers.js';
import { notFound } from './http/problem.js';
import { json, type Asked, type Route } from './http/routes.js';
import { serveHttp, type HttpServer } from './http/server.js';
import type { livenessSettings } from './settings.js';

export type LivenessSettings = Values<typeof livenessSettings.shape>;

/**
 * Starts the liveness of a component's edges (`graph-apps.md` 7.3): markers first, then HTTP. Closing removes the markers.
 * @throws {StartError} where the pod is not told of its edges
 */
export async function startLiveness(
  settings: LivenessSettings,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<HttpServer> {
  const logger = createLogger({ name: 'liveness', level: settings.logLevel });
  const metrics = new Metrics();
  metrics.observeProcess();
  const declarations = await readDeclarations(settings.declarations, environment);
  const markers = new Markers(declarations, logger);
  await markers.write();
  const server = await serveHttp({
    host: settings.host,
    port: settings.httpPort,
    routes: routesOf(declarations, markers),
    ready: () => Promise.resolve(),
    logger,
    metrics,
  });
  const close = async (): Promise<void> => {
    await markers.remove();
    await server.close();
  };
  return { port: server.port, close };
}

function routesOf({ edges }: Declarations, markers: Markers): Route[] {
  const edgeOf = ({ params }: Asked, part: Edge['part']): Edge => {
    const found = edges.find((edge) => edge.part === part && edge.name === params['edge']);
    if (!found) throw notFound('Edge not found');
    return found;
  };
  return [
    {
      path: '/output/{edge}',
      handle: async (asked) => json(await markers.isIntact(edgeOf(asked, 'OUTPUT'))),
    },
    {
      path: '/input/{edge}',
      handle: async (asked) => json(await markers.inVolume(edgeOf(asked, 'INPUT'))),
    },
  ];
}
