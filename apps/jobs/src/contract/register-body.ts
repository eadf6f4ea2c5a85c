import { ownerPolicy } from '@glacis/contracts';
import type { OwnerPolicy } from '@glacis/shares';
import { z } from 'zod';
import type { DeclaredFile } from '../owners/owner.entity.js';
import type { JobsSettings } from '../settings.js';
import { base64url, boundedText, FieldError, Fields, plainText, trueOrFalse } from './fields.js';

/** What `register_data_owner` is asked for, checked as far as it can be without its job (`jobs.md` 2.3). */
export interface RegisterRequest {
  jobId: string;
  owner: string;
  ownerKey: string | null;
  expectQueryHash: string | null;
  policy: OwnerPolicy | null;
  consentRawRows: boolean;
  issuedAt: string | null;
  signature: string | null;
  table: string | null;
  files: DeclaredFile[] | null;
  resume: boolean;
  /** One of the extensions that count on names bound by them is there. */
  extended: boolean;
}

const [longestId, longestOwner, longestSet] = [1024, 256, 4];

type Bounds = Pick<JobsSettings, 'uploadMaxBytes' | 'engineMaxRows'>;

/**
 * Checks 8 and 9.
 * @throws {ContractError}
 */
export function readRegister(body: Record<string, unknown>, bounds: Bounds): RegisterRequest {
  const fields = new Fields(body);
  fields.require('job_id', 'data_owner');
  const request = {
    jobId: fields.read('job_id', anyId, ''),
    owner: fields.read('data_owner', ownerName, ''),
    ownerKey: fields.read('owner_key', base64url(32, 'an Ed25519 public key'), null),
    expectQueryHash: fields.read('expect_query_hash', boundedText(200), null),
    policy: fields.read('policy', policyOf, null),
    consentRawRows: fields.read('consent_raw_rows', trueOrFalse, false),
    issuedAt: fields.read('issued_at', timeOf, null),
    signature: fields.read('signature', base64url(64, 'an Ed25519 signature'), null),
    table: fields.read('table', boundedText(64), null),
    files: fields.read('files', filesOf(bounds), null),
    resume: fields.read('resume', trueOrFalse, false),
  };
  checkSigned(fields);
  fields.check();
  const extended = request.ownerKey !== null || request.expectQueryHash !== null;
  return { ...request, extended };
}

/** @throws {ContractError} */
export function readJobId(body: Record<string, unknown>): string {
  const fields = new Fields(body);
  fields.require('job_id');
  const id = fields.read('job_id', anyId, '');
  fields.check();
  return id;
}

/** Looked up as it is: what no job has is 404, NUL included. */
export function anyId(value: unknown): string {
  if (typeof value !== 'string') throw new FieldError('not_a_string', 'expected a string');
  if (Buffer.byteLength(value) > longestId)
    throw new FieldError('too_long', `at most ${longestId} bytes`);
  return value;
}

export function ownerName(value: unknown): string {
  const name = plainText(longestOwner)(value);
  if (Buffer.byteLength(name) <= longestOwner) return name;
  throw new FieldError('too_long', `at most ${longestOwner} bytes`);
}

function policyOf(value: unknown): OwnerPolicy {
  const { data, error } = ownerPolicy.safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  throw new FieldError('bad_policy', [...(issue?.path ?? []), issue?.message].join(': '));
}

function timeOf(value: unknown): string {
  const { data } = z.iso.datetime({ offset: true }).safeParse(value);
  if (data !== undefined) return data;
  throw new FieldError('not_a_time', 'expected a time of RFC 3339');
}

function filesOf({ uploadMaxBytes, engineMaxRows }: Bounds): (value: unknown) => DeclaredFile[] {
  const file = z.object({
    bytes: z.int().min(1).max(uploadMaxBytes),
    sha256: z
      .string()
      .regex(/^(sha256:)?[0-9a-f]{64}$/)
      .transform((text) => `sha256:${text.slice(-64)}`),
    rows: z.int().min(1).max(engineMaxRows),
  });
  return (value) => {
    const { data } = z.array(file).min(1).max(longestSet).safeParse(value);
    if (data) return data;
    throw new FieldError('bad_files', 'expected {bytes, sha256, rows} of each file');
  };
}

/** A policy counts when it is signed, and a signature when it says whose it is and when it was made. */
function checkSigned(fields: Fields): void {
  const has = (name: string): boolean => fields.get(name) !== undefined;
  const signs = has('signature') || has('policy');
  if (!signs || (has('signature') && has('owner_key') && has('issued_at'))) return;
  const message = 'a policy needs signature, owner_key and issued_at';
  fields.fault('signature', 'missing_signature', message);
}

/** What only a job tells: its columns. @throws {ContractError} */
export function checkColumns(policy: OwnerPolicy | null, columns: readonly string[]): void {
  const fields = new Fields({});
  const unknown = Object.keys(policy?.columns ?? {}).find((name) => !columns.includes(name));
  if (unknown !== undefined)
    fields.fault('policy', 'bad_policy', 'no such column', `policy.columns.${unknown}`);
  fields.check();
}
