import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Configured, Identification } from './access.js';

/** Loading this module is what costs (decision 0020). */
export function readKubeconfig(files: readonly string[], context: string | undefined): Configured {
  const [config, ...others] = files.map(fromFile);
  if (config === undefined) throw new Error('no kubeconfig is named');
  for (const other of others) config.mergeConfig(other, true);
  if (context !== undefined) useContext(config, context);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster');
  return {
    server: new URL(cluster.server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    read: () => identification(config, cluster.proxyUrl !== undefined),
  };
}

function fromFile(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file, { onInvalidEntry: 'throw' });
  return config;
}

function useContext(config: KubeConfig, name: string): void {
  if (!config.getContextObject(name)) throw new Error(`the kubeconfig has no context '${name}'`);
  config.setCurrentContext(name);
}

/** client-node remembers its agent for good, so that is taken for proxies only. */
async function identification(config: KubeConfig, isProxied: boolean): Promise<Identification> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  const headers = { ...(options.headers as Record<string, string>) };
  if (typeof options.auth === 'string') {
    headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const agent = isProxied && typeof options.agent === 'object' ? options.agent : undefined;
  return { headers, tls: { ca, cert, key, rejectUnauthorized, servername }, agent };
}
