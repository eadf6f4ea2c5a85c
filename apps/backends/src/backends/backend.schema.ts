import { freeText, pageQuery, plainText, trimmedText } from '@glacis/http';
import { agentDialectNames, dialectNames } from '@glacis/grpc';
import { z } from 'zod';
import { canonicalAddress } from '@glacis/pki';
import { entityTypes, isProtocolOf } from './backend.js';

const name = trimmedText(1024);
const description = freeText(4096);
const address = plainText(260).refine((text) => text === '' || canonicalAddress(text) !== null, {
  error: 'expected an IPv4 or IPv6 address or a DNS name, with an optional port',
});
const protocol = z.enum(['auto', ...dialectNames, ...agentDialectNames]);

/** Body of PUT: what is absent is empty, but for `name`, which is mandatory. */
export const backendBody = z.object({
  name,
  description: description.default(''),
  address: address.default(''),
  protocol: protocol.optional(),
});

/** Body of POST. A VM may stand below the host that it runs on. */
export const newBackendBody = backendBody
  .extend({
    entity_type: z.enum(entityTypes).default('backend'),
    host: z.uuid().lowercase().optional(),
  })
  .refine(({ entity_type: type, host }) => type === 'cvm' || host === undefined, {
    path: ['host'],
    error: 'expected only with entity_type cvm',
  })
  .refine(({ entity_type: type, protocol: name }) => isProtocolOf(type, name), {
    path: ['protocol'],
    error: 'expected a protocol of the entity type',
  });

export type NewBackendBody = z.output<typeof newBackendBody>;

export const backendListQuery = pageQuery.extend({
  name: plainText(1024).optional(),
  active: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  entity_type: z.enum(entityTypes).default('backend'),
  host: z.uuid().lowercase().optional(),
  order: z.enum(['created_at', 'name', 'last_seen']).default('created_at'),
  dir: z.enum(['asc', 'desc']).default('asc'),
});

export type BackendListQuery = z.output<typeof backendListQuery>;

export const backendReply = z.object({
  id: z.uuid(),
  name: z.string(),
  description: z.string().optional(),
  address: z.string(),
  active: z.literal(true).optional(),
  last_seen: z.iso.datetime().optional(),
  protocol: z.enum([...dialectNames, ...agentDialectNames]).optional(),
  certificate_serial: z.string().optional(),
  version: z.string().optional(),
  entity_type: z.literal('cvm').optional(),
  host: z.uuid().optional(),
  verdict: z.literal('unverified').optional(),
});

export const backendListReply = z.object({
  total: z.number().int(),
  offset: z.number().int().optional(),
  limit: z.number().int(),
  backends: z.array(backendReply),
});
