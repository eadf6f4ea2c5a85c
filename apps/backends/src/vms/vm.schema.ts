import { freeText, plainText, trimmedText } from '@glacis/http';
import { parseDurationMs } from '@glacis/settings';
import { z } from 'zod';

export const platforms = ['sev_snp', 'tdx'] as const;

const maxPem = 32 * 1024;
const pem = z.string().max(maxPem).includes('-----BEGIN ', { error: 'expected PEM' });

/** Whole milliseconds of a Go duration up to a year; null: without end. */
const ttl = plainText(64).transform((text, context) => {
  if (text === '') return null;
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= 8_760 * 3_600_000) return Math.floor(ms);
  context.addIssue({
    code: 'custom',
    message: 'expected a duration from 1s to 8760h',
    input: text,
  });
  return z.NEVER;
});

/** Body of PUT `/backends/{id}/manager`: how the manager of a host is called. */
export const managerBody = z.object({
  address: plainText(260).regex(/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i, 'expected host:port'),
  ca: pem,
  certificate: pem,
  key: pem,
  ttl: ttl.prefault('10m'),
  platforms: z.array(z.enum(platforms)).max(platforms.length).default([]),
});

export type ManagerBody = z.output<typeof managerBody>;

export const managerReply = z.object({
  address: z.string(),
  ca: z.string(),
  certificate: z.string(),
  ttl: z.string(),
  platforms: z.array(z.enum(platforms)),
  updated_at: z.iso.datetime(),
});

/** A value that becomes one line of the environment in the guest. */
const line = plainText(4096).default('');

/** Body of POST `/backends/{id}/vms`. */
export const vmBody = z.object({
  name: trimmedText(1024),
  description: freeText(4096).default(''),
  ttl: ttl.optional(),
  agent_log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  ca_url: line,
  certs_token: line,
  aws_access_key_id: line,
  aws_secret_access_key: line,
  aws_endpoint_url: line,
  aws_region: line,
  aa_kbs_params: line,
});

export type VmBody = z.output<typeof vmBody>;

export const vmReply = z.object({
  id: z.uuid(),
  state: z.enum(['creating', 'running', 'uncertain']),
  cvm_id: z.string().optional(),
  forwarded_port: z.string().optional(),
  attempted_at: z.iso.datetime(),
  expires_at: z.iso.datetime().optional(),
});

export const vmListReply = z.object({
  total: z.number().int(),
  offset: z.number().int().optional(),
  limit: z.number().int(),
  vms: z.array(vmReply),
});

export const vmInformationReply = z.object({
  id: z.string(),
  ovmf_version: z.string(),
  cpu_num: z.number().int(),
  cpu_type: z.string(),
  kernel_cmd: z.string(),
  eos_version: z.string(),
});

/** Milliseconds as a Go duration; empty: without end. */
export function durationText(ms: number | null): string {
  return ms === null ? '' : `${ms / 1_000}s`;
}
