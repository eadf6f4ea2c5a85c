// The webhooks of the operator on a port of this machine, over what the case at hand says of its cluster.
import { createLogger, Metrics } from '../libs/observability/dist/index.js';
import { WebhookServer } from '../libs/kube/dist/index.js';
import {
  conversion,
  podMutation,
  validation,
} from '../apps/operator/dist/graphs/webhooks/hooks.js';
import { clusterOf } from './forms/context.mjs';
import { unexpected } from './forms/faults.mjs';

/** Set by a form before it calls. */
const at = { cluster: clusterOf({}), preset: {}, gpuNodes: false };

const hooks = {
  '/validate': (body) =>
    validation({
      cluster: at.cluster,
      synced: Promise.resolve(),
      report: unexpected,
      denied: () => undefined,
    })(body),
  '/conversion': conversion,
  '/mutate/pod': podMutation({
    preset: async () => ({ spec: at.preset }),
    endingClaim: () => undefined,
    gpuNodes: () => at.gpuNodes,
  }),
};

let server;

/** What comes back: `response` is null where it is no JSON. */
export async function call(path, body, facts = {}) {
  Object.assign(at, facts);
  const answer = await fetch(`${await address()}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const contentType = answer.headers.get('content-type');
  const isJson = contentType === 'application/json';
  return {
    httpStatus: answer.status,
    response: isJson ? JSON.parse(text) : null,
    text,
    contentType,
  };
}

async function address() {
  if (!server) {
    const logger = createLogger({ name: 'conformance', level: 'silent' });
    const options = {
      host: '127.0.0.1',
      port: 0,
      hooks,
      drainMs: 0,
      logger,
      metrics: new Metrics(),
    };
    server = new WebhookServer(options);
    await server.start();
  }
  return `http://127.0.0.1:${server.port}`;
}

export async function stop() {
  await server?.stop();
}
