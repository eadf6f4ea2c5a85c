import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import { Operation, problems, RequestParam, zQuery, type Visitor } from '@glacis/http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AddressLimit } from '../status/address-limit.js';
import { PUBLIC_LIMIT } from '../tokens.js';
import { Authority } from './authority.js';

const caQuery = z.object({
  format: z.enum(['pem', 'der']).optional(),
  issuer: z.string().max(64).optional(),
  only: z.literal('roots').optional(),
});
type CaQuery = z.infer<typeof caQuery>;

const derReply = { type: 'application/pkix-cert', description: 'One CA certificate in DER' };
const pemReply = {
  type: 'application/x-pem-file',
  description: 'Roots, then live intermediates, in PEM',
};

/** The CA's own certificates, which everybody may have. */
@Controller('certs')
export class CaController {
  constructor(
    private readonly authority: Authority,
    @Inject(PUBLIC_LIMIT) private readonly limit: AddressLimit,
  ) {}

  @Get('ca')
  @Operation({
    access: 'public',
    summary: 'CA certificates',
    query: caQuery,
    reply: pemReply,
    ownLimit: true,
  })
  bundle(
    @RequestParam() { address }: Visitor,
    @Query(zQuery(caQuery)) query: CaQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Buffer | string {
    this.limit.assert(address);
    if (query.format === 'der') return this.sendDer(reply, issuerOf(query));
    reply.header('content-type', pemReply.type);
    if (query.only === 'roots') return this.authority.cas.rootsPem();
    return query.issuer === undefined ? this.authority.cas.caPem() : this.known(query.issuer).pem;
  }

  /** What caIssuers in certificates points to. */
  @Get('ca/:file')
  @Operation({
    access: 'public',
    summary: 'The certificate of an issuer',
    reply: derReply,
    ownLimit: true,
  })
  issuer(
    @RequestParam() { address }: Visitor,
    @Param('file') file: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Buffer {
    this.limit.assert(address);
    const id = /^([0-9a-f]{32})\.crt$/.exec(file)?.[1];
    return this.sendDer(reply, id ?? '');
  }

  @Get('view-ca')
  @Operation({
    access: 'public',
    summary: 'CA certificates as JSON',
    reply: z.object({ certificate: z.string() }),
    ownLimit: true,
  })
  view(@RequestParam() { address }: Visitor): { certificate: string } {
    this.limit.assert(address);
    return { certificate: this.authority.cas.caPem() };
  }

  private sendDer(reply: FastifyReply, issuerId: string): Buffer {
    const { der } = this.known(issuerId);
    reply.header('content-type', derReply.type);
    return der;
  }

  private known(issuerId: string): { der: Buffer; pem: string } {
    const ca = this.authority.cas.byId(issuerId);
    if (ca === undefined) throw problems.notFound('no such issuer');
    return ca;
  }
}

function issuerOf({ issuer }: CaQuery): string {
  if (issuer !== undefined) return issuer;
  throw problems.malformed('issuer: mandatory with format=der', { members: { field: 'issuer' } });
}
