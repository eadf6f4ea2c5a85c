import { loadSettings } from '@glacis/settings';
import { systemClock } from '@glacis/runtime';
import type { ProviderName } from '../jobs/job.entity.js';
import { jobsSettings } from '../settings.js';
import { machinesBy } from './clouds.js';

const opened = (name: ProviderName, overrides: Record<string, string>) =>
  machinesBy[name](
    loadSettings(jobsSettings, { env: {}, overrides: { secretFile: 'none', ...overrides } }),
    systemClock,
  );

test.each(['aws', 'gcp', 'azure'] as const)('nothing set: %s has no machines', async (name) => {
  expect(await opened(name, {})).toBeUndefined();
});

test.each([
  ['aws', { awsMachineSubnet: 'subnet-1' }, 'AWS_MACHINE_IMAGE'],
  ['aws', { awsMachineImage: 'ami-1' }, 'AWS_REGION'],
  ['gcp', { gcpMachineKeyFile: 'key.json' }, 'GCP_MACHINE_IMAGE'],
  ['gcp', { gcpMachineImage: 'an image' }, 'GCP_PROJECT'],
  ['azure', { azureMachineSubscription: 'a' }, 'AZURE_MACHINE_IMAGE'],
  ['azure', { azureMachineImage: 'an image' }, 'AZURE_MACHINE_SUBSCRIPTION'],
  ['azure', { azureMachineImage: 'i', azureMachineSubscription: 'a' }, 'AZURE_ENDPOINTS'],
] as const)('jobs.md 10.3: half a configuration of %s stops the start: %j', async (...row) => {
  const [name, overrides, missing] = row;
  await expect(opened(name, overrides)).rejects.toThrow(`GLACIS_JOBS_${missing} is missing`);
});

test('a price is an amount and its currency', () => {
  const priced = (awsMachinePrice: string) =>
    loadSettings(jobsSettings, { env: {}, overrides: { secretFile: 'none', awsMachinePrice } });
  expect(priced('0.0864 USD').awsMachinePrice).toEqual({ amount: 0.0864, currency: 'USD' });
  expect(priced('').awsMachinePrice).toBeNull();
  expect(() => priced('cheap')).toThrow('GLACIS_JOBS_AWS_MACHINE_PRICE');
});
