import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { KubernetesIdentity } from './identity.js';

/** Calls the API server as somebody, for what goes on for as long as the cluster: kubectl is a process for each call. */
export class ApiClient {
  private readonly agent: Agent;
  private readonly server: string;

  constructor({ kubeconfig }: KubernetesIdentity) {
    const [{ cluster } = missing('cluster')] = kubeconfig.clusters;
    const [{ user } = missing('user')] = kubeconfig.users;
    this.server = cluster.server;
    this.agent = new Agent({
      keepAlive: true,
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      cert: Buffer.from(user['client-certificate-data'], 'base64'),
      key: Buffer.from(user['client-key-data'], 'base64'),
    });
  }

  /** @throws {Error} unless it answers 2xx within ten seconds */
  async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    const sent = request(new URL(path, this.server), {
      method,
      agent: this.agent,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    sent.end(body && JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = await text(response);
    const { statusCode = 0 } = response;
    if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${answer}`);
    return JSON.parse(answer) as T;
  }

  close(): void {
    this.agent.destroy();
  }
}

function missing(what: string): never {
  throw new Error(`no ${what} in the kubeconfig`);
}
