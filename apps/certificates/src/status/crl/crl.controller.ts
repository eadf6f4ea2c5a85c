import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { Operation, problems, RequestParam, zQuery, type Visitor } from '@glacis/http';
import { toPem } from '@glacis/pki';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Authority } from '../../authority/authority.js';
import { namesType } from '../../http-params.js';
import { PUBLIC_LIMIT } from '../../tokens.js';
import type { AddressLimit } from '../address-limit.js';
import { bodyTag, isNotModified } from '../status-headers.js';
import type { CrlScope } from './crl.store.js';
import { Crls, type Crl } from './crls.service.js';

const crlQuery = z.object({
  issuer: z.string().max(64).optional(),
  format: z.enum(['der', 'pem']).optional(),
});
type CrlQuery = z.infer<typeof crlQuery>;
type Form = 'der' | 'pem' | 'json';

const derType = 'application/pkix-crl';
const pemType = 'application/x-pem-file';
const maxAgeS = 60;

const crlReply = { type: derType, description: 'CRL in DER; PEM or JSON when asked for' };

function formOf({ format }: CrlQuery, accept: string | undefined): Form {
  if (format !== undefined) return format;
  if (namesType(accept, 'application/json')) return 'json';
  return namesType(accept, pemType) ? 'pem' : 'der';
}

@Controller('certs/crl')
export class CrlController {
  constructor(
    private readonly crls: Crls,
    private readonly authority: Authority,
    @Inject(PUBLIC_LIMIT) private readonly limit: AddressLimit,
  ) {}

  @Get()
  @Operation({
    access: 'public',
    summary: 'Complete CRL of an issuer, or of all',
    query: crlQuery,
    reply: crlReply,
    ownLimit: true,
  })
  async complete(
    @RequestParam() { address }: Visitor,
    @Query(zQuery(crlQuery)) query: CrlQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | string | undefined> {
    this.limit.assert(address);
    const form = formOf(query, request.headers.accept);
    if (query.issuer === 'all') return this.all(query, request, reply);
    const scope = this.completeScope(query.issuer ?? this.authority.current().id);
    return send(await this.crls.get(scope), form, { request, reply });
  }

  @Get(':issuerId/:file')
  @Operation({
    access: 'public',
    summary: 'The CRL that certificates point to',
    reply: crlReply,
    ownLimit: true,
  })
  async pointedTo(
    @RequestParam() { address }: Visitor,
    @Param('issuerId') issuerId: string,
    @Param('file') file: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | string | undefined> {
    this.limit.assert(`${address} ${issuerId}`);
    const name = /^(root|0|[1-9]\d{0,8})\.crl$/.exec(file)?.[1];
    if (name === undefined) throw problems.notFound('no such CRL');
    const scope = name === 'root' ? name : Number(name);
    return send(await this.crls.get({ issuerId, scope }), 'der', { request, reply });
  }

  private async all(
    query: CrlQuery,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Buffer | string | undefined> {
    if (query.format === 'der') {
      throw problems.malformed('format: CRLs of all issuers come in PEM only', {
        members: { field: 'format' },
      });
    }
    const cas = [...this.authority.intermediates(), ...this.authority.roots()];
    const crls = await Promise.all(cas.map((ca) => this.crls.get(this.completeScope(ca.id))));
    const pem = crls.map(({ der }) => toPem('X509 CRL', der)).join('');
    const thisUpdate = new Date(Math.max(...crls.map((each) => each.thisUpdate.getTime())));
    return sendBody(pem, { type: pemType, thisUpdate }, { request, reply });
  }

  private completeScope(issuerId: string): CrlScope {
    const isRoot = this.authority.byId(issuerId)?.kind === 'root';
    return { issuerId, scope: isRoot ? 'root' : 'full' };
  }
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

function send(crl: Crl, form: Form, exchange: Exchange): Buffer | string | undefined {
  const { der, thisUpdate } = crl;
  if (form === 'der') return sendBody(der, { type: derType, thisUpdate }, exchange);
  const pem = toPem('X509 CRL', der);
  if (form === 'pem') return sendBody(pem, { type: pemType, thisUpdate }, exchange);
  const json = `${JSON.stringify({ crl: Buffer.from(pem).toString('base64') })}\n`;
  return sendBody(json, { type: 'application/json', thisUpdate }, exchange);
}

/** Sends the bytes, or 304 to a caller that has them. */
function sendBody(
  body: Buffer | string,
  { type, thisUpdate }: { type: string; thisUpdate: Date },
  { request, reply }: Exchange,
): Buffer | string | undefined {
  const etag = bodyTag(body);
  reply.headers({
    'content-type': type,
    etag,
    'last-modified': thisUpdate.toUTCString(),
    'cache-control': `public, max-age=${maxAgeS}`,
    vary: 'accept',
  });
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = request.headers;
  if (!isNotModified({ ifNoneMatch, ifModifiedSince }, { etag, lastModified: thisUpdate })) {
    return body;
  }
  reply.code(304);
  return undefined;
}
