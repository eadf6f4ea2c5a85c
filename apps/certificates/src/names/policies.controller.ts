import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Put, Res } from '@nestjs/common';
import { CallerParam, Operation, plainText, zBody, zParam, type Caller } from '@glacis/http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { canonicalCidr, canonicalSuffix } from './name-space.js';
import { Policies, type Policy } from './policies.service.js';

const maxGrants = 256;

const grants = (
  expected: string,
  canonical: (text: string) => string | null,
): z.ZodType<string[]> =>
  z
    .array(
      z.string().transform((text, context) => {
        const value = canonical(text);
        if (value !== null) return value;
        context.addIssue({ code: 'custom', message: `expected ${expected}`, input: text });
        return z.NEVER;
      }),
    )
    .max(maxGrants)
    .default([])
    .transform((items) => [...new Set(items)]);

const policyBody: z.ZodType<Policy> = z.object({
  dns_suffixes: grants('a DNS suffix', canonicalSuffix),
  cidrs: grants('a CIDR', canonicalCidr),
  server_auth: z.enum(['none', 'admin', 'member']).default('none'),
});

const tenantParam = plainText(256);
const errors = ['policy-overlap', 'precondition-failed'];

@Controller('certs/policies')
export class PoliciesController {
  constructor(private readonly policies: Policies) {}

  @Get(':tenant')
  @Operation({ access: 'platform', summary: 'Name policy of a tenant', reply: policyBody })
  async get(
    @Param('tenant', zParam(tenantParam)) tenant: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Policy> {
    const { policy, etag } = await this.policies.get(tenant);
    reply.header('etag', etag);
    return policy;
  }

  @Put(':tenant')
  @Operation({
    access: 'platform',
    summary: 'Grant names to a tenant',
    body: policyBody,
    reply: policyBody,
    errors,
  })
  async put(
    @CallerParam() caller: Caller,
    @Param('tenant', zParam(tenantParam)) tenant: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body(zBody(policyBody)) body: Policy,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Policy> {
    const { policy, etag } = await this.policies.put({ caller, tenant, ifMatch }, body);
    reply.header('etag', etag);
    return policy;
  }

  @Delete(':tenant')
  @HttpCode(204)
  @Operation({
    access: 'platform',
    summary: 'Take the name policy of a tenant back',
    status: 204,
    errors,
  })
  async delete(
    @CallerParam() caller: Caller,
    @Param('tenant', zParam(tenantParam)) tenant: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.policies.delete({ caller, tenant, ifMatch });
  }
}
