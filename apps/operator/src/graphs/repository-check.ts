import { claimName, flowNamespace, type FlowState } from '@glacis/graphs';
import { readText } from '@glacis/runtime';
import { keyOf } from '@glacis/kube';
import type { Judgement } from './states.js';
import type { Work } from './work.js';

interface Service {
  spec?: { clusterIP?: string };
}

const limitMs = 10_000;
const maxAnswerBytes = 64 << 10;

/** What the flow service says of a repository (7.2), asked at the address of its Service. */
export async function checkRepository(
  { cache, id }: Pick<Work, 'cache' | 'id'>,
  flow: string,
): Promise<Judgement<FlowState>> {
  const namespace = flowNamespace(id, 'repository');
  const key = keyOf({ namespace, name: 'flows-repository-flows-service' });
  const service = cache.find('Service', key) as Service | undefined;
  const address = service?.spec?.clusterIP;
  if (!address) return { state: 'error', message: `there is no Service ${key}` };
  const claim = claimName(id, flow);
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `http://${host}:8000/api/v1/app/flows_service/${claim}/repo-check`;
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(limitMs) });
  const text = await readText(answer, maxAnswerBytes);
  if (!answer.ok) return { state: 'error', message: `the flow service answered ${answer.status}` };
  const { status } = JSON.parse(text ?? '{}') as { status?: string };
  return status === 'normal'
    ? { state: 'normal' }
    : { state: 'error', message: `the flow service says that the repository is ${status}` };
}
