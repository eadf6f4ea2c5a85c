import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateAuthority } from '../certificate-authority.js';

/** As kubectl(1) reads it, with every file's content inside. */
export interface Kubeconfig {
  apiVersion: 'v1';
  kind: 'Config';
  clusters: { name: string; cluster: { server: string; 'certificate-authority-data': string } }[];
  users: {
    name: string;
    user: { 'client-certificate-data': string; 'client-key-data': string };
  }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
  'current-context': string;
}

/** Somebody whom the API server knows by a client certificate. */
export interface KubernetesIdentity {
  /** The file of `kubeconfig`, for `KUBECONFIG`. */
  file: string;
  kubeconfig: Kubeconfig;
}

/** In which cluster, and where the files go. */
export interface IdentityPlace {
  folder: string;
  server: string;
  authority: CertificateAuthority;
}

/**
 * @param user its name
 * @param groups that it is in beside `system:authenticated`
 * @throws {RangeError} for a name that is more than words between `:`, `.`, `@` and `-`
 */
export async function makeIdentity(
  { folder, server, authority }: IdentityPlace,
  user: string,
  groups: string[],
): Promise<KubernetesIdentity> {
  const odd = [user, ...groups].find((each) => !/^[\w:.@-]+$/.test(each));
  if (odd !== undefined) throw new RangeError(`no name for a user or group: ${odd}`);
  const name = user.replaceAll(':', '-');
  // RFC 5280 subject as the API server reads it: the common name is the user, each organization a group.
  const subject = [`CN=${user}`, ...groups.map((group) => `O=${group}`)];
  const { cert, key } = await authority.issue(name, `/${subject.join('/')}`);
  const [caData, certData, keyData] = await Promise.all([authority.cert, cert, key].map(base64));
  const kubeconfig: Kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'testbed', cluster: { server, 'certificate-authority-data': caData ?? '' } },
    ],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': certData ?? '', 'client-key-data': keyData ?? '' },
      },
    ],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user } }],
    'current-context': 'testbed',
  };
  const file = join(folder, `${name}.kubeconfig`);
  await writeFile(file, JSON.stringify(kubeconfig, null, 2), { mode: 0o600 });
  return { file, kubeconfig };
}

async function base64(file: string): Promise<string> {
  return readFile(file, 'base64');
}
