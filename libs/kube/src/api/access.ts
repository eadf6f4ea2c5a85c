import { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { TlsAgent } from './connections.js';
import { KubeError } from './kube-error.js';

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
  /** Prefix of `/var/run/secrets/kubernetes.io/serviceaccount`. Default empty. */
  root?: string;
}

/**
 * Opens the kubeconfig that was named, else the service account of the pod. Nothing else is tried: neither
 * `~/.kube/config` nor `localhost`, so that a program never meets a cluster by chance.
 * @throws {KubeError} notConfigured
 */
export async function openAccess(options: AccessOptions = {}): Promise<Access> {
  // Loaded here only: it costs a second and tens of megabytes (decision 0020).
  const { KubeConfig } = await import('@kubernetes/client-node');
  const fromFile = (file: string): KubeConfig => {
    const config = new KubeConfig();
    config.loadFromFile(file, { onInvalidEntry: 'throw' });
    return config;
  };
  return new ConfiguredAccess(() => {
    const files = (options.kubeconfig ?? '').split(':').filter((file) => file !== '');
    const [first, ...others] = files.map(fromFile);
    if (first === undefined) return inCluster(new KubeConfig(), options.root ?? '');
    for (const other of others) first.mergeConfig(other, true);
    if (options.context !== undefined) useContext(first, options.context);
    return first;
  });
}

function useContext(config: KubeConfig, name: string): void {
  if (!config.getContextObject(name)) throw new Error(`the kubeconfig has no context '${name}'`);
  config.setCurrentContext(name);
}

function inCluster(config: KubeConfig, root: string): KubeConfig {
  if (process.env.KUBERNETES_SERVICE_HOST === undefined) {
    throw new Error('no kubeconfig is set, and this is no pod with a service account');
  }
  config.loadFromCluster(root);
  return config;
}

class ConfiguredAccess implements Access {
  private config: KubeConfig;
  private remembered: { until: number; credentials: Promise<Credentials> } | undefined;
  private agent: { of: string; agent: HttpAgent } | undefined;

  constructor(private readonly load: () => KubeConfig) {
    this.config = this.loaded();
  }

  get server(): URL {
    return new URL(this.cluster.server);
  }

  get namespace(): string {
    return this.config.getContextObject(this.config.getCurrentContext())?.namespace ?? 'default';
  }

  credentials(anew: boolean): Promise<Credentials> {
    if (anew) {
      this.config = this.loaded();
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
    const options: RequestOptions = { headers: {} };
    try {
      await this.config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new KubeError('unauthorized', 'the credentials cannot be read', { cause });
    }
    const headers = { ...(options.headers as Record<string, string>) };
    if (typeof options.auth === 'string') {
      headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    }
    return { headers, agent: this.agentFor(options) };
  }

  /** client-node remembers its agent for good; ours follows the certificates, as those are replaced. */
  private agentFor(options: RequestOptions): HttpAgent {
    const { server, proxyUrl } = this.cluster;
    if (proxyUrl !== undefined) return options.agent as HttpAgent;
    if (server.startsWith('http:')) return (this.agent ??= plainAgent()).agent;
    const { ca, cert, key, rejectUnauthorized, servername } = options;
    const of = [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n');
    if (this.agent?.of !== of) {
      const tls = { ca, cert, key, rejectUnauthorized, servername };
      this.agent = { of, agent: new TlsAgent({ ...agentOptions, ...definedOf(tls) }) };
    }
    return this.agent.agent;
  }

  private get cluster(): { server: string; proxyUrl?: string } {
    return clusterOf(this.config);
  }

  private loaded(): KubeConfig {
    try {
      const config = this.load();
      clusterOf(config);
      return config;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KubeError('notConfigured', `there is no way to a cluster: ${why}`, { cause });
    }
  }
}

function clusterOf(config: KubeConfig): { server: string; proxyUrl?: string } {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster');
  return cluster;
}

function plainAgent(): { of: string; agent: HttpAgent } {
  return { of: '', agent: new HttpAgent(agentOptions) };
}

function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>;
}
