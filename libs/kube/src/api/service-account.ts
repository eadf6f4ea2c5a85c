import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Configured } from './access.js';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The service account of the pod, as Kubernetes mounts it (its documentation, "Accessing the Kubernetes API from a Pod").
 * @param root prefix of the folder
 * @throws {Error} outside of a pod
 */
export function serviceAccount(root: string): Configured {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (host === undefined) {
    throw new Error('no kubeconfig is set, and this is no pod with a service account');
  }
  const file = (name: string): string => join(root, folder, name);
  return {
    server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    namespace: readFileSync(file('namespace'), 'utf8').trim(),
    read: async () => {
      // The kubelet replaces both: the token before it expires, the root when it is rotated.
      const [token, ca] = await Promise.all([
        readFile(file('token'), 'utf8'),
        readFile(file('ca.crt')),
      ]);
      return { headers: { Authorization: `Bearer ${token.trim()}` }, tls: { ca } };
    },
  };
}
