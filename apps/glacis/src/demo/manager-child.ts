import { join } from 'node:path';
import { Child } from './child.js';
import type { Stage } from './story.js';

/**
 * Managers as processes of this machine.
 * @param managers `host:port` of the manager stream
 * @param children who is to be ended when the demo ends, however it ends
 */
export function managerChildren(
  script: string,
  managers: string,
  children: Child[],
): Stage['startManager'] {
  return (tls, env) => {
    const manager = Child.start(script, {
      MANAGER_GRPC_URL: managers,
      MANAGER_GRPC_SERVER_CA_CERTS: join(tls, 'ca.pem'),
      MANAGER_GRPC_CLIENT_CERT: join(tls, 'cert.pem'),
      MANAGER_GRPC_CLIENT_KEY: join(tls, 'key.pem'),
      GLACIS_MANAGER_STATE_DIR: join(tls, 'state'),
      ...env,
    });
    children.push(manager);
    return manager;
  };
}
