import { checkIfMatch, etagOf, type Caller } from '@glacis/http';
import type { Audit } from '@glacis/identity';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import { policyOverlap } from '../problems.js';
import { loopbackNames, overlap, spaceOf, type NameSpace } from './name-space.js';
import {
  allOtherPolicies,
  findPolicy,
  putPolicy,
  serviceNames,
  type PolicyRow,
  type ServerAuthRight,
} from './policies.store.js';

export interface PoliciesParts {
  store: Store;
  audit: Audit;
  reserved: NameSpace;
  allowLoopback: boolean;
  clock: Clock;
}

export interface Policy {
  dns_suffixes: string[];
  cidrs: string[];
  server_auth: ServerAuthRight;
}

export interface VersionedPolicy {
  policy: Policy;
  etag: string;
}

/** A change asked for by a platform administrator. */
export interface PolicyChange {
  caller: Caller;
  tenant: string;
  ifMatch: string | undefined;
}

/** What a tenant has while nobody has written anything. */
const defaultPolicy: Policy = { dns_suffixes: [], cidrs: [], server_auth: 'none' };

/** The name policies of tenants (`certificates.md` 2.5). */
export class Policies {
  constructor(private readonly parts: PoliciesParts) {}

  async get(tenant: string): Promise<VersionedPolicy> {
    return versioned(await findPolicy(this.parts.store, tenant));
  }

  /** @throws Problem `policy-overlap`, `precondition-failed` */
  async put(change: PolicyChange, policy: Policy): Promise<VersionedPolicy> {
    return this.parts.store.transaction(async (tx) => {
      const before = await this.lock(tx, change);
      await this.assertFree(tx, change.tenant, policy);
      const row: PolicyRow = {
        tenant_id: change.tenant,
        ...policy,
        row_version: (before?.row_version ?? 0) + 1,
        updated_at: this.parts.clock.now(),
        updated_by: change.caller.principal.subject,
      };
      await putPolicy(tx, row);
      await this.record(tx, change, { before: policyOf(before), after: policy });
      return versioned(row);
    });
  }

  /**
   * Back to the default. The row stays, so that its version goes on and no older ETag fits again.
   * @throws Problem `precondition-failed`
   */
  async delete(change: PolicyChange): Promise<void> {
    await this.put(change, defaultPolicy);
  }

  /** One change of policies at a time, as each is held against all others. */
  private async lock(tx: Tx, { tenant, ifMatch }: PolicyChange): Promise<PolicyRow | undefined> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('certificates:policies', 0))`);
    const before = await findPolicy(tx, tenant);
    checkIfMatch(ifMatch, etagOf(before?.row_version ?? 0));
    return before;
  }

  private async assertFree(tx: Tx, tenant: string, policy: Policy): Promise<void> {
    const { reserved, allowLoopback, clock } = this.parts;
    const wanted = spaceOf(policy.dns_suffixes, policy.cidrs);
    const live: NameSpace = {
      ...spaceOf([], []),
      names: new Set(await serviceNames(tx, clock.now(), null)),
    };
    const own = allowLoopback ? [reserved, live] : [reserved, live, loopbackNames];
    if (own.some((space) => overlap(space, wanted))) throw overlapping('own_service');
    const others = await allOtherPolicies(tx, tenant);
    if (others.some((other) => overlap(spaceOf(other.dns_suffixes, other.cidrs), wanted))) {
      throw overlapping('other_tenant');
    }
  }

  private async record(
    tx: Tx,
    { caller, tenant }: PolicyChange,
    states: { before: Policy; after: Policy },
  ): Promise<void> {
    await this.parts.audit.record(tx, {
      actor: caller.principal.subject,
      tenant,
      action: 'name-policy.write',
      subject: tenant,
      requestId: caller.requestId,
      ...states,
    });
  }
}

const overlapping = (overlaps: string): Error =>
  policyOverlap('a suffix or CIDR of the policy holds names of another', { members: { overlaps } });

function policyOf(row: PolicyRow | undefined): Policy {
  if (row === undefined) return defaultPolicy;
  return { dns_suffixes: row.dns_suffixes, cidrs: row.cidrs, server_auth: row.server_auth };
}

const versioned = (row: PolicyRow | undefined): VersionedPolicy => ({
  policy: policyOf(row),
  etag: etagOf(row?.row_version ?? 0),
});
