import { Injectable } from '@nestjs/common';
import type { ProviderName } from '../jobs/job.entity.js';
import type { StorageProvider } from './storage-provider.js';

/** The storage behind each name that a request may give: that of the cloud where it is set up, else local buckets. */
@Injectable()
export class StorageProviders {
  constructor(private readonly byName: Readonly<Record<ProviderName, StorageProvider>>) {}

  of(name: ProviderName): StorageProvider {
    return this.byName[name];
  }

  /** Every one once, for whoever looks through all that is there; all local names share their buckets. */
  all(): StorageProvider[] {
    const byDriver = Object.values(this.byName).map((each) => [each.driver, each] as const);
    return [...new Map(byDriver).values()];
  }
}
