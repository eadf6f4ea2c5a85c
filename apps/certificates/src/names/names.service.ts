import { problems, type Caller } from '@glacis/http';
import type { Store } from '@glacis/store';
import type { CertificatesMetrics } from '../metrics.js';
import type { Profile } from '../issuing/profile-rules.js';
import { nameNotAllowed } from '../problems.js';
import type { EntityDirectory, TenantEntityType } from './entity-directory.js';
import { firstRefused, type NameFacts, type NameUse } from './name-rules.js';
import type { NameClaimsReader } from './name-claims.js';
import { covers, spaceOf, type NameSpace } from './name-space.js';
import { findPolicy, type PolicyRow } from './policies.store.js';
import type { WantedName } from './wanted-name.js';

export interface NamesParts {
  store: Store;
  directory: EntityDirectory;
  /** Names of our own beside those in live service certificates. */
  reserved: NameSpace;
  allowLoopback: boolean;
  claims: NameClaimsReader;
  metrics: CertificatesMetrics;
}

/** A certificate that a tenant wants for one of its entities. */
export interface NameRequest {
  caller: Caller;
  entityType: TenantEntityType;
  entityId: string;
  names: readonly WantedName[];
  serverAuth: boolean;
  /** An X509-SVID carries no name, and so needs no right. */
  profile: Profile;
}

/** Decides whether names may stand in a certificate (`certificates.md` 2.5). */
export class Names {
  constructor(private readonly parts: NamesParts) {}

  /**
   * A new certificate: the right to serverAuth first, then the entity, then its names.
   * @throws Problem `forbidden`, `not-found`, `ca-unavailable`, `name-not-allowed`
   */
  async assertIssuable(request: NameRequest): Promise<void> {
    const policy = await assertServerAuth(this.parts.store, request);
    const asked = {
      tenant: request.caller.tenant,
      entityType: request.entityType,
      entityId: request.entityId,
      names: request.names.map((name) => name.canonical),
    };
    const { holders, addressIsOurs } = await this.parts.directory.ask(asked);
    const holderOf = new Map(asked.names.map((name, i) => [name, holders[i] ?? 0]));
    await this.judge(request, useOf(request), {
      holder: (name) => holderOf.get(name) ?? 0,
      addressIsOurs,
      granted: policy && grantedBy(policy),
    });
  }

  /**
   * A renewal: by the policy of this moment; names that are information only against our own.
   * @throws Problem as `assertIssuable`
   */
  async assertRenewable(request: NameRequest): Promise<void> {
    if (useOf(request) === 'server') return this.assertIssuable(request);
    return this.judge(request, 'renewal', {
      holder: () => 0,
      addressIsOurs: false,
      granted: undefined,
    });
  }

  private async judge(
    request: NameRequest,
    use: NameUse,
    known: Pick<NameFacts, 'holder' | 'addressIsOurs' | 'granted'>,
  ): Promise<void> {
    if (request.names.length === 0) return;
    const { claims, reserved, allowLoopback } = this.parts;
    const names = request.names.map((name) => name.canonical);
    const { ofServices, ofOthers } = await claims.read({ tenant: request.caller.tenant, names });
    const facts: NameFacts = {
      allowLoopback,
      own: (name) => ofServices(name) || covers(reserved, name),
      othersGranted: ofOthers,
      ...known,
    };
    const refused = firstRefused(request.names, use, facts);
    if (refused === null) return;
    this.parts.metrics.namesRefused.inc({ reason: refused.reason });
    throw nameNotAllowed(`the certificate may not carry '${refused.name}'`, {
      error: refused.reason,
      members: { ...refused },
    });
  }
}

function useOf({ serverAuth, profile }: NameRequest): NameUse {
  if (profile === 'svid') return 'svid';
  return serverAuth ? 'server' : 'information';
}

/** The tenant's policy, where serverAuth is asked for and it gives the right to. @throws Problem `forbidden` */
async function assertServerAuth(
  store: Store,
  request: NameRequest,
): Promise<PolicyRow | undefined> {
  if (useOf(request) !== 'server') return undefined;
  const { tenant, principal } = request.caller;
  const policy = await findPolicy(store, tenant);
  if (!mayAskServerAuth(principal.roles, policy)) {
    throw problems.forbidden('serverAuth needs a right that the name policy of the tenant gives');
  }
  return policy;
}

function mayAskServerAuth(roles: readonly string[], policy: PolicyRow | undefined): boolean {
  if (roles.includes('platform-admin')) return true;
  const right = policy?.server_auth ?? 'none';
  return right === 'member' || (right === 'admin' && roles.includes('admin'));
}

function grantedBy(policy: PolicyRow): NameSpace | undefined {
  const { dns_suffixes: suffixes, cidrs } = policy;
  return suffixes.length + cidrs.length === 0 ? undefined : spaceOf(suffixes, cidrs);
}
