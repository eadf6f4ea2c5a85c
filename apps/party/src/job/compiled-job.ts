import type { JobFacts } from '@glacis/contracts';
import { compile, Refusal, type Compiled } from '@glacis/mpc';
import {
  canonicalJson,
  SchemaError,
  type Json,
  type Schema,
  type TableSchema,
} from '@glacis/shares';
import { StepFailure } from '../failure.js';
import { sha256Of } from './digest.js';

/** Name of the table of a job that has one without a name. */
const UNNAMED_TABLE = 'data';

/** What this agent makes of a job by itself: nothing of it is taken from the coordinator's word. */
export interface CompiledJob {
  facts: JobFacts;
  schema: Schema;
  compiled: Compiled;
  queryHash: string;
  schemaHash: string;
  /** Over everything that the coordinator told; neighbours compare it. */
  factsHash: string;
}

function schemaOf({ schema, tables }: JobFacts): Schema {
  const named = tables ?? { [UNNAMED_TABLE]: schema ?? {} };
  // The compiler looks at each declaration; types alone are no check.
  return new Map(Object.entries(named as Record<string, TableSchema>));
}

/** @throws {StepFailure} when the query does not compile, as after policies that leave less than it needs */
export function compileJob(facts: JobFacts): CompiledJob {
  const { query_sql: sql, schema, tables, options } = facts;
  try {
    const declared = schemaOf(facts);
    return {
      facts,
      schema: declared,
      compiled: compile(sql, declared, options),
      queryHash: sha256Of(sql),
      schemaHash: sha256Of(canonicalJson({ schema, tables } as unknown as Json)),
      factsHash: sha256Of(canonicalJson(facts as unknown as Json)),
    };
  } catch (error) {
    if (error instanceof Refusal)
      throw new StepFailure('policy', error.code, 'the query is refused under these rules');
    if (error instanceof SchemaError)
      throw new StepFailure('protocol', 'bad_schema', 'the schema declares what cannot be');
    throw error;
  }
}

/** The declared columns of a table as owners and instructions name it: null where there is one table. */
export function tableOf({ schema }: CompiledJob, table: string | null): TableSchema | undefined {
  return table === null ? [...schema.values()][0] : schema.get(table);
}

/** The name of a table in the plan, by that in owners' documents. */
export function planName({ schema }: CompiledJob, table: string | null): string {
  return table ?? [...schema.keys()][0] ?? UNNAMED_TABLE;
}
