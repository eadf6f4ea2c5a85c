import { z } from 'zod';
import { partyNumber, sha256 } from './common.js';

/** A column as the schema of a job declares it; the compiler says what is wrong with it (11.3). */
const column = z.union([z.string(), z.record(z.string(), z.unknown())]);
const columns = z.record(z.string(), column);

/** What the compiler takes beside text and schema: `CompileOptions` of `@glacis/mpc`, the strictest of job and policies. */
export const compileOptions = z.object({
  minGroupSize: z.int(),
  minOwners: z.int(),
  maxSharePercent: z.int(),
  residual: z.boolean(),
  maxDegree: z.int().optional(),
  maxAggregates: z.int().optional(),
  extremes: z.enum(['policy', 'refuse']),
  rawRows: z.enum(['allow', 'consent', 'refuse']),
  avgScale: z.int(),
  maxRows: z.int(),
});

/** Everything of a job that all parties must see alike; each compares a digest of it with its neighbours (11.10). */
export const jobFacts = z.object({
  job_id: z.string(),
  attempt: z.int().nonnegative(),
  parties: z.int().min(3).max(4),
  query_sql: z.string(),
  /** As create was sent them, so that their JCS form gives `schema_hash`; absent members stay absent. */
  schema: columns.optional(),
  tables: z.record(z.string(), columns).optional(),
  options: compileOptions,
  /** Registered owners with data, in registration order: their place is the owner index of the engine. */
  owners: z.array(z.object({ owner: z.string(), table: z.string().nullable() })).max(4096),
  /** Encoded texts of hashed columns that the query compares with: 16 hexadecimal digits by text. */
  hashed: z.record(z.string(), z.string().regex(/^[0-9a-f]{16}$/)),
  /** Sealing key of the analyst for result files. */
  result_key: z.string().nullable(),
});
export type JobFacts = z.infer<typeof jobFacts>;

/** Base64 of HMAC-SHA-256 by column, for one set: over the `_0` columns of the party that made it. */
export const slotMacs = z.object({
  owner: z.string(),
  set: z.int().positive(),
  table: z.string().nullable(),
  rows: z.int().positive(),
  macs: z.record(z.string(), z.string()),
});
export type SlotMacs = z.infer<typeof slotMacs>;

/**
 * What an agent is told to do. In order: `keys` (at create, then `stop`); `deploy`, `inputs`, `check` (stage C, at submit
 * for local execution); `run`, `export`, `stop`. The same instruction twice has no further effect: one that was done is
 * reported again.
 */
const bodies = {
  /** Makes or loads the bucket key. */
  keys: z.object({}),
  /** Compiles the query, opens the port for links. */
  deploy: z.object({ facts: jobFacts, engine: sha256.optional() }),
  /** Loads and checks what GET /agents/inputs names, after the policies; makes the MACs for the previous party. */
  inputs: z.object({}),
  /** Compares own copies of slots with the MACs of the next party (P = 3: one other holder), and row counts. */
  check: z.object({ macs: z.array(z.object({ party: partyNumber, sets: z.array(slotMacs) })) }),
  /** Links to the neighbours of GET /agents/peers, then the engine. */
  run: z.object({}),
  /** Seals and PUTs the result to GET /agents/output and signs the receipt. */
  export: z.object({}),
  /** Wipes keys and shares from memory and ends the process. */
  stop: z.object({}),
};

const instructionOf = <S extends string, B extends z.ZodType>(
  step: S,
  body: B,
): z.ZodObject<{
  id: z.ZodString;
  step: z.ZodLiteral<S>;
  plan_hash: z.ZodNullable<z.ZodString>;
  body: B;
}> =>
  z.object({
    id: z.string().min(1).max(64),
    step: z.literal(step),
    /** SHA-256 of the plan version in force (9); null before there is one. */
    plan_hash: sha256.nullable(),
    body,
  });

/** Answer of GET /agents/work: 200, or 204 when nothing came within `wait` seconds. */
export const instruction = z.discriminatedUnion('step', [
  instructionOf('keys', bodies.keys),
  instructionOf('deploy', bodies.deploy),
  instructionOf('inputs', bodies.inputs),
  instructionOf('check', bodies.check),
  instructionOf('run', bodies.run),
  instructionOf('export', bodies.export),
  instructionOf('stop', bodies.stop),
]);
export type Instruction = z.infer<typeof instruction>;
export type InstructionStep = Instruction['step'];
