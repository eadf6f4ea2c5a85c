import type { FastifyInstance, onSendHookHandler, RouteOptions } from 'fastify';
import type { Admission } from './admission.js';
import { rememberRoute } from './documented-routes.js';
import { operationOf } from './operation.js';
import type { RequestTelemetry } from './telemetry.js';

const forbidStoring: onSendHookHandler = (_request, reply, payload, done) => {
  reply.header('cache-control', 'no-store');
  done(null, payload);
};

/**
 * Gives every route, as it is added, the hooks that its `@Operation` asks for, and each GET its HEAD.
 * A route without a declaration throws, which stops the start.
 */
export function equipRoutes(
  instance: FastifyInstance,
  admission: Admission,
  telemetry: RequestTelemetry,
): void {
  instance.addHook('onRoute', (route: RouteOptions) => {
    const method = String(route.method);
    const operation = operationOf(route.config);
    if (!operation) {
      throw new Error(`route ${method} ${route.url} declares no @Operation`);
    }
    if (method === 'GET' && operation.head !== false) {
      // Node itself leaves out the body of a reply to HEAD and keeps its Content-Length.
      instance.route({ ...route, method: 'HEAD' });
    }
    rememberRoute(instance, method, operation);
    route.onRequest = admission.hook(operation, route.url);
    route.onResponse = telemetry.hook(method, route.url);
    if (operation.noStore) route.onSend = forbidStoring;
    if (operation.bodyLimit !== undefined) route.bodyLimit = operation.bodyLimit;
  });
}
