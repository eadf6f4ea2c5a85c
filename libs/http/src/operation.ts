import { RouteConfig } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import type { RouteDocument } from './documented-routes.js';
import './request-context.js';

/**
 * Who may call a route: anybody; any good token; a token with a tenant; one with the role `admin` in its tenant; one
 * with the role `platform-admin`; one with either of these two (`administrator`), for what a tenant sees in part and the
 * platform whole.
 */
export type Access = 'public' | 'authenticated' | 'member' | 'admin' | 'platform' | 'administrator';

/** A reply that is no JSON: its media type, and what it is. */
export interface BinaryReply {
  type: string;
  description: string;
}

/** All that is declared of a route: who may call it, what it reads, what it answers. */
export interface OperationOptions {
  access: Access;
  /** One line for the OpenAPI document. */
  summary: string;
  description?: string;
  body?: z.ZodType;
  query?: z.ZodObject;
  params?: z.ZodObject;
  reply?: z.ZodType | BinaryReply;
  /** Success status in the OpenAPI document; default that of `@HttpCode`, else 201 for POST and 200 for the rest. */
  status?: number;
  /** Slugs of problems beyond those that every route may answer. */
  errors?: string[];
  /** Media types that arrive as `Buffer`, beside `application/json`. */
  rawContentTypes?: string[];
  /** True: the body arrives as `Buffer` whatever its type, which the handler checks itself. Default false. */
  rawBody?: boolean;
  /** Bytes of a body at most; default `bodyLimit` of the application (64 KiB). */
  bodyLimit?: number;
  /** True: the body is of any type, and nothing reads it before the handler (`leaveBodies`). Default false. */
  unread?: boolean;
  /** True: a body may take as long as bytes come, whatever `requestTimeout` says. Default false. */
  longBody?: boolean;
  /** False: HEAD is 405 instead of a GET without its body. Default true. */
  head?: boolean;
  /** True: no reply of the route may be kept by a cache, refusals included. Default false. */
  noStore?: boolean;
  /** How the OpenAPI document shows a route that no controller has; absent: not at all. */
  document?: RouteDocument;
  /** True: the route limits its callers itself, the limit per caller does not count it. Default false. */
  ownLimit?: boolean;
}

/** What the decorator leaves in the configuration of the Fastify route. */
export interface OperationConfig {
  operation: OperationOptions;
}

/** Where an operation was declared, for whoever describes it. */
export interface DeclaredOperation {
  target: object;
  key: string | symbol;
  descriptor: PropertyDescriptor;
  operation: OperationOptions;
}

const declared: DeclaredOperation[] = [];

/** Declares a route. One per route; a route without it stops the start (deny by default). */
export function Operation(operation: OperationOptions): MethodDecorator {
  const configure = RouteConfig({ operation } satisfies OperationConfig);
  return (target, key, descriptor) => {
    declared.push({ target, key, descriptor, operation });
    configure(target, key, descriptor);
  };
}

/** Every operation that the loaded modules declare. */
export function declaredOperations(): readonly DeclaredOperation[] {
  return declared;
}

/** The declaration in a route's configuration, if there is one. */
export function operationOf(config: unknown): OperationOptions | undefined {
  return (config as Partial<OperationConfig> | undefined)?.operation;
}
