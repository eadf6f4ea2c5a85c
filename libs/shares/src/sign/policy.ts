import { canonicalJson, type Json } from './canonical.js';
import { signText, verifyText, type OwnerKey } from './ed25519.js';

/** What one column may be used for; what is absent is not allowed. */
export interface AllowedUses {
  filter?: boolean;
  group?: boolean;
  join?: boolean;
  output?: boolean;
  /** `COUNT`, `COUNT_DISTINCT`, `SUM`, `AVG`, `MIN`, `MAX`, `VARIANCE` */
  aggregate?: readonly string[];
}

/** What an owner allows (jobs.md 8.1). */
export interface OwnerPolicy {
  /** For columns that are not named. */
  default: 'allow' | 'deny';
  columns?: Readonly<Record<string, AllowedUses>>;
  min_group_size?: number;
  min_owners?: number;
  /** MIN and MAX; absent: not allowed. */
  extremes?: boolean;
  max_degree?: number;
  max_aggregates?: number;
  /** Most result slots. */
  max_rows?: number;
  /** RFC 3339; no agent loads the data later. */
  expires?: string;
}

/** Rules of a job as register returns them. */
export interface SignedLimits {
  counted: 'rows' | 'unit';
  max_aggregates: number;
  max_degree: number;
  max_share_percent: number;
  min_group_size: number;
  min_owners: number;
  raw_rows: 'none' | 'consent' | 'allow';
  residual: boolean;
}

/** What an owner signs. */
export interface PolicyDocument {
  consent_raw_rows: boolean;
  data_owner: string;
  /** RFC 3339; of several documents the latest counts. */
  issued_at: string;
  job_id: string;
  limits: SignedLimits;
  policy: OwnerPolicy | null;
  query_hash: string;
  schema_hash: string;
  /** Null where the job has one table. */
  table: string | null;
}

/** The signed text of 8.1. */
export const policyText = (document: PolicyDocument): string =>
  `glacis-owner-policy-1\n${canonicalJson(document as unknown as Json)}`;

/** @returns the signature as base64url */
export const signPolicy = (document: PolicyDocument, key: OwnerKey): Promise<string> =>
  signText(policyText(document), key);

export const verifyPolicy = (
  document: PolicyDocument,
  ownerKey: string,
  signature: string,
): Promise<boolean> => verifyText(policyText(document), ownerKey, signature);

/** A use of a column that a query wants and a policy does not allow. */
export interface MissingUse {
  /** Absent for `extremes`. */
  column?: string;
  /** `filter`, `group`, `join`, `output`, the name of an aggregate, or `extremes` */
  use: string;
}

const USES = ['filter', 'group', 'join', 'output'] as const;

/** What a query wants of a table beyond its policy, by the table of uses in 8.1; empty where the policy grants all. */
export function missingUses(policy: OwnerPolicy, needed: OwnerPolicy): MissingUse[] {
  const missing = Object.entries(needed.columns ?? {}).flatMap(([column, wanted]) => {
    const named = Object.hasOwn(policy.columns ?? {}, column);
    const allowed = named ? policy.columns?.[column] : undefined;
    if (!allowed && policy.default === 'allow') return [];
    const uses = USES.filter((use) => wanted[use] && !allowed?.[use]);
    const aggregates = (wanted.aggregate ?? []).filter(
      (name) => !allowed?.aggregate?.includes(name),
    );
    return [...uses, ...aggregates].map((use) => ({ column, use }));
  });
  const extremes = needed.extremes && !policy.extremes ? [{ use: 'extremes' }] : [];
  return [...missing, ...extremes];
}
