import { setTimeout as sleep } from 'node:timers/promises';
import {
  claimsOf,
  convertGraph,
  labelRoute,
  mutatePod,
  validateReview,
  type ClusterView,
  type MutationPreset,
  type ReportFault,
} from '@glacis/graphs';
import {
  ConversionError,
  converting,
  jsonPatch,
  mutating,
  refused,
  validating,
  type builtIns,
  type Hook,
  type Mutation,
} from '@glacis/kube';

type Pod = NonNullable<(typeof builtIns.pods)['of']>;

/** Milliseconds for which a review waits for the first copy of the cluster; then it is refused as BUSY. */
const readyMs = 10_000;

export interface ValidationOptions {
  cluster: ClusterView;
  /** Resolves when the cluster has been read. */
  synced: Promise<void>;
  report: ReportFault;
  /** Told of the rules that a refused graph breaks. */
  denied: (codes: ReadonlySet<string>) => void;
}

/** `POST /validate` (5.2) */
export function validation({ cluster, synced, report, denied }: ValidationOptions): Hook {
  return validating(async (request, { signal }) => {
    if (!cluster.ready) await waited(synced, signal);
    const response = validateReview(request, cluster, report);
    if (!response.allowed) {
      denied(new Set(response.status.details.causes.map(({ reason }) => reason)));
    }
    return response;
  });
}

async function waited(synced: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const timer = sleep(readyMs, undefined, { signal: AbortSignal.any([signal, over.signal]) });
  await Promise.race([synced, timer.catch(() => undefined)]);
  over.abort();
}

/** `POST /conversion` (5.3) */
export const conversion: Hook = converting((object, apiVersion) => {
  const converted = convertGraph(object, apiVersion);
  if (converted) return converted;
  throw new ConversionError(`no conversion from ${object.apiVersion} to ${apiVersion}`);
});

/** What the mutation of a pod asks of the cluster. */
export interface PodFactsSource {
  /** Undefined when none has come in time. */
  preset(namespace: string, signal: AbortSignal): Promise<MutationPreset | undefined>;
  /** The first of these claims that is being deleted. */
  endingClaim(namespace: string, claims: readonly string[]): string | undefined;
  gpuNodes(): boolean;
}

/** `POST /mutate/pod` (5.4) */
export function podMutation(facts: PodFactsSource): Hook {
  return mutating<Pod>(
    async ({ operation, namespace = '', object }, { signal }): Promise<Mutation<Pod>> => {
      if (operation !== 'CREATE' || !object) return { allowed: true };
      const preset = await facts.preset(namespace, signal);
      if (!preset) {
        return { allowed: false, status: { code: 503, reason: 'MutationPreset not found' } };
      }
      const claim = facts.endingClaim(namespace, claimsOf(preset.spec));
      if (claim !== undefined) return refusedFor(claim);
      const mutated = mutatePod(object, preset.spec, { gpuNodes: facts.gpuNodes() });
      return { allowed: true, patch: jsonPatch(object, mutated) };
    },
  );
}

function refusedFor(claim: string): Mutation<Pod> {
  const text = `the PersistentVolumeClaim ${claim} is being deleted and cannot be attached`;
  return refused(text, { reason: text });
}

/** `POST /mutate/ingress` (5.5) */
export const routeLabel: Hook = mutating(({ object }) =>
  object ? { allowed: true, patch: labelRoute(object) } : { allowed: true },
);
