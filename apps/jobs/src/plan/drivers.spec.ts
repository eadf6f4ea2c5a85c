import type { ProviderName } from '../jobs/job.entity.js';
import { ComputeProviders } from '../compute/compute-providers.js';
import type { ComputeProvider } from '../compute/compute-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import type { StorageProvider } from '../storage/storage-provider.js';
import { ConfiguredDrivers } from './drivers.js';

type Behind = [StorageProvider['isolation'], ComputeProvider['driver']];

function driversOf(behind: Record<ProviderName, Behind>): ConfiguredDrivers {
  const names = Object.keys(behind) as ProviderName[];
  const storage = names.map((name) => [name, { isolation: behind[name][0] }] as const);
  const compute = names.map((name) => [name, { driver: behind[name][1] }] as const);
  return new ConfiguredDrivers(
    new StorageProviders(Object.fromEntries(storage) as Record<ProviderName, StorageProvider>),
    new ComputeProviders(new Map(compute as [ProviderName, ComputeProvider][])),
  );
}

const machines: Behind = ['account', 'aws'];

test.each([
  [{ aws: machines, gcp: machines, azure: machines }, ['aws', 'gcp', 'azure'], 'account'],
  // Two parties of one cloud have one identity.
  [{ aws: machines, gcp: machines, azure: machines }, ['aws', 'aws', 'gcp'], 'nominal'],
  // The credentials of a process lie on the host of the service.
  [
    { aws: machines, gcp: machines, azure: ['account', 'local'] },
    ['aws', 'gcp', 'azure'],
    'process',
  ],
  [
    { aws: machines, gcp: machines, azure: ['process', 'local'] },
    ['aws', 'gcp', 'azure'],
    'process',
  ],
  [
    { aws: machines, gcp: machines, azure: ['nominal', 'azure'] },
    ['aws', 'gcp', 'azure'],
    'nominal',
  ],
] as [Record<ProviderName, Behind>, ProviderName[], string][])(
  'jobs.md 1: isolation of %j for parties of %j: %s',
  (behind, parties, isolation) => {
    expect(driversOf(behind).isolationOf(parties)).toBe(isolation);
  },
);
