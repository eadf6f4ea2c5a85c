import type { IncomingHttpHeaders } from 'node:http';
import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common';
import { CallerParam, Operation, problems, zQuery, type Caller } from '@glacis/http';
import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { certsPaths, namesType, SerialPipe } from '../http-params.js';
import { isEntityId } from '../names/entity-directory.js';
import { zipOf } from './archive.js';
import { keyStoreOf, keyStorePassword, keyStoreType } from './key-store.js';
import { Downloads, type Bundle } from './downloads.service.js';

const tokenReply = z.object({ token: z.string() });
const tokenQuery = z.object({
  token: z.string().max(2048).optional(),
  downloadToken: z.string().max(2048).optional(),
});
type TokenQuery = z.infer<typeof tokenQuery>;

const zipReply = {
  type: 'application/zip',
  description: 'ca.pem, cert.pem and, if kept, key.pem; PKCS#12 or JSON when `Accept` names it',
};
const noStore = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

function tokenOf(query: TokenQuery): string {
  const token = query.token ?? query.downloadToken;
  if (token !== undefined && token !== '') return token;
  throw problems.malformed('token: mandatory', {
    error: 'missing download token',
    members: { field: 'token' },
  });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

@Controller(certsPaths)
export class DownloadsController {
  constructor(
    private readonly downloads: Downloads,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get(':serial/download/token')
  @Operation({ access: 'member', summary: 'Get a one-use download token', reply: tokenReply })
  async token(
    @CallerParam() caller: Caller,
    @Param('serial', SerialPipe) serial: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof tokenReply>> {
    const { tenant, principal } = caller;
    const token = await this.downloads.token(tenant, serial, principal.subject);
    reply.headers(noStore);
    return { token };
  }

  @Get(':serial/download')
  @Operation({
    access: 'public',
    summary: 'Download certificate, key and CA with a token',
    description:
      'With `Accept: application/x-pkcs12` the files come as one PKCS#12 under the password in the header `X-Key-Store-Password`, 8 to 128 visible ASCII characters.',
    query: tokenQuery,
    reply: zipReply,
    errors: ['download-token-invalid'],
    head: false,
  })
  async download(
    @Param('serial') named: string,
    @Query(zQuery(tokenQuery)) query: TokenQuery,
    @Headers() { accept, [keyStorePassword.header]: password }: IncomingHttpHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    // Checked before the token is used up.
    const secret = namesType(accept, keyStoreType) ? keyStorePassword.read(password) : null;
    const { serial, token } = await this.wanted(named, query);
    const bundle = await this.downloads.bundle(serial, token);
    this.onDelivered(reply, bundle);
    reply.headers(noStore);
    if (bundle.successor !== null) {
      reply.header('link', `</certs/${bundle.successor}>; rel="successor-version"`);
    }
    if (secret !== null)
      return this.keyStore(reply, serial, await keyStoreOf(bundle, serial, secret));
    if (namesType(accept, 'application/json')) {
      const { cert, key, ca } = bundle;
      return {
        certificate: base64(cert),
        private_key: key === null ? null : base64(key),
        ca: base64(ca),
      };
    }
    const files = { 'ca.pem': bundle.ca, 'cert.pem': bundle.cert, 'key.pem': bundle.key };
    return this.zip(reply, serial, files);
  }

  /** Clients of 2025 name the entity; then the token alone says which of its certificates. */
  private async wanted(
    named: string,
    query: TokenQuery,
  ): Promise<{ serial: string; token: string }> {
    const given = isEntityId(named) ? undefined : new SerialPipe().transform(named);
    const token = tokenOf(query);
    return { token, serial: given ?? (await this.downloads.serialFor(named, token)) };
  }

  @Get('get-ca/token')
  @Operation({
    access: 'member',
    summary: 'Get a one-use download token for the CA certificates',
    reply: tokenReply,
  })
  async caToken(
    @CallerParam() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof tokenReply>> {
    const token = await this.downloads.caToken(caller.principal.subject);
    reply.headers(noStore);
    return { token };
  }

  @Get('download-ca')
  @Operation({
    access: 'public',
    summary: 'Download the CA certificates with a token',
    query: tokenQuery,
    reply: { type: 'application/zip', description: 'ca.crt' },
    errors: ['download-token-invalid'],
    head: false,
  })
  async downloadCa(
    @Query(zQuery(tokenQuery)) query: TokenQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const ca = await this.downloads.ca(tokenOf(query));
    reply.headers(noStore);
    return this.zip(reply, 'ca', { 'ca.crt': ca });
  }

  private keyStore(reply: FastifyReply, serial: string, bytes: Buffer): Buffer {
    reply.headers({
      'content-type': keyStoreType,
      'content-disposition': `attachment; filename="${serial}.p12"`,
    });
    return bytes;
  }

  private zip(reply: FastifyReply, name: string, files: Record<string, string | null>): Buffer {
    reply.headers({
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${name}.zip"`,
    });
    return zipOf(files, this.clock.now());
  }

  private onDelivered(reply: FastifyReply, bundle: Bundle): void {
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) return;
      bundle.delivered().catch((err: unknown) => {
        this.logger.warn({ err }, 'end of a downloaded key not recorded');
      });
    });
  }
}
