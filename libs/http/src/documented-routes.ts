import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { OperationOptions } from './operation.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['put']>;

/**
 * How the OpenAPI document shows a route that is no method of a controller: an operation object of OpenAPI 3.1, to which
 * the summary and the errors of the declaration are added.
 */
export interface RouteDocument extends OperationObject {
  /** As `/storage/{bucket}/{key}`. */
  path: string;
}

/** A route with a document, and its verb in lower case. */
export interface DocumentedRoute {
  method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'patch';
  operation: OperationOptions;
  document: RouteDocument;
}

const known = new WeakMap<object, DocumentedRoute[]>();

/** Keeps a route of a server for its document, if it has something to show. */
export function rememberRoute(
  server: FastifyInstance,
  verb: string,
  operation: OperationOptions,
): void {
  const { document } = operation;
  if (document === undefined || verb === 'HEAD') return;
  const method = verb.toLowerCase() as DocumentedRoute['method'];
  known.set(server, [...documentedRoutes(server), { method, operation, document }]);
}

/** In the order in which they were added. */
export function documentedRoutes(server: object): readonly DocumentedRoute[] {
  return known.get(server) ?? [];
}
