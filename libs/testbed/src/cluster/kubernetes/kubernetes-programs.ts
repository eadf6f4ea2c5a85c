import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../cache.js';
import { goModule, goProgram } from '../go-program.js';

const version = 'v1.35.4';
const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];

/** Charts and clients ask the server for it; a build from the module proxy has no other way to know. */
const versionVariables = Object.fromEntries(
  Object.entries({
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
  }).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
);

/** Programs of `k8s.io/kubernetes`. */
export type KubernetesProgram =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kubelet'
  | 'kube-proxy';

/** The path of one of them. Its first build on a machine takes minutes. */
export async function kubernetesProgram(name: KubernetesProgram): Promise<string> {
  return goProgram({
    name,
    module: 'k8s.io/kubernetes',
    version,
    package: `k8s.io/kubernetes/cmd/${name}`,
    localModules: version.replace(/^v1/, 'v0'),
    variables: versionVariables,
  });
}

/** The store of the API server. */
export async function etcdProgram(): Promise<string> {
  return goProgram({ name: 'etcd', module: 'go.etcd.io/etcd/server/v3', version: 'v3.7.3' });
}

export async function helmProgram(): Promise<string> {
  const module = 'helm.sh/helm/v3';
  return goProgram({ name: 'helm', module, version: 'v3.22.0', package: `${module}/cmd/helm` });
}

/** A registry of images and charts, over plain HTTP (OCI distribution specification). */
export async function registryProgram(): Promise<string> {
  const module = 'github.com/google/go-containerregistry';
  return goProgram({
    name: 'registry',
    module,
    version: 'v0.22.1',
    package: `${module}/cmd/registry`,
  });
}

export async function coreDnsProgram(): Promise<string> {
  return goProgram({ name: 'coredns', module: 'github.com/coredns/coredns', version: 'v1.14.7' });
}

const kwok = { module: 'sigs.k8s.io/kwok', version: 'v0.8.0' };

/** What simulates nodes and pods. */
export async function kwokProgram(): Promise<string> {
  return goProgram({ name: 'kwok', ...kwok, package: `${kwok.module}/cmd/kwok` });
}

/** How simulated nodes and pods go on, as KWOK's own configuration has it for those that are ready at once. */
export async function kwokStages(): Promise<string> {
  const folder = await cached(`kwok-stages-${kwok.version}`, async (draft) => {
    const source = await goModule(kwok.module, kwok.version);
    const parts = ['node/fast', 'node/heartbeat', 'pod/fast'].map((part) =>
      join(source, 'kustomize/stage', part),
    );
    const texts = await Promise.all(parts.map(stagesIn));
    await writeFile(join(draft, 'stages.yaml'), texts.flat().join('---\n'));
  });
  return readFile(join(folder, 'stages.yaml'), 'utf8');
}

async function stagesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  const stages = names.filter((name) => name !== 'kustomization.yaml');
  return Promise.all(stages.map((name) => readFile(join(folder, name), 'utf8')));
}
