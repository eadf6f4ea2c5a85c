import type { InputsReply, OutputReply, PeersReply, SignedPolicy } from '@glacis/contracts';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { ProviderName } from '../jobs/job.entity.js';
import { StorageProviders } from '../storage/storage-providers.js';
import type { Agent } from './agent.entity.js';
import { livingAgents } from './agents.store.js';
import { instructedOf } from './instructions.store.js';
import {
  boundKeys,
  countingPolicies,
  inputPins,
  resultPlace,
  type InputPin,
} from './lookups.store.js';

/** What an agent is told of its peers and of its own objects (jobs.md 10.2). */
@Injectable()
export class Lookups {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
  ) {}

  async peers(agent: Agent): Promise<PeersReply> {
    const all = await livingAgents(this.store, agent.jobId, agent.attempt);
    const deployed = await instructedOf(
      this.store,
      all.map(({ id }) => id),
      'deploy',
    );
    const peers = all.flatMap(({ id, party, uri, macKey }) => {
      if (id === agent.id || uri === null || macKey === null) return [];
      const result = deployed.find(({ agentId }) => agentId === id)?.result as Deployed;
      return [{ party, uri, mac_key: macKey, address: result?.address ?? null }];
    });
    return { peers };
  }

  async inputs({ jobId, party, provider }: Agent): Promise<InputsReply> {
    const storage = this.storage.of(provider as ProviderName);
    const [pins, policies, keys] = await Promise.all([
      inputPins(this.store, jobId, party),
      countingPolicies(this.store, jobId),
      boundKeys(this.store, jobId),
    ]);
    return {
      files: pins.map((pin, index) => ({
        owner: pin.owner,
        table: pin.table,
        set: pin.number,
        ...(storage.placeOf(pin) ?? { url: `/agents/objects/${index}`, identity: null }),
        bytes: pin.bytes,
        sha256: pin.sha256,
        rows: pin.rows,
      })),
      policies: policies.map(signedPolicyOf),
      owner_keys: keys,
    };
  }

  /** The pinned object at that place of {@link Lookups.inputs}. */
  async object({ jobId, party }: Agent, index: number): Promise<InputPin | undefined> {
    return (await inputPins(this.store, jobId, party))[index];
  }

  output(): OutputReply {
    return { url: '/agents/output/result', headers: {} };
  }

  /** Where the result of this attempt is stored. */
  async resultObject({ jobId, party, attempt }: Agent): Promise<{ bucket: string; key: string }> {
    return { bucket: await resultPlace(this.store, jobId, party), key: `result-${attempt}` };
  }
}

type Deployed = { address?: { host: string; port: number } } | null | undefined;

function signedPolicyOf(row: {
  signedText: string;
  ownerKey: string;
  signature: string;
}): SignedPolicy {
  const document = row.signedText.slice(row.signedText.indexOf('\n') + 1);
  return {
    document: JSON.parse(document) as SignedPolicy['document'],
    owner_key: row.ownerKey,
    signature: row.signature,
  };
}
