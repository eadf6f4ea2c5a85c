import { X509Certificate } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { CallerParam, Operation, problems, zBody, type Caller } from '@glacis/http';
import { durationMs } from '@glacis/settings';
import { z } from 'zod';
import { shortTime } from '../certificates/certificate.entity.js';
import { revokerOf } from '../revocation/revocation.service.js';
import { Authority } from './authority.js';
import type { Ca } from './issuer.entity.js';
import { IssuerRevocation } from './issuer-revocation.service.js';
import { leastOverlapMs, longestOverlapMs } from './rotation-rules.js';
import { Rotation } from './rotation.service.js';

const rotationBody = z.object({
  kind: z.enum(['intermediate', 'root']).default('intermediate'),
  overlap: durationMs
    .refine((ms) => ms >= leastOverlapMs && ms <= longestOverlapMs, {
      error: 'expected 24h to 2160h',
    })
    .default(leastOverlapMs),
});

const issuerReply = z.object({
  issuer_id: z.string(),
  kind: z.enum(['root', 'intermediate', 'cross']),
  state: z.enum(['pending', 'current', 'retired', 'ended', 'revoked']),
  subject: z.string(),
  serial_number: z.string(),
  not_before: z.string(),
  not_after: z.string(),
  signs_from: z.string(),
  revoked_at: z.string().optional(),
  root_id: z.string().optional(),
  has_key: z.boolean(),
});
const issuersReply = z.object({ issuers: z.array(issuerReply) });
type IssuersReply = z.infer<typeof issuersReply>;

const issuerId = /^[0-9a-f]{32}$/;

/** The CAs and their change, for platform administrators. */
@Controller('certs/ca')
export class IssuersController {
  constructor(
    private readonly authority: Authority,
    private readonly rotation: Rotation,
    private readonly revocation: IssuerRevocation,
  ) {}

  @Get('issuers')
  @Operation({
    access: 'platform',
    summary: 'List the CA certificates and their states',
    reply: issuersReply,
  })
  async list(): Promise<IssuersReply> {
    await this.authority.refresh();
    return this.shown(this.authority.cas.all);
  }

  @Post('rotations')
  @Operation({
    access: 'platform',
    summary: 'Make the next intermediate, or the next root with an intermediate',
    description:
      'The new CAs are published at once and sign after the overlap, at least 24h. The reply holds what was made.',
    body: rotationBody,
    reply: issuersReply,
    errors: ['rotation-under-way', 'ca-key-offline'],
  })
  async rotate(
    @CallerParam() caller: Caller,
    @Body(zBody(rotationBody)) { kind, overlap }: z.infer<typeof rotationBody>,
  ): Promise<IssuersReply> {
    const made = await this.rotation.order({ kind, overlapMs: overlap, by: revokerOf(caller) });
    const { cas } = this.authority;
    return this.shown(made.map(({ id }) => cas.byId(id)).filter((ca) => ca !== undefined));
  }

  @Patch(':issuerId/revoke')
  @HttpCode(200)
  @Operation({
    access: 'platform',
    summary: 'Revoke an intermediate whose key is compromised, and every certificate under it',
    description: 'Another intermediate signs at once, where the key of the root is here.',
    reply: issuersReply,
  })
  async revoke(
    @CallerParam() caller: Caller,
    @Param('issuerId') id: string,
  ): Promise<IssuersReply> {
    if (!issuerId.test(id)) throw problems.notFound('no such intermediate');
    await this.revocation.revoke(id, revokerOf(caller));
    return this.shown(this.authority.cas.all);
  }

  private shown(cas: readonly Ca[]): IssuersReply {
    return { issuers: cas.map((ca) => this.show(ca)) };
  }

  private show(ca: Ca): z.infer<typeof issuerReply> {
    const { info } = ca;
    return {
      issuer_id: ca.id,
      kind: ca.kind,
      state: ca.state,
      subject: new X509Certificate(ca.der).subject.replaceAll('\n', ', '),
      serial_number: info.serial.toString(),
      not_before: shortTime(info.notBefore),
      not_after: shortTime(info.notAfter),
      signs_from: shortTime(ca.signsFrom),
      revoked_at: ca.revokedAt === null ? undefined : shortTime(ca.revokedAt),
      root_id: ca.kind === 'root' ? undefined : this.authority.cas.rootOf(ca)?.id,
      has_key: ca.issuer !== null,
    };
  }
}
