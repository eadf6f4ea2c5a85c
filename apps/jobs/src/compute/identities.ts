import type { AgentIdentity } from '@glacis/contracts';
import type { ProviderName } from '../jobs/job.entity.js';
import type { JobsSettings } from '../settings.js';
import type { ComputeProvider } from './compute-provider.js';

interface Given {
  isolation: 'nominal' | 'account';
  /** Of machines, in the words of their cloud. */
  machine: string | undefined;
  /** Of processes. */
  file?: string;
  /** In place of that of the cloud. */
  endpoint?: string;
}

const givenBy: Readonly<Record<ProviderName, (settings: JobsSettings) => Given>> = {
  aws: ({ awsIsolation, awsMachineIdentity, awsPartyCredentialsFile }) => ({
    isolation: awsIsolation,
    machine: awsMachineIdentity,
    file: awsPartyCredentialsFile,
  }),
  gcp: ({ gcpIsolation, gcpMachineIdentity, gcpPartyKeyFile, gcpEndpoint }) => ({
    isolation: gcpIsolation,
    machine: gcpMachineIdentity,
    file: gcpPartyKeyFile,
    endpoint: gcpEndpoint,
  }),
  azure: ({ azureIsolation, azureMachineIdentity }) => ({
    isolation: azureIsolation,
    machine: azureMachineIdentity,
  }),
};

/**
 * By what parties read their buckets themselves: all of a provider under `account`, where the service may not, and none
 * otherwise, as an identity would be a right more.
 * @throws {Error} where a provider has the one without the other
 */
export function identitiesOf(
  compute: ReadonlyMap<ProviderName, ComputeProvider>,
  settings: JobsSettings,
): Map<ProviderName, AgentIdentity> {
  const found = new Map<ProviderName, AgentIdentity>();
  for (const [name, { driver }] of compute) {
    const given = givenBy[name](settings);
    const identity = identityOn(driver, given);
    if ((identity === undefined) === (given.isolation === 'account'))
      throw new Error(
        `GLACIS_JOBS_${name.toUpperCase()}_ISOLATION is account where parties have an identity of their own there, and only there`,
      );
    if (identity !== undefined) found.set(name, identity);
  }
  return found;
}

/** Pods have none yet. */
function identityOn(
  driver: ComputeProvider['driver'],
  { machine, file, endpoint }: Given,
): AgentIdentity | undefined {
  if (driver === 'local') return file === undefined ? undefined : { file, endpoint };
  return driver === 'kubernetes' || machine === undefined ? undefined : 'machine';
}
