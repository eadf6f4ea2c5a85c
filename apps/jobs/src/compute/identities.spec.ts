import { loadSettings } from '@glacis/settings';
import type { ProviderName } from '../jobs/job.entity.js';
import { jobsSettings } from '../settings.js';
import type { ComputeProvider } from './compute-provider.js';
import { identitiesOf } from './identities.js';

function identities(
  driver: ComputeProvider['driver'],
  name: ProviderName,
  overrides: Record<string, string>,
): unknown {
  const compute = new Map([[name, { driver } as ComputeProvider]]);
  const settings = loadSettings(jobsSettings, {
    env: {},
    overrides: { secretFile: 'none', ...overrides },
  });
  return identitiesOf(compute, settings).get(name);
}

const awsIsolation = 'account';

test('jobs.md 10.3: under account parties have an identity of their own, else none', () => {
  expect(identities('aws', 'aws', { awsIsolation, awsMachineIdentity: 'a' })).toBe('machine');
  expect(identities('local', 'aws', { awsIsolation, awsPartyCredentialsFile: '/f' })).toEqual({
    file: '/f',
  });
  expect(identities('local', 'gcp', { gcpIsolation: 'account', gcpPartyKeyFile: '/k' })).toEqual({
    file: '/k',
  });
  const gcpEndpoint = 'http://127.0.0.1:4443';
  const gcp = { gcpIsolation: 'account', gcpEndpoint };
  expect(identities('local', 'gcp', { ...gcp, gcpPartyKeyFile: '/k' })).toEqual({
    file: '/k',
    endpoint: gcpEndpoint,
  });
  expect(identities('gcp', 'gcp', { ...gcp, gcpMachineIdentity: 'a' })).toBe('machine');
  expect(identities('local', 'aws', {})).toBeUndefined();
});

test.each([
  ['aws', 'aws', { awsIsolation }],
  ['aws', 'aws', { awsMachineIdentity: 'a' }],
  ['local', 'aws', { awsIsolation, awsMachineIdentity: 'a' }],
  ['aws', 'aws', { awsIsolation, awsPartyCredentialsFile: '/f' }],
  ['local', 'gcp', { gcpPartyKeyFile: '/k' }],
  ['local', 'azure', { azureIsolation: 'account', azureMachineIdentity: 'a' }],
  ['kubernetes', 'aws', { awsIsolation, awsMachineIdentity: 'a' }],
] as const)('jobs.md 10.3: one without the other stops the start: %s, %s, %j', (...row) => {
  const [driver, name, overrides] = row;
  const wrong = `GLACIS_JOBS_${name.toUpperCase()}_ISOLATION is account where`;
  expect(() => identities(driver, name, overrides)).toThrow(wrong);
});
