import { RequestMethod, type INestApplication } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA } from '@nestjs/common/internal';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { documentedRoutes, type DocumentedRoute } from './documented-routes.js';
import { declaredOperations, type DeclaredOperation, type OperationOptions } from './operation.js';
import { problemResponses } from './openapi-problems.js';
import { problemCatalogue } from './problem.js';

type Swagger = typeof import('@nestjs/swagger');
type PathItemObject = OpenAPIObject['paths'][string];
type JsonSchema = Record<string, unknown>;

export interface OpenApiOptions {
  title: string;
  description: string;
  version: string;
}

/** Where the document lists the kinds of errors of the process, for whoever gathers those of several. */
export const problemsMember = 'x-problems';

/**
 * The OpenAPI 3.1 document of all routes of an application. `@nestjs/swagger` is loaded and the document made at the
 * call, so that a start pays nothing for it.
 */
export async function openApiDocument(
  app: INestApplication,
  options: OpenApiOptions,
): Promise<OpenAPIObject> {
  const swagger = await import('@nestjs/swagger');
  for (const declared of declaredOperations()) describeOnce(swagger, declared);
  const config = new swagger.DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(options.title)
    .setDescription(options.description)
    .setVersion(options.version)
    .addBearerAuth()
    .build();
  const document = swagger.SwaggerModule.createDocument(app, config);
  for (const [path, item] of Object.entries(document.paths)) nameParameters(path, item);
  for (const route of documentedRoutes(app.getHttpAdapter().getInstance() as object))
    addRoute(document.paths, route);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: schemaOf(problemBody, 'output') as never },
  };
  return Object.assign(document, { [problemsMember]: problemCatalogue() });
}

/** Parameters of a path that its handler does not read one by one. */
function nameParameters(path: string, item: PathItemObject): void {
  const names = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] as string);
  for (const operation of [item.get, item.put, item.post, item.delete, item.patch]) {
    if (!operation) continue;
    const parameters = (operation.parameters ??= []);
    for (const name of names) {
      if (parameters.some((known) => 'name' in known && known.name === name)) continue;
      parameters.push({ name, in: 'path', required: true, schema: { type: 'string' } });
    }
  }
}

/** One that no controller has. */
function addRoute(paths: OpenAPIObject['paths'], route: DocumentedRoute): void {
  const { method, operation, document } = route;
  const { path, responses, ...told } = document;
  const errors = problemResponses(operation).map(({ status, ...response }) => [status, response]);
  const item = (paths[path] ??= {});
  item[method] = {
    summary: operation.summary,
    ...(operation.access !== 'public' && { security: [{ bearer: [] }] }),
    ...told,
    responses: { ...responses, ...Object.fromEntries(errors) },
  };
}

const problemBody = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  error: z.string(),
  message: z.string(),
  code: z.string(),
  request_id: z.string(),
});

const described = new WeakSet<PropertyDescriptor>();

/** The decorators of `@nestjs/swagger` add up, so each handler is described once. */
function describeOnce(swagger: Swagger, declared: DeclaredOperation): void {
  if (described.has(declared.descriptor)) return;
  described.add(declared.descriptor);
  describe(swagger, declared);
}

function describe(swagger: Swagger, declared: DeclaredOperation): void {
  const { target, key, descriptor, operation } = declared;
  const decorators = [
    swagger.ApiOperation({ summary: operation.summary, description: operation.description }),
    ...requestDecorators(swagger, operation),
    ...replyDecorators(swagger, declared),
  ];
  for (const decorate of decorators) decorate(target, key, descriptor);
}

function requestDecorators(swagger: Swagger, operation: OperationOptions): MethodDecorator[] {
  const decorators: MethodDecorator[] = [];
  if (operation.access !== 'public') decorators.push(swagger.ApiBearerAuth());
  for (const [name, schema] of Object.entries(operation.params?.shape ?? {})) {
    decorators.push(swagger.ApiParam({ name, schema: schemaOf(schema) }));
  }
  for (const [name, schema] of Object.entries(operation.query?.shape ?? {})) {
    const required = !(schema as z.ZodType).safeParse(undefined).success;
    decorators.push(swagger.ApiQuery({ name, required, schema: schemaOf(schema) as never }));
  }
  if (operation.body) {
    decorators.push(swagger.ApiBody({ schema: schemaOf(operation.body) as never }));
  }
  if (operation.rawContentTypes) {
    decorators.push(swagger.ApiConsumes('application/json', ...operation.rawContentTypes));
  }
  return decorators;
}

function replyDecorators(
  swagger: Swagger,
  { operation, descriptor }: DeclaredOperation,
): MethodDecorator[] {
  const { reply } = operation;
  const status = operation.status ?? statusOf(descriptor);
  const decorators: MethodDecorator[] = [];
  if (reply === undefined) {
    decorators.push(swagger.ApiResponse({ status, description: 'Done; no body.' }));
  } else if (reply instanceof z.ZodType) {
    const content = { 'application/json': { schema: schemaOf(reply, 'output') as never } };
    decorators.push(swagger.ApiResponse({ status, description: 'Done.', content }));
  } else {
    const content = { [reply.type]: { schema: {} } };
    decorators.push(swagger.ApiResponse({ status, description: reply.description, content }));
  }
  return [...decorators, ...problemResponses(operation).map((each) => swagger.ApiResponse(each))];
}

/** What Nest answers when nothing else is said: 201 to POST, 200 to the rest. */
function statusOf({ value: handler }: PropertyDescriptor): number {
  const code = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
  return code ?? (method === RequestMethod.POST ? 201 : 200);
}

function schemaOf(schema: unknown, io: 'input' | 'output' = 'input'): JsonSchema {
  const options = { io, unrepresentable: 'any', target: 'draft-2020-12' } as const;
  const { $schema: _, ...rest } = z.toJSONSchema(schema as z.ZodType, options);
  return rest;
}
