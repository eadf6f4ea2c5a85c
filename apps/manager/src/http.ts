import {
  serveHealth,
  type HealthAnswer,
  type HealthServer,
  type Metrics,
} from '@glacis/observability';

export interface HttpOptions {
  port: number;
  instanceId: string;
  version: string;
  metrics: Metrics;
  /** A stream to the server is open. */
  connected: () => boolean;
}

/** Health and metrics (`backends.md` 14). Resolves when it listens. */
export function listenHttp(options: HttpOptions): Promise<HealthServer> {
  const { port, metrics, connected } = options;
  const answers = {
    '/health': () => healthDocument(options),
    '/livez': () => ({ status: 200, body: 'ok' }),
    '/readyz': () =>
      connected()
        ? { status: 200, body: 'ok' }
        : { status: 503, body: 'no stream to the server is open' },
  };
  return serveHealth({ port, metrics, answers });
}

function healthDocument({ version, instanceId }: HttpOptions): HealthAnswer {
  const description = 'manager service';
  const document = { status: 'pass', version, description, instance_id: instanceId };
  return { status: 200, body: JSON.stringify(document), type: 'application/health+json' };
}
