import type { OperationConfig, RouteDocument } from '@glacis/http';
import { SEALED_TYPE } from '@glacis/shares';

const path = '/storage/{bucket}/{key}';

type Parts = NonNullable<RouteDocument['parameters']>;

const place: Parts = [
  { name: 'bucket', in: 'path', required: true, schema: { type: 'string' } },
  {
    name: 'key',
    in: 'path',
    required: true,
    description: 'One segment or several.',
    schema: { type: 'string' },
  },
];

const part = (name: string, schema: object): Parts[number] => ({
  name: `X-Glacis-${name}`,
  in: 'query',
  required: true,
  schema,
});

/** A link is used as it was given; these are its parts. */
const linkFor = (op: 'put' | 'get'): Parts => [
  ...place,
  part('Algorithm', { type: 'string', enum: ['HMAC-SHA256'] }),
  part('Date', { type: 'string', pattern: String.raw`^\d{8}T\d{6}Z$` }),
  part('Expires', { type: 'integer', minimum: 60, maximum: 3600 }),
  part('Op', { type: 'string', enum: [op] }),
  ...(op === 'put' ? [part('MaxBytes', { type: 'integer', minimum: 0 })] : []),
  part('Signature', { type: 'string', pattern: '^[0-9a-f]{64}$' }),
];

const text = (description: string): object => ({ description, schema: { type: 'string' } });
const bytes = { schema: { type: 'string', format: 'binary' } } as const;

const cors = {
  'Access-Control-Allow-Origin': text('`*`: any page may use a link that it was given.'),
};
const stored = { ...cors, ETag: text('Of this version of the object.') };

const documents: Record<'put' | 'get' | 'options', RouteDocument> = {
  put: {
    path,
    operationId: 'StorageRoutes_put',
    tags: ['Storage'],
    description: [
      'What comes is sealed for the party of the bucket while it is written.',
      'It has `X-Glacis-MaxBytes` at most, and what sealing adds where it comes sealed: else 413, by `Content-Length` before a byte is read.',
      'It is stored once: 412 where the object is there, 409 after submit or where it is not what its type says.',
      '403 for whatever is wrong with the link.',
      'What breaks off leaves nothing, and its link stays good.',
      '256 at once, else 503; each has an hour.',
    ].join(' '),
    parameters: [
      ...linkFor('put'),
      {
        name: 'x-ms-blob-type',
        in: 'header',
        description: 'Not looked at; clients may send it to every provider.',
        schema: { type: 'string' },
      },
    ],
    requestBody: {
      required: true,
      content: { 'text/csv': bytes, [SEALED_TYPE]: bytes, '*/*': bytes },
    },
    responses: {
      200: { description: 'Stored, in a bucket of aws or gcp.', headers: stored },
      201: { description: 'Stored, in a bucket of azure.', headers: stored },
    },
  },
  get: {
    path,
    operationId: 'StorageRoutes_get',
    tags: ['Storage'],
    description:
      'Links to read are given for results only. 403 for whatever is wrong with the link.',
    parameters: linkFor('get'),
    responses: {
      200: {
        description: 'The object.',
        headers: { ...cors, 'Content-Length': { schema: { type: 'integer' } } },
        content: { 'application/octet-stream': bytes },
      },
    },
  },
  options: {
    path,
    operationId: 'StorageRoutes_options',
    tags: ['Storage'],
    parameters: place,
    responses: {
      204: {
        description: 'Done; no body.',
        headers: {
          ...cors,
          'Access-Control-Allow-Methods': text('`PUT, GET`'),
          'Access-Control-Allow-Headers': text('`content-type, x-ms-blob-type`'),
          'Access-Control-Max-Age': text('`3600`'),
        },
      },
    },
  },
};

const operation = (
  summary: string,
  document: RouteDocument,
  errors: string[] = [],
): OperationConfig => ({
  operation: {
    // The link is the permission.
    access: 'public',
    summary,
    errors,
    document,
    unread: true,
    longBody: true,
    head: false,
    noStore: true,
  },
});

/** What is declared of the routes of local buckets (jobs.md 6.3). */
export const storageOperations = {
  put: operation('Store an object', documents.put, [
    'forbidden',
    'conflict',
    'precondition-failed',
    'too-large',
  ]),
  get: operation('Read a result', documents.get, ['forbidden']),
  options: operation('Which pages may use links', documents.options),
};
