import { Injectable } from '@nestjs/common';
import type { ProviderName } from '../jobs/job.entity.js';
import type { ComputeProvider } from './compute-provider.js';

/** The compute behind each name that a request may give. */
@Injectable()
export class ComputeProviders {
  constructor(private readonly byName: ReadonlyMap<ProviderName, ComputeProvider>) {}

  of(name: ProviderName): ComputeProvider {
    const provider = this.byName.get(name);
    if (provider === undefined) throw new RangeError(`there is no provider ${name}`);
    return provider;
  }

  /** Every driver once, for whoever looks through all that is there. */
  all(): ComputeProvider[] {
    return [...new Set(this.byName.values())];
  }
}
