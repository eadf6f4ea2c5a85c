import type { SignedPolicy } from '@glacis/contracts';
import { canonicalJson, type Json } from '@glacis/shares';
import { Inject, Injectable } from '@nestjs/common';
import type { Job, JobParty } from '../jobs/job.entity.js';
import type { Owner, StoredPolicy } from '../owners/owner.entity.js';
import { policyKey } from '../storage/names.js';
import { ProviderError } from '../storage/provider-error.js';
import type { StoredObject } from '../storage/storage-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import type { Listing, Pin } from './stage-b.js';

const call = { timeoutMs: 30_000 };

/** What lies in the in-buckets when they are closed. */
export interface Frozen {
  listing: Listing;
  policies: Pin[];
}

interface Signed {
  owners: readonly Owner[];
  counting: readonly StoredPolicy[];
}

/** Closes the in-buckets of a job, and opens them again. */
@Injectable()
export class Freezer {
  constructor(@Inject(StorageProviders) private readonly storage: StorageProviders) {}

  /** Puts the policies that count beside the shares, for every party, before it closes them. */
  async freeze(_job: Job, parties: readonly JobParty[], signed: Signed): Promise<Frozen> {
    await Promise.all(parties.map((party) => this.putPolicies(party, signed)));
    await Promise.all(
      parties.map(({ provider, inBucket }) => this.storage.of(provider).freeze(inBucket, call)),
    );
    const listing = await Promise.all(parties.map((party) => this.listed(party)));
    const policies = listing.flatMap((objects, party) => policyPins(party, objects, signed));
    return { listing, policies };
  }

  async unfreeze(parties: readonly JobParty[]): Promise<void> {
    await Promise.all(
      parties.map(({ provider, inBucket }) => this.storage.of(provider).unfreeze(inBucket, call)),
    );
  }

  private async putPolicies(
    { provider, inBucket: bucket }: JobParty,
    { owners, counting }: Signed,
  ): Promise<void> {
    const storage = this.storage.of(provider);
    for (const policy of counting) {
      const owner = owners.find(({ name }) => name === policy.owner);
      if (!owner?.key) continue;
      const key = policyKey(owner.dir, policy.number);
      const body = Buffer.from(canonicalJson(signedPolicyOf(policy, owner.key) as Json));
      await storage
        .put({ bucket, key, body: [body], maxBytes: body.length }, call)
        .catch(unlessThere);
    }
  }

  private async listed({ provider, inBucket }: JobParty): Promise<Map<string, StoredObject>> {
    const objects = await this.storage.of(provider).list(inBucket, '', call);
    return new Map(objects.map((object) => [object.key, object]));
  }
}

/** As agents read it. */
function signedPolicyOf({ signedText, signature }: StoredPolicy, key: string): SignedPolicy {
  const document = signedText.slice(signedText.indexOf('\n') + 1);
  return { document: JSON.parse(document) as SignedPolicy['document'], owner_key: key, signature };
}

/** An earlier submit has put it there. */
function unlessThere(error: unknown): void {
  if (!(error instanceof ProviderError && error.code === 'exists')) throw error;
}

function policyPins(
  party: number,
  objects: ReadonlyMap<string, StoredObject>,
  { owners, counting }: Signed,
): Pin[] {
  return counting.flatMap((policy) => {
    const dir = owners.find(({ name }) => name === policy.owner)?.dir ?? '';
    const object = objects.get(policyKey(dir, policy.number));
    if (!object) return [];
    const { bucket, key, version, size, etag } = object;
    return {
      party,
      owner: policy.owner,
      kind: 'policy' as const,
      number: policy.number,
      tableName: policy.tableName,
      bucket,
      key,
      version,
      size,
      etag,
    };
  });
}
