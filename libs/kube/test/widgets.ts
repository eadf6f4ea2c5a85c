import { ApiServer, openAccess, ResourceClient, type Access } from '../src/index.js';
import type { ApiServerOptions, KubeObject, ResourceType } from '../src/index.js';
import type { FakeApiServer } from './fake-api-server.js';

/** A resource for tests. */
export interface Widget extends KubeObject {
  spec: { size: number; colour?: string };
  status?: { phase?: string; parts?: { done: number; left?: number } };
}

export const widgets: ResourceType<Widget> = {
  group: 'test.glacis.dev',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
};

export const collection = '/apis/test.glacis.dev/v1/namespaces/tee/widgets';

export interface Connected {
  access: Access;
  server: ApiServer;
  client: ResourceClient<Widget>;
}

export async function connected(
  fake: FakeApiServer,
  options: ApiServerOptions & { port?: number } = {},
): Promise<Connected> {
  const access = await openAccess({ kubeconfig: await fake.kubeconfig({ port: options.port }) });
  const server = new ApiServer(access, options);
  return { access, server, client: new ResourceClient(server, widgets) };
}
