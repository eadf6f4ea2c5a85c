import type { IncomingMessage } from 'node:http';
import { leaveBodies, problems, type Problem } from '@glacis/http';
import { SEALED_TYPE } from '@glacis/shares';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TooLongError } from '../bounded.js';
import { ProviderError, type ProviderErrorCode } from '../provider-error.js';
import type { StoredObject } from '../storage-provider.js';
import { LocalBuckets } from './local-buckets.js';
import { sealedLength } from './sealed-length.js';
import { SignedUrls, type Grant } from './signed-url.js';
import { storageOperations } from './storage-operations.js';
import { storeObject } from './store-object.js';

/** Uploads under way at once; with more it is 503. */
const maxUploads = 256;

/** Milliseconds that one upload may take, however slow its line is. */
const longestMs = 3_600_000;

/** What becomes of a request that its link allows and the bucket does not. */
const refusals: Partial<Record<ProviderErrorCode, () => Problem>> = {
  exists: () => problems.preconditionFailed('the object was stored before'),
  invalid: () =>
    problems.conflict(
      'the bucket takes no objects any more, or the object is not what its type says',
    ),
  denied: refused,
  not_found: refused,
};

/** `PUT`, `GET` and `OPTIONS /storage/{bucket}/{key}` (jobs.md 6.3). Bodies are never held, only passed on. */
@Injectable()
export class StorageRoutes implements OnModuleInit {
  private uploads = 0;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(LocalBuckets) private readonly buckets: LocalBuckets,
    @Inject(SignedUrls) private readonly urls: SignedUrls,
  ) {}

  onModuleInit(): void {
    const url = '/storage/*';
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.register((scope, _options, done) => {
      leaveBodies(scope);
      // Any page may use a link that it was given.
      scope.addHook('onRequest', (_request, reply, next) => {
        reply.header('access-control-allow-origin', '*');
        reply.header('access-control-expose-headers', 'ETag');
        next();
      });
      const { put, get, options } = storageOperations;
      const bodyLimit = Number.MAX_SAFE_INTEGER;
      scope.put(url, { config: put, bodyLimit }, this.put.bind(this));
      scope.get(url, { config: get }, this.get.bind(this));
      scope.options(url, { config: options }, preflight);
      done();
    });
  }

  private async put({ raw }: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const grant = this.grantOf(raw);
    if (this.uploads >= maxUploads) throw problems.unavailable('too many uploads are under way');
    this.uploads += 1;
    const late = setTimeout(() => raw.destroy(), longestMs);
    try {
      const { provider } = await this.buckets.read(grant.bucket);
      await this.buckets.mayAdmit(grant.bucket, grant.key);
      const { etag } = await this.store(grant, raw);
      return await reply
        .code(provider === 'azure' ? 201 : 200)
        .header('etag', etag)
        .send();
    } catch (error) {
      if (isCut(raw)) return reply.hijack();
      throw problemOf(error);
    } finally {
      clearTimeout(late);
      this.uploads -= 1;
    }
  }

  private async store(
    { bucket, key, maxBytes = 0 }: Grant,
    raw: IncomingMessage,
  ): Promise<StoredObject> {
    const sealed = raw.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === SEALED_TYPE;
    const longest = sealed ? sealedLength(maxBytes) : maxBytes;
    if (Number(raw.headers['content-length'] ?? 0) > longest)
      throw new TooLongError(`an object has ${longest} bytes at most`);
    // Whoever is refused half-way has sent for nothing, but must still get the answer.
    const body = raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    return storeObject(this.buckets, { bucket, key, maxBytes, sealed }, body);
  }

  private async get({ raw }: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { bucket, key } = this.grantOf(raw);
    try {
      const handle = await this.buckets.openObject(bucket, key);
      const { size } = await handle.stat();
      return await reply
        .header('content-type', 'application/octet-stream')
        .header('content-length', size)
        .send(handle.createReadStream());
    } catch (error) {
      throw problemOf(error);
    }
  }

  private grantOf({ method = '', url = '' }: IncomingMessage): Grant {
    const grant = this.urls.verify(method, url);
    if (grant === undefined) throw refused();
    return grant;
  }
}

/** The client went away, so nobody waits for an answer. */
const isCut = (raw: IncomingMessage): boolean => raw.destroyed && !raw.complete;

/** One answer, whatever is wrong with a link. */
function refused(): Problem {
  return problems.forbidden('the link is not good for this request');
}

function problemOf(error: unknown): unknown {
  if (error instanceof TooLongError) return problems.tooLarge(error.message);
  if (!(error instanceof ProviderError)) return error;
  return refusals[error.code]?.() ?? problems.unavailable(error.message, { cause: error });
}

function preflight(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .header('access-control-allow-methods', 'PUT, GET')
    .header('access-control-allow-headers', 'content-type, x-ms-blob-type')
    .header('access-control-max-age', '3600')
    .send();
}
