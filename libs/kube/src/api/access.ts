import { Agent as HttpAgent } from 'node:http';
import type { AgentOptions } from 'node:https';
import { TlsAgent } from './connections.js';
import { KubeError } from './kube-error.js';
import { serviceAccount } from './service-account.js';

/** Where the API server is and what it lets us in with. */
export interface Access {
  readonly server: URL;
  /** The namespace of the context, or of the service account's pod; `default` without one. */
  readonly namespace: string;
  /**
   * @param anew forgets what is remembered: files, tokens and kubeconfig are read again
   */
  credentials(anew: boolean): Promise<Credentials>;
  /** Ends the connections that nobody uses at the moment: they are not to be trusted. */
  closeIdle(): void;
  /** Ends the connections that are kept open. */
  close(): void;
}

export interface Credentials {
  headers: Record<string, string>;
  agent: HttpAgent;
}

/** Files and exec plug-ins are asked again after so many milliseconds. */
const rememberMs = 30_000;
const agentOptions = { keepAlive: true, maxSockets: 64, maxFreeSockets: 64, timeout: 30_000 };

export interface AccessOptions {
  /** Kubeconfig files as in the variable `KUBECONFIG`: one path, or several with `:` between. Default: the service account of the pod. */
  kubeconfig?: string;
  /** Context of the kubeconfig. Default: its current one. */
  context?: string;
  /** Prefix of `/var/run/secrets/kubernetes.io/serviceaccount`, which Telepresence names by `TELEPRESENCE_ROOT`. Default empty. */
  root?: string;
}

/** What an API server is called with, as a kubeconfig or a service account says at one moment. */
export interface Configured {
  server: URL;
  namespace: string;
  /** Reads tokens and certificates, and runs plug-ins. */
  read(): Promise<Identification>;
}

export interface Identification {
  headers: Record<string, string>;
  tls?: Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;
  /** Instead of one with `tls`, where there is a proxy. */
  agent?: HttpAgent;
}

/**
 * Opens the kubeconfig that was named, else the service account of the pod. Nothing else is tried: neither
 * `~/.kube/config` nor `localhost`, so that a program never meets a cluster by chance.
 * @throws {KubeError} notConfigured
 */
export async function openAccess(options: AccessOptions = {}): Promise<Access> {
  const files = (options.kubeconfig ?? '').split(':').filter((file) => file !== '');
  if (files.length === 0) return new ReadAccess(() => serviceAccount(options.root ?? ''));
  // Loaded here only: it costs a second and 55 MB, which no pod has to pay (decision 0020).
  const { readKubeconfig } = await import('./kubeconfig.js');
  return new ReadAccess(() => readKubeconfig(files, options.context));
}

class ReadAccess implements Access {
  private configured: Configured;
  private remembered: { until: number; credentials: Promise<Credentials> } | undefined;
  private agent: { of: string; agent: HttpAgent } | undefined;

  constructor(private readonly load: () => Configured) {
    this.configured = this.loaded();
  }

  get server(): URL {
    return this.configured.server;
  }

  get namespace(): string {
    return this.configured.namespace;
  }

  credentials(anew: boolean): Promise<Credentials> {
    if (anew) {
      this.configured = this.loaded();
      this.remembered = undefined;
    }
    if (this.remembered === undefined || performance.now() >= this.remembered.until) {
      this.remembered = { until: performance.now() + rememberMs, credentials: this.read() };
      this.remembered.credentials.catch(() => (this.remembered = undefined));
    }
    return this.remembered.credentials;
  }

  closeIdle(): void {
    const idle = Object.values(this.agent?.agent.freeSockets ?? {}).flat();
    for (const socket of idle) socket?.destroy();
  }

  close(): void {
    this.agent?.agent.destroy();
  }

  private async read(): Promise<Credentials> {
    try {
      const { headers, tls, agent } = await this.configured.read();
      return { headers, agent: agent ?? this.agentWith(tls) };
    } catch (cause) {
      throw new KubeError('unauthorized', 'the credentials cannot be read', { cause });
    }
  }

  /** One for as long as the certificates are the same, and another as those are replaced. */
  private agentWith(tls: Identification['tls']): HttpAgent {
    if (this.server.protocol === 'http:') return (this.agent ??= plainAgent()).agent;
    const given = definedOf({ ...tls });
    const of = Object.entries(given).flat().map(String).join('\n');
    if (this.agent?.of !== of) {
      this.agent = { of, agent: new TlsAgent({ ...agentOptions, ...given }) };
    }
    return this.agent.agent;
  }

  private loaded(): Configured {
    try {
      return this.load();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KubeError('notConfigured', `there is no way to a cluster: ${why}`, { cause });
    }
  }
}

function plainAgent(): { of: string; agent: HttpAgent } {
  return { of: '', agent: new HttpAgent(agentOptions) };
}

function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>;
}
