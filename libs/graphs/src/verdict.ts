/** What the rules say of a graph (graph-apps.md 3.1 and 3.2). */

/**
 * Every code: its stage; where it runs, `A` at admission and again in the operator, `O` in the operator only; and what
 * it looks at, `g` the graph alone, `c` the state of the cluster as well.
 */
export const RULES = {
  NAME_MISSING: '0 A g',
  NAMESPACE_MISSING: '0 A g',
  BUSY: '0 A c',
  SCHEMA: '1 A g',
  GRAPH_NAME: '2 A g',
  NAMESPACE_LENGTH: '2 A g',
  NAMESPACE_EXISTS: '2 A c',
  NEEDS_UNKNOWN: '2 A g',
  NEEDS_SELF: '2 A g',
  NEEDS_CYCLE: '2 A g',
  RESERVED_NAME: '3 A g',
  FLOW_UNKNOWN: '3 A g',
  TYPE_NE_FLOW: '3 A g',
  EDGE_NAME_DUP: '3 A g',
  MOUNT_INVALID: '3 A g',
  MOUNT_PREFIX: '3 A g',
  SECRET_MISSING: '3 O c',
  SECRET_NO_URL: '3 O c',
  SECRET_KEYS: '3 O c',
  REPO_FAILED: '3 O c',
  CHART_FAILED: '3 O c',
  SPEC_SCHEMA: '3 O c',
  SPEC_IO_DUP: '3 O c',
  SPEC_VARIADIC_MOUNT: '3 O c',
  TYPE_NE_SPEC: '3 O c',
  /** Reserved: SCHEMA refuses every such name first. */
  FLOW_NAME: '4 A g',
  SIZE_INVALID: '4 A g',
  PVC_NAME_LENGTH: '4 A g',
  CLAIM_TAKEN: '4 A c',
  TOPIC_LENGTH: '4 A g',
  PULSAR_ABSENT: '4 A c',
  KAFKA_ABSENT: '4 A c',
  DVC_SECRET_TYPE: '4 A g',
  DVC_REMOTE_SCHEME: '4 A g',
  NAMESPACE_DUP: '5 A g',
  NAME_DUP: '5 A g',
  INFRA_CONFLICT: '5 O c',
  INFRA_MISSING: '5 O c',
  /** A checker failed unexpectedly. */
  INTERNAL: '0 A g',
} as const;

export type RuleCode = keyof typeof RULES;

/** One breach of a rule. */
export interface Finding {
  code: RuleCode;
  /** JSON pointer (RFC 6901) in `spec`, cut at 1000 characters; empty for what concerns the graph as a whole. */
  path: string;
  /** For a person: what is wrong and what would be right; at most 1000 characters. */
  message: string;
}

export interface Verdict {
  /** Empty: the graph is accepted. Sorted by path; at most 500, of which more may be found once they are mended. */
  errors: Finding[];
  /** Never a reason to refuse. */
  warnings: string[];
}

/** `g` where the finding holds whatever the cluster holds, `c` where it may be another at deployment. */
export function ruleKind(code: RuleCode): 'g' | 'c' {
  return RULES[code].endsWith('g') ? 'g' : 'c';
}

/** `A`: at admission and in the operator; `O`: in the operator only. */
export function ruleRun(code: RuleCode): 'A' | 'O' {
  return RULES[code].includes('A') ? 'A' : 'O';
}

/** 0 to 5: stages run in order, and one with errors ends the run. */
export function ruleStage(code: RuleCode): number {
  return Number(RULES[code].charAt(0));
}

/** The errors for a person, one per line: `CODE path: message`; those of a nameless review are bare messages. */
export function textOf(errors: readonly Finding[]): string {
  return errors.map(lineOf).join('\n');
}

function lineOf({ code, path, message }: Finding): string {
  if (code === 'NAME_MISSING' || code === 'NAMESPACE_MISSING') return message;
  return path === '' ? `${code}: ${message}` : `${code} ${path}: ${message}`;
}
