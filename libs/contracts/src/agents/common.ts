import { z } from 'zod';

/** 32 bytes as base64url: an X25519 or Ed25519 public key. */
export const rawKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** `sha256:` and 64 hexadecimal digits. */
export const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** Number of a party, from 0. */
export const partyNumber = z.int().min(0).max(3);

/** What was found wrong with data or policies (jobs.md 8); never with a cell value. */
export const agentFinding = z.object({
  owner: z.string().optional(),
  party: partyNumber.optional(),
  code: z.string().max(64),
  /** From 1, the header not counted. */
  row: z.int().positive().optional(),
  column: z.string().optional(),
  /** The use of a column, or the limit, that a policy forbids (8.1). */
  use: z.string().optional(),
  message: z.string().max(500),
});
export type AgentFinding = z.infer<typeof agentFinding>;

/** Why a job fails (jobs.md 9); only `transient` and `infra` are tried again. */
export const failureClass = z.enum([
  'policy',
  'data',
  'protocol',
  'engine',
  'timeout',
  'transient',
  'infra',
  'attestation',
]);
export type FailureClass = z.infer<typeof failureClass>;
