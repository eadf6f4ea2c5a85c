import { FLOW_LABEL, LABELS, type Manifest } from '@glacis/graphs';
import { builtIns, type Draft, type KubeObject } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { fingerprintLabel } from './records.js';
import { fingerprintOf } from './releases.js';
import { clientOf, type Work } from './work.js';

interface Job extends KubeObject {
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

/** Milliseconds beyond its own limit that a Job may take to say how it ended. */
const graceMs = 30_000;

/**
 * Has a repository prepared by a Job (4.8), once for what the Job is made of: one that another operator began is waited for.
 * @throws {Error} when it fails
 */
export async function runInitJob(work: Work, manifest: Manifest): Promise<void> {
  const jobs = clientOf<Job>(work, builtIns.jobs);
  const { namespace, labels } = manifest.metadata;
  const fingerprint = fingerprintOf(manifest);
  const flow = labels[FLOW_LABEL] ?? '';
  const labelSelector = `${LABELS.graphUid}=${work.id.uid},${FLOW_LABEL}=${flow},${fingerprintLabel}=${fingerprint}`;
  const { items } = await jobs.list({ namespace, labelSelector });
  const going = items.find((job) => endOf(job)?.type !== 'Failed');
  const job = going ?? (await jobs.create(marked(manifest, fingerprint)));
  const ended = await waitFor(
    async () => {
      if (work.signal.aborted) return 'aborted';
      return endOf(await jobs.get(job.metadata));
    },
    {
      deadlineMs: work.settings.render.initTimeoutSeconds * 1_000 + graceMs,
      everyMs: 500,
      what: `the Job ${job.metadata.name}`,
    },
  );
  work.signal.throwIfAborted();
  if (ended === 'aborted' || ended.type === 'Complete') return;
  throw new Error(`the Job ${job.metadata.name} in ${namespace} failed: ${ended.message ?? ''}`);
}

function marked(manifest: Manifest, fingerprint: string): Draft<Job> {
  const { metadata } = manifest;
  const labels = { ...metadata.labels, [fingerprintLabel]: fingerprint };
  // The API server makes the name.
  return { ...manifest, metadata: { ...metadata, labels } } as Draft<Job>;
}

function endOf({ status }: Job): { type: string; message?: string } | undefined {
  return status?.conditions?.find(
    (condition) =>
      (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
}
