import { randomUUID } from 'node:crypto';
import { appId, pulsarNamespace, pulsarTopic, rampartView } from '@glacis/graphs';
import type { FlowState, GraphName } from '@glacis/graphs';
import { readText } from '@glacis/runtime';
import type { Judgement } from '../states.js';
import { checkMs, type TopicType } from './topic-type.js';

export interface PulsarTopicsOptions {
  /** Of the admin API; undefined: none is configured. */
  url: string | undefined;
  /** Name of the cluster that the tenant may use. */
  cluster: string;
}

const tenant = 'rampart';
const callMs = 10_000;
const maxAnswerBytes = 1 << 20;

/** Pulsar flows, by its admin API and, for the check, its REST producer. */
export class PulsarTopics implements TopicType {
  constructor(private readonly options: PulsarTopicsOptions) {}

  resourceOf(graph: GraphName, flow: string): string {
    return pulsarTopic(graph, flow);
  }

  async ensure(graph: GraphName, flow: string): Promise<void> {
    const allowedClusters = [this.options.cluster];
    await this.put(`tenants/${tenant}`, { allowedClusters, adminRoles: [] });
    await this.put(`namespaces/${pulsarNamespace(graph)}`);
    await this.put(`persistent/${pulsarTopic(graph, flow)}`);
  }

  async remove(topic: string): Promise<void> {
    await this.admin('DELETE', `persistent/${topic}?force=true`, { also: [404, 409] });
  }

  async removeAll(graph: GraphName): Promise<void> {
    await this.removeNamespace(pulsarNamespace(graph));
  }

  /** Force-deletes namespaces of our tenant that no graph has any more. @param kept app ids of graphs */
  async sweep(kept: ReadonlySet<string>): Promise<string[]> {
    const text = await this.admin('GET', `namespaces/${tenant}`, { also: [404] });
    const found: unknown = text === undefined ? [] : JSON.parse(text);
    const names = Array.isArray(found) ? found.filter((each) => typeof each === 'string') : [];
    const orphans = names.filter((name) => !kept.has(name.slice(tenant.length + 1)));
    for (const name of orphans) await this.removeNamespace(name);
    return orphans;
  }

  /** A message is sent and read back, in the default namespace. */
  async check(graph: GraphName, flow: string): Promise<Judgement<FlowState>> {
    const topic = rampartView(`${appId(graph)}_${flow}_healthcheck`);
    const place = `persistent/public/default/${topic}`;
    const payload = randomUUID();
    await this.admin('PUT', place, { also: [409] }, checkMs);
    await this.call('POST', `/topics/${place}`, {
      body: { producerName: 'glacis-operator', messages: [{ payload }] },
    });
    const query = 'initialPosition=latest&messagePosition=1';
    const read = await this.admin('GET', `${place}/examinemessage?${query}`, {}, checkMs);
    return read?.includes(payload)
      ? { state: 'normal' }
      : { state: 'error', message: 'a message that was sent did not come back' };
  }

  private async removeNamespace(name: string): Promise<void> {
    await this.admin('DELETE', `namespaces/${name}?force=true`, { also: [404, 409] });
  }

  private async put(path: string, body?: object): Promise<void> {
    await this.admin('PUT', path, { body, also: [409] });
  }

  private admin(
    method: string,
    path: string,
    options: CallOptions = {},
    limitMs = callMs,
  ): Promise<string | undefined> {
    return this.call(method, `/admin/v2/${path}`, { ...options, limitMs });
  }

  /** The body; undefined for one of the other answers that are as good. */
  private async call(
    method: string,
    path: string,
    { body, also = [], limitMs = checkMs }: CallOptions & { limitMs?: number },
  ): Promise<string | undefined> {
    const { url } = this.options;
    if (url === undefined) throw new Error('RAMPART_PULSAR_SERVICE is not set');
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: body && { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(limitMs),
    });
    const text = await readText(answer, maxAnswerBytes);
    if (also.includes(answer.status)) return undefined;
    if (answer.ok) return text;
    throw new Error(`pulsar answered ${answer.status} to ${method} ${path}`);
  }
}

interface CallOptions {
  body?: object;
  /** Further statuses that are success. */
  also?: readonly number[];
}
