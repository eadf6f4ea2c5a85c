import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { Operation, Problem, problems, RequestParam, zQuery, type Visitor } from '@glacis/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Authority } from '../../authority/authority.js';
import { namesType } from '../../http-params.js';
import { PUBLIC_LIMIT } from '../../tokens.js';
import type { AddressLimit } from '../address-limit.js';
import { isNotModified } from '../status-headers.js';
import { crlForm, derType, joinedPem, pemType, type CrlForm, type FormName } from './crl-form.js';
import type { CrlScope } from './crl.store.js';
import { Crls, type Crl } from './crls.service.js';

const crlQuery = z.object({
  issuer: z.string().max(64).optional(),
  format: z.enum(['der', 'pem']).optional(),
});
type CrlQuery = z.infer<typeof crlQuery>;

const maxAgeS = 60;

/** Beside the CRLs of all issuers: ids of those whose CRL there is none of. */
const missingHeader = 'x-missing-crls';

const crlReply = { type: derType, description: 'CRL in DER; PEM or JSON when asked for' };

function formOf({ format }: CrlQuery, accept: string | undefined): FormName {
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
    summary:
      'Complete CRL of an issuer, or of all; `X-Missing-Crls` names issuers whose CRL is not there',
    query: crlQuery,
    reply: crlReply,
    ownLimit: true,
  })
  async complete(
    @RequestParam() { address }: Visitor,
    @Query(zQuery(crlQuery)) query: CrlQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | undefined> {
    this.limit.assert(address);
    const form = formOf(query, request.headers.accept);
    if (query.issuer === 'all') return this.all(query, request, reply);
    const scope = this.completeScope(query.issuer ?? this.authority.cas.current().id);
    return sendCrl(await this.crls.get(scope), form, { request, reply });
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
  ): Promise<Buffer | undefined> {
    // Any name that is no issuer of ours counts as one, or new names would be new allowances.
    this.limit.assert(`${address} ${this.authority.cas.byId(issuerId)?.id ?? ''}`);
    const name = /^(root|0|[1-9]\d{0,8})\.crl$/.exec(file)?.[1];
    if (name === undefined) throw problems.notFound('no such CRL');
    const scope = name === 'root' ? name : Number(name);
    return sendCrl(await this.crls.get({ issuerId, scope }), 'der', { request, reply });
  }

  private async all(
    query: CrlQuery,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Buffer | undefined> {
    if (query.format === 'der') {
      throw problems.malformed('format: CRLs of all issuers come in PEM only', {
        members: { field: 'format' },
      });
    }
    const cas = [...this.authority.cas.answering(), ...this.authority.cas.roots()];
    const found = await Promise.all(
      cas.map(({ id }) => this.crls.get(this.completeScope(id)).catch(missing)),
    );
    const crls = found.filter((crl) => crl !== undefined);
    if (crls.length === 0) throw problems.notFound('no CRL of any issuer');
    const without = cas.filter((_, i) => found[i] === undefined).map(({ id }) => id);
    if (without.length > 0) reply.header(missingHeader, without.join(', '));
    const thisUpdate = new Date(Math.max(...crls.map((each) => each.thisUpdate.getTime())));
    return send(joinedPem(crls), thisUpdate, { request, reply });
  }

  private completeScope(issuerId: string): CrlScope {
    const isRoot = this.authority.cas.byId(issuerId)?.kind === 'root';
    return { issuerId, scope: isRoot ? 'root' : 'full' };
  }
}

/** The CRL of an offline root may not have been brought in yet; those of the others serve all the same. */
function missing(error: unknown): undefined {
  if (!(error instanceof Problem && error.slug === 'not-found')) throw error;
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

const sendCrl = (crl: Crl, form: FormName, exchange: Exchange): Buffer | undefined =>
  send(crlForm(crl, form), crl.thisUpdate, exchange);

/** Sends the bytes, or 304 to a caller that has them. */
function send(
  { type, body, etag }: CrlForm,
  thisUpdate: Date,
  { request, reply }: Exchange,
): Buffer | undefined {
  reply.headers({
    'content-type': type,
    etag,
    'last-modified': thisUpdate.toUTCString(),
    'cache-control': `public, max-age=${maxAgeS}`,
    vary: 'accept',
  });
  if (!isNotModified(request.headers['if-none-match'], etag)) return body;
  reply.code(304);
  return undefined;
}
