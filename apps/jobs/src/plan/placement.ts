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

/** Cloud accounts behind the name of a provider; none: it is on this host. */
export type AccountsOf = (name: ProviderName) => readonly string[];

/**
 * Which provider runs which party (`jobs.md` 5): instances go round by the request, numbers by the fixed order. Names that
 * have an account in common count as one provider.
 */
export function place(
  requested: readonly ProviderName[],
  parties: number,
  accountsOf: AccountsOf = () => [],
): Placement {
  const instances = Array.from(
    { length: parties },
    (_, i) => requested[i % requested.length] as ProviderName,
  );
  const providers = order.flatMap((name) => instances.filter((each) => each === name));
  const used = realProviders(accountsOf).map((group) => ({
    names: group.filter((name) => providers.includes(name)),
    parties: [...providers.keys()].filter((party) =>
      group.includes(providers[party] as ProviderName),
    ),
  }));
  return {
    providers,
    collusion: used.filter((each) => each.parties.length > 1).map(colludes),
    unused: unusedOf(requested, parties),
  };
}

/** Names in groups of one provider each, in the fixed order. */
function realProviders(accountsOf: AccountsOf): ProviderName[][] {
  let groups: ProviderName[][] = [];
  for (const name of order) {
    const own = new Set(accountsOf(name));
    const shares = (group: ProviderName[]): boolean =>
      group.flatMap(accountsOf).some((each) => own.has(each));
    groups = [...groups.filter((group) => !shares(group)), [...groups.filter(shares).flat(), name]];
  }
  return order.flatMap((name) => groups.filter(([first]) => first === name));
}

function colludes({ names, parties }: { names: ProviderName[]; parties: number[] }): JobWarning {
  const [provider] = names;
  const who = names.length === 1 ? provider : `one provider behind ${listed(names)}`;
  return {
    code: 'collusion',
    message: `${who} runs parties ${listed(parties)} and could rebuild all inputs`,
    provider,
    parties,
  };
}

/** As `0 and 1` or `0, 1 and 2`. */
function listed(items: readonly (string | number)[]): string {
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

function unusedOf(requested: readonly ProviderName[], parties: number): JobWarning[] {
  if (requested.length <= parties) return [];
  const left = requested.length - parties;
  const message = `${left} of ${requested.length} entries of cloud_providers got no party`;
  return [{ code: 'unused_providers', message }];
}
