import { homedir } from 'node:os';
import { join } from 'node:path';
import { GROUP, resources, V1BETA2, type RampartGraph, type RampartInfra } from '@glacis/graphs';
import {
  ApiServer,
  builtIns,
  isKubeError,
  openAccess,
  ResourceClient,
  type KubeError,
  type ResourceType,
} from '@glacis/kube';
import { RefusedError, UnreachableError, UsageError } from '../client.js';

export interface ClusterOptions {
  /** Context of the kubeconfig; else its current one. */
  context?: string;
}

/** A cluster in which graphs are installed. */
export interface Cluster {
  server: ApiServer;
  /** Where the API server is. */
  url: URL;
  graphs: ResourceClient<RampartGraph>;
  infras: ResourceClient<RampartInfra>;
  pods: ResourceClient<Pod>;
  leases: ResourceClient<Lease>;
}

export type Pod = ObjectOf<typeof builtIns.pods>;
type Lease = ObjectOf<typeof builtIns.leases>;
type ObjectOf<T> = T extends ResourceType<infer O> ? O : never;

/**
 * Works with the cluster of `KUBECONFIG`, else of `~/.kube/config`.
 * @param say tells the person what the API server warns of
 * @throws {RefusedError} what the API server refuses, and where graphs are not installed; {UnreachableError},
 *   {UsageError} without a kubeconfig
 */
export async function inCluster<T>(
  { context }: ClusterOptions,
  work: (cluster: Cluster) => Promise<T>,
  say?: (line: string) => void,
): Promise<T> {
  const kubeconfig = process.env['KUBECONFIG'] || join(homedir(), '.kube', 'config');
  try {
    const access = await openAccess({ kubeconfig, context });
    try {
      const server = new ApiServer(access, {
        userAgent: 'glacis-cli',
        timeoutMs: 30_000,
        onWarning: say && ((text) => say(`warning: ${text}`)),
      });
      await mustBeInstalled(server);
      const { graphs, infras } = resources;
      return await work({
        server,
        url: access.server,
        graphs: new ResourceClient<RampartGraph>(server, graphs),
        infras: new ResourceClient<RampartInfra>(server, infras),
        pods: new ResourceClient(server, builtIns.pods),
        leases: new ResourceClient(server, builtIns.leases),
      });
    } finally {
      access.close();
    }
  } catch (error) {
    throw isKubeError(error) ? toldOf(error) : error;
  }
}

async function mustBeInstalled(server: ApiServer): Promise<void> {
  try {
    await server.call({ method: 'GET', path: `/apis/${V1BETA2}` });
  } catch (error) {
    if (!isKubeError(error, 'notFound')) throw error;
    const detail = `not installed: the cluster has no ${GROUP}/v1beta2`;
    throw new RefusedError(404, { detail });
  }
}

/** What the person is told. */
export function toldOf(error: KubeError): Error {
  const { code, message, status = 0, causes } = error;
  if (code === 'notConfigured') return new UsageError(message);
  if (code === 'unavailable' || code === 'timeout') return new UnreachableError(message);
  const detail = message.replace(/^admission webhook "[^"]*" denied the request: /, '');
  const errors = causes.map(({ reason, field, message: text }) => {
    return { code: reason, path: field, message: text };
  });
  return new RefusedError(status, { detail, errors });
}
