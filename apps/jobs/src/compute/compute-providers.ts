import type { AgentIdentity } from '@glacis/contracts';
import { Injectable } from '@nestjs/common';
import type { ProviderName } from '../jobs/job.entity.js';
import type { ComputeProvider } from './compute-provider.js';

/** The compute behind each name that a request may give. */
@Injectable()
export class ComputeProviders {
  /** @param identities of those whose parties read their buckets themselves */
  constructor(
    private readonly byName: ReadonlyMap<ProviderName, ComputeProvider>,
    private readonly identities: ReadonlyMap<ProviderName, AgentIdentity> = new Map(),
  ) {}

  of(name: ProviderName): ComputeProvider {
    const provider = this.byName.get(name);
    if (provider === undefined) throw new RangeError(`there is no provider ${name}`);
    return provider;
  }

  /** By what parties of a provider read their buckets; undefined where the service passes objects on. */
  identityOf(name: ProviderName): AgentIdentity | undefined {
    return this.identities.get(name);
  }

  /** Every driver once, for whoever looks through all that is there. */
  all(): ComputeProvider[] {
    return [...new Set(this.byName.values())];
  }
}
