import { Controller, Get, Param, Query } from '@nestjs/common';
import { CallerParam, Operation, pageQuery, plainText, zQuery, type Caller } from '@glacis/http';
import { z } from 'zod';
import { certsPaths, SerialPipe } from '../http-params.js';
import { Certificates } from './certificates.service.js';

const listQuery = pageQuery.extend({
  entity_id: plainText(256).optional(),
  entity_type: z.enum(['backend', 'party', 'cvm', 'service']).optional(),
  status: z.enum(['valid', 'revoked', 'expired']).optional(),
});
type ListQuery = z.infer<typeof listQuery>;

/** Members are spelled as older clients decode them. */
const listReply = z.object({
  certificates: z.array(
    z.object({
      SerialNumber: z.string(),
      Certificate: z.null(),
      Key: z.null(),
      Revoked: z.boolean(),
      ExpiryDate: z.string(),
      EntityType: z.literal(''),
      EntityID: z.string(),
      DownloadUrl: z.literal(''),
    }),
  ),
  total: z.number(),
  offset: z.number().optional(),
  limit: z.number(),
  entity_id: z.string().optional(),
});

const viewReply = z.object({
  serial_number: z.string(),
  certificate: z.string(),
  revoked: z.boolean(),
  expiry_time: z.string(),
  entity_id: z.string(),
  entity_type: z.string(),
  status: z.enum(['valid', 'revoked', 'expired']),
  issued_at: z.string(),
  not_before: z.string(),
  not_after: z.string(),
  revoked_at: z.string().optional(),
  revocation_reason: z.string().optional(),
  issuer_id: z.string(),
  key_algorithm: z.string(),
  fingerprint_sha256: z.string(),
  ip_addresses: z.array(z.string()),
  dns_names: z.array(z.string()),
  renewed_from: z.string().optional(),
  renewed_to: z.string().optional(),
  has_key: z.boolean(),
});

@Controller(certsPaths)
export class CertificatesController {
  constructor(private readonly certificates: Certificates) {}

  @Get()
  @Operation({
    access: 'member',
    summary: 'List the certificates of the tenant, newest first',
    query: listQuery,
    reply: listReply,
  })
  list(
    @CallerParam() caller: Caller,
    @Query(zQuery(listQuery)) query: ListQuery,
  ): Promise<z.infer<typeof listReply>> {
    const { offset, limit, entity_id: entityId, entity_type: entityType, status } = query;
    const filter = { tenant: caller.tenant, entityId, entityType, status };
    return this.certificates.list(filter, { offset, limit });
  }

  /** The path of older clients. */
  @Get('certs')
  @Operation({
    access: 'member',
    summary: 'List the certificates of the tenant, newest first',
    query: listQuery,
    reply: listReply,
  })
  listAlias(
    @CallerParam() caller: Caller,
    @Query(zQuery(listQuery)) query: ListQuery,
  ): Promise<z.infer<typeof listReply>> {
    return this.list(caller, query);
  }

  @Get(':serial')
  @Operation({ access: 'member', summary: 'View a certificate', reply: viewReply })
  view(
    @CallerParam() caller: Caller,
    @Param('serial', SerialPipe) serial: string,
  ): Promise<z.infer<typeof viewReply>> {
    return this.certificates.view(caller.tenant, serial);
  }
}
