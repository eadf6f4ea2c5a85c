import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { operationOf, type OperationOptions } from './operation.js';
import type { Problem } from './problem.js';
import { problems } from './problems.js';

const json = 'application/json';

/** Objects and arrays within each other at most. */
const maxDepth = 64;

function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').replace(/;.*/s, '').trim().toLowerCase();
}

function hasBody(request: FastifyRequest): boolean {
  const { headers, method } = request.raw;
  if (method === 'GET' || method === 'HEAD') return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** A check of one route: a body must be JSON or of one of the route's own media types, else 415. */
export function contentTypeGate(
  operation: OperationOptions,
): (request: FastifyRequest) => Problem | undefined {
  if (operation.unread || operation.rawBody) return () => undefined;
  const accepted = new Set([json, ...(operation.rawContentTypes ?? [])]);
  return (request) => {
    if (!hasBody(request)) return undefined;
    const type = mediaTypeOf(request.raw.headers['content-type']);
    if (accepted.has(type)) return undefined;
    return problems.mediaType(`this operation reads ${[...accepted].join(', ')}`);
  };
}

/**
 * Bodies of `application/json` are parsed, an empty one as absent, but for routes with `rawBody`; every other type arrives as bytes, as the gate of
 * the route has let it pass.
 */
export function readBodies(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(json, { parseAs: 'buffer' }, (request, body, done) => {
    if (operationOf(request.routeOptions.config)?.rawBody) return done(null, body);
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, parseJson(body as Buffer));
    } catch {
      done(problems.malformed('the body is not JSON', { error: 'not JSON' }), undefined);
    }
  });
  instance.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
}

function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new SyntaxError('not UTF-8');
  if (nestsTooDeeply(body)) throw new SyntaxError('nested too deeply');
  return JSON.parse(body.toString('utf8'));
}

const [quote, backslash] = [0x22, 0x5c];
const depthOf = new Map([
  [0x5b, 1], // [
  [0x7b, 1], // {
  [0x5d, -1], // ]
  [0x7d, -1], // }
]);

/** Whoever walks a value recursively, as `JSON.stringify` does, must not run out of stack. */
function nestsTooDeeply(json: Buffer): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < json.length && depth <= maxDepth; i++) {
    const byte = json[i] as number;
    if (byte === quote) inText = !inText;
    else if (!inText) depth += depthOf.get(byte) ?? 0;
    else if (byte === backslash) i += 1;
  }
  return depth > maxDepth;
}

/** Routes of this scope get bodies as they come, unread: the handler takes them from `request.raw`. */
export function leaveBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
}
