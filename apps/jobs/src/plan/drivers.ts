import { Inject, Injectable } from '@nestjs/common';
import type { Execution, Isolation, ProviderName } from '../jobs/job.entity.js';
import { ComputeProviders } from '../compute/compute-providers.js';
import { StorageProviders } from '../storage/storage-providers.js';
import type { StorageProvider } from '../storage/storage-provider.js';
import type { Drivers } from './draft.js';

const providerNames: readonly ProviderName[] = ['aws', 'gcp', 'azure'];

/** The drivers that the settings have put behind the names of providers. */
@Injectable()
export class ConfiguredDrivers implements Drivers {
  constructor(
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(ComputeProviders) private readonly compute: ComputeProviders,
  ) {}

  /** Nothing leaves the host of the service. */
  get allLocal(): boolean {
    return providerNames.every(
      (name) =>
        this.storage.of(name).driver === 'local' && this.compute.of(name).driver === 'local',
    );
  }

  executionOf(providers: readonly ProviderName[]): Execution {
    const local = providers.filter((name) => this.compute.of(name).driver === 'local');
    if (local.length === providers.length) return 'local';
    return local.length === 0 ? 'cloud' : 'mixed';
  }

  /** The weakest that any party has. @param providers of each party */
  isolationOf(providers: readonly ProviderName[]): Isolation {
    const all = providers.map((name) => this.isolationWith(name, providers));
    return (
      (['nominal', 'process', 'account'] as const).find((each) => all.includes(each)) ?? 'nominal'
    );
  }

  /** Parties of one cloud share its identity; one that is a process of this host has its credentials here. */
  private isolationWith(
    name: ProviderName,
    providers: readonly ProviderName[],
  ): StorageProvider['isolation'] {
    const { isolation } = this.storage.of(name);
    if (isolation !== 'account') return isolation;
    if (providers.filter((each) => each === name).length > 1) return 'nominal';
    return this.compute.of(name).driver === 'local' ? 'process' : 'account';
  }

  readonly accountsOf = (name: ProviderName): readonly string[] => this.storage.of(name).accounts;
}
