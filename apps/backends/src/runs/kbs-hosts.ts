import type { ComputationRun } from '@glacis/grpc';

/** Stricter than any URL parser, so that no two of them can disagree on whom it names. */
const BROKER =
  /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:\/[\x21-\x5b\x5d-\x7e]*)?$/i;

/** True when the host of a key broker's URL is one of these: a guest takes its keys from whoever is named. */
export function isAllowedBroker(url: string, hosts: readonly string[]): boolean {
  const host = BROKER.exec(url)?.[1]?.toLowerCase();
  return host !== undefined && hosts.some((allowed) => allowed.toLowerCase() === host);
}

/** The first key broker of a run that is not at one of the hosts (`backends.md` 8). */
export function refusedBroker(run: ComputationRun, hosts: readonly string[]): string | undefined {
  const named = [run.kbs, run.algorithm?.kbs, ...run.datasets.map(({ kbs }) => kbs)];
  return named
    .flatMap((kbs) => (kbs === undefined || kbs.url === '' ? [] : [kbs.url]))
    .find((url) => !isAllowedBroker(url, hosts));
}
