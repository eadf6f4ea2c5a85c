import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Problem } from './problem.js';

/** A request, as handlers see it. */
export interface Asked {
  /** The segments that stand for `{name}` in the route, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

export interface Answer {
  /** Default 200. */
  status?: number;
  headers?: Record<string, string>;
  body: string | Readable;
}

export interface Route {
  /** As `/output/{edge}`; a segment in braces stands for any one segment. */
  path: string;
  handle: (asked: Asked) => Answer | Promise<Answer>;
}

export interface Match {
  route: Route;
  params: Record<string, string>;
}

/** The first route for a path, which is as it came: each segment is decoded by itself. */
export function matchRoute(routes: Route[], path: string): Match | undefined {
  for (const route of routes) {
    const params = paramsOf(route.path.split('/'), path.split('/'));
    if (params) return { route, params };
  }
  return undefined;
}

function paramsOf(pattern: string[], segments: string[]): Match['params'] | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Match['params'] = {};
  for (const [index, expected] of pattern.entries()) {
    const given = decoded(segments[index] ?? '');
    const name = /^\{(.+)\}$/.exec(expected)?.[1];
    if (name === undefined ? given !== expected : !given) return undefined;
    if (name !== undefined && given !== undefined) params[name] = given;
  }
  return params;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

export function json(value: unknown): Answer {
  return { headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

/** @throws {Problem} 422 where the query lacks it */
export function required({ query }: Asked, name: string): string {
  const value = query.get(name);
  if (value !== null) return value;
  throw new Problem('invalid-request', `The query parameter ${name} is missing`);
}
