import type { JobWarning, ProviderName } from '../jobs/job.entity.js';

/** The fixed order in which parties are numbered. */
const order: readonly ProviderName[] = ['aws', 'gcp', 'azure'];

export interface Placement {
  /** Provider of each party. */
  providers: ProviderName[];
  /** Providers that have several parties, and so could rebuild inputs. */
  collusion: JobWarning[];
  /** Entries of the request that got no party. */
  unused: JobWarning[];
}

/** Which provider runs which party (`jobs.md` 5): instances go round by the request, numbers by the fixed order. */
export function place(requested: readonly ProviderName[], parties: number): Placement {
  const instances = Array.from(
    { length: parties },
    (_, i) => requested[i % requested.length] as ProviderName,
  );
  const providers = order.flatMap((name) => instances.filter((each) => each === name));
  const used = order.map((name) => ({
    name,
    parties: [...providers.keys()].filter((party) => providers[party] === name),
  }));
  return {
    providers,
    collusion: used.filter((each) => each.parties.length > 1).map(colludes),
    unused: unusedOf(requested, parties),
  };
}

function colludes({ name, parties }: { name: ProviderName; parties: number[] }): JobWarning {
  return {
    code: 'collusion',
    message: `${name} runs parties ${listed(parties)} and could rebuild all inputs`,
    provider: name,
    parties,
  };
}

/** As `0 and 1` or `0, 1 and 2`. */
function listed(numbers: number[]): string {
  return `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`;
}

function unusedOf(requested: readonly ProviderName[], parties: number): JobWarning[] {
  if (requested.length <= parties) return [];
  const left = requested.length - parties;
  const message = `${left} of ${requested.length} entries of cloud_providers got no party`;
  return [{ code: 'unused_providers', message }];
}
