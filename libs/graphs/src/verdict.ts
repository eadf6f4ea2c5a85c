/** What the rules say of a graph (graph-apps.md 3.1 and 3.2). */

/**
 * Every code, with what it looks at: `g` the graph alone, `c` the state of the cluster as well, and with where it
 * runs: `A` at admission and again in the operator, `O` in the operator only.
 */
export const RULES = {
  NAME_MISSING: 'A g',
  NAMESPACE_MISSING: 'A g',
  BUSY: 'A c',
  SCHEMA: 'A g',
  GRAPH_NAME: 'A g',
  NAMESPACE_LENGTH: 'A g',
  NAMESPACE_EXISTS: 'A c',
  NEEDS_UNKNOWN: 'A g',
  NEEDS_SELF: 'A g',
  NEEDS_CYCLE: 'A g',
  RESERVED_NAME: 'A g',
  FLOW_UNKNOWN: 'A g',
  TYPE_NE_FLOW: 'A g',
  EDGE_NAME_DUP: 'A g',
  MOUNT_INVALID: 'A g',
  MOUNT_PREFIX: 'A g',
  SECRET_MISSING: 'O c',
  SECRET_NO_URL: 'O c',
  SECRET_KEYS: 'O c',
  REPO_FAILED: 'O c',
  CHART_FAILED: 'O c',
  SPEC_SCHEMA: 'O c',
  SPEC_IO_DUP: 'O c',
  SPEC_VARIADIC_MOUNT: 'O c',
  TYPE_NE_SPEC: 'O c',
  /** Reserved: SCHEMA refuses every such name first. */
  FLOW_NAME: 'A g',
  SIZE_INVALID: 'A g',
  PVC_NAME_LENGTH: 'A g',
  CLAIM_TAKEN: 'A c',
  TOPIC_LENGTH: 'A g',
  PULSAR_ABSENT: 'A c',
  KAFKA_ABSENT: 'A c',
  DVC_SECRET_TYPE: 'A g',
  DVC_REMOTE_SCHEME: 'A g',
  NAMESPACE_DUP: 'A g',
  NAME_DUP: 'A g',
  INFRA_CONFLICT: 'O c',
  INFRA_MISSING: 'O c',
  /** A checker failed unexpectedly. */
  INTERNAL: 'A g',
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
  return RULES[code].startsWith('A') ? 'A' : 'O';
}

/** The errors for a person, one per line: `CODE path: message`; those of a nameless review are bare messages. */
export function textOf(errors: readonly Finding[]): string {
  return errors.map(lineOf).join('\n');
}

function lineOf({ code, path, message }: Finding): string {
  if (code === 'NAME_MISSING' || code === 'NAMESPACE_MISSING') return message;
  return path === '' ? `${code}: ${message}` : `${code} ${path}: ${message}`;
}
