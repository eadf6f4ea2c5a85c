import { z } from 'zod';
import { agentFinding, failureClass, partyNumber, rawKey, sha256 } from './common.js';
import { signedLimits } from './signed-policy.js';
import { slotMacs } from './instructions.js';

/** What was signed over (jobs.md 3.1), after `glacis-receipt-1` and a line feed, in JCS. */
export const receiptBody = z.object({
  attempt: z.int(),
  /** Digest of the engine bundle. */
  engine: sha256,
  /** `sha256` of the whole share file as its owner made it; it differs from party to party. */
  inputs: z.array(
    z.object({
      owner: z.string(),
      set: z.int(),
      sha256: sha256,
      table: z.string().nullable(),
    }),
  ),
  job_id: z.string(),
  limits: signedLimits,
  party: partyNumber,
  /** Of the compiled query. */
  plan_hash: sha256,
  policies: z.array(z.object({ owner: z.string(), sha256: sha256 })),
  query_hash: sha256,
  /** Of the result file before sealing. */
  result_sha256: sha256,
  /** Rows of the result file. */
  slots: z.int().nonnegative(),
});
export type ReceiptBody = z.infer<typeof receiptBody>;

export const receipt = z.object({
  party: partyNumber,
  /** `Ed25519`, or `ES256` with the signature as r ‖ s. */
  alg: z.enum(['Ed25519', 'ES256']),
  /** PEM, own certificate first. */
  chain: z.array(z.string()),
  body: receiptBody,
  /** base64url */
  signature: z.string(),
});
export type Receipt = z.infer<typeof receipt>;

/** `result` of the report that says `done`, by step. */
export const stepResults = {
  keys: z.object({ seal_key: rawKey }),
  deploy: z.object({
    /** SHA-256 of the plan as this agent compiled it; all must agree. */
    plan_hash: sha256,
    query_hash: sha256,
    schema_hash: sha256,
    engine: sha256,
    /** Where the previous party dials. */
    address: z.object({ host: z.string(), port: z.int() }),
  }),
  /** `rows` of each set, and the MACs that the previous party compares with. */
  inputs: z.object({ sets: z.array(slotMacs) }),
  check: z.object({}),
  run: z.object({ slots: z.int(), rounds: z.int(), bytes_sent: z.int() }),
  export: z.object({ bytes: z.int(), sha256: sha256, sealed: z.boolean(), receipt }),
  stop: z.object({}),
};

/** Body of POST /agents/reports: 204, also for an id that is known. */
export const report = z.object({
  /** UUID; repeated ids are dropped. */
  id: z.string().min(1).max(64),
  /** Null for a sign of life, each 10 s. */
  instruction: z.string().nullable(),
  /** `accepted` acknowledges an instruction at once: it does not come again. `done` and `failed` end it. */
  status: z.enum(['alive', 'accepted', 'done', 'failed']),
  /** With `failed`. */
  failure: z
    .object({ class: failureClass, code: z.string().max(64), message: z.string().max(500) })
    .optional(),
  metrics: z.record(z.string(), z.number()).optional(),
  findings: z.array(agentFinding).max(1000).optional(),
  log: z.array(z.object({ level: z.enum(['info', 'warn', 'error']), text: z.string() })).optional(),
  /** With `done`, by `stepResults` of the step. */
  result: z.unknown().optional(),
});
export type Report = z.infer<typeof report>;
