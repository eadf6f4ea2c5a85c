import { claimName, kubernetesView, podName } from '../names.js';
import { cloneContainer, edgeClone } from './clone.js';
import { edgesOf, mountPathOf, resourceOf, variableSuffix, type PlacedEdge } from './edges.js';
import { componentOf, metadataIn } from './places.js';
import { guestSecurity, type Mount, type Variable } from './pods.js';
import { pullReferences } from './pull-secrets.js';
import { repositoryOf, type RepositoryFacts } from './repository-flow.js';
import type { Manifest, RenderSubject } from './subject.js';

/** Below the root of each container of the component: what it is and which edges it has. */
const factsFolder = '.RAMPART';

/** What each pod of a component receives (4.6), as an object of the release `edges`. */
export function mutationPreset(subject: RenderSubject, component: string): Manifest {
  const name = kubernetesView(component);
  const preset = new Preset(subject);
  for (const placed of edgesOf(component, componentOf(subject, component))) preset.add(placed);
  preset.addFacts(name);
  return {
    apiVersion: 'rampart.petuum.com/v1beta1',
    kind: 'MutationPreset',
    metadata: {
      ...metadataIn(subject, { component }, name),
      // There before the pods are.
      annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '-5' },
    },
    spec: preset.spec(),
  };
}

class Preset {
  private readonly env: Variable[] = [];
  private readonly volumeMounts: Mount[] = [];
  private readonly volumes = new Map<string, object>();
  private readonly initContainers: object[] = [];
  private imagePullSecrets: { name: string }[] = [];

  constructor(private readonly subject: RenderSubject) {}

  add(placed: PlacedEdge): void {
    const value = resourceOf(this.subject, placed);
    this.env.push({ name: `RAMPART_${variableSuffix(placed)}`, value });
    const { type, flow } = placed.edge;
    const repository = repositoryOf(this.subject, flow);
    if (repository) this.addRepository(placed, repository);
    else if (type === 'volume') this.addVolume(placed);
  }

  addFacts(name: string): void {
    const volume = this.volume(name, {
      configMap: {
        name,
        items: [
          { key: 'component', path: 'component.yaml' },
          { key: 'edges', path: 'edges.yaml' },
        ],
      },
    });
    this.volumeMounts.push({ name: volume, mountPath: factsFolder, readOnly: true });
  }

  /** Empty lists are left out. */
  spec(): object {
    const { env, volumeMounts, initContainers, imagePullSecrets } = this;
    const volumes = [...this.volumes].map(([name, source]) => ({ name, ...source }));
    return {
      containerTemplate: filled({ env, volumeMounts }),
      podTemplate: filled({ volumes, initContainers, imagePullSecrets }),
    };
  }

  private addVolume(placed: PlacedEdge): void {
    const mountPath = mountPathOf(this.subject, placed);
    const name = this.claim(placed.edge.flow);
    this.volumeMounts.push({ name, mountPath, readOnly: placed.part === 'input' });
  }

  private addRepository(placed: PlacedEdge, facts: RepositoryFacts): void {
    const { name, part, edge } = placed;
    const type = facts.kind.toUpperCase();
    this.env.push({ name: `RAMPART_REPO_TYPE_${variableSuffix(placed)}`, value: type });
    const clone = edgeClone(this.subject, placed, facts);
    const own = `${part}-${kubernetesView(name)}`;
    const mounts: Mount[] = [];
    if (facts.hasClaim) {
      const readOnly = part === 'input';
      mounts.push({ name: this.claim(edge.flow), mountPath: clone.origin, readOnly });
    }
    mounts.push({
      name: this.volume(`flow-volume-clone-${own}`, { emptyDir: {} }),
      mountPath: clone.folder,
    });
    for (const kind of ['git', 'dvc'] as const) {
      const secretName = facts[`${kind}Secret`];
      if (secretName === undefined) continue;
      const volume = this.volume(`${kind}-secret-${edge.flow}`, secretSource(secretName));
      mounts.push({ name: volume, mountPath: clone.secrets[kind], readOnly: true });
    }
    this.volumeMounts.push(...mounts);
    const rest = { volumeMounts: mounts, securityContext: guestSecurity };
    this.initContainers.push(cloneContainer(this.subject, `git-clone-${own}`, clone, rest));
    this.imagePullSecrets = pullReferences(this.subject, 'edges');
  }

  private claim(flow: string): string {
    const source = { persistentVolumeClaim: { claimName: claimName(this.subject.graph, flow) } };
    return this.volume(`flow-volume-${kubernetesView(flow)}`, source);
  }

  /** One source is listed once; a name that another one has already (a flow `clone-input-x`) is told apart. */
  private volume(wanted: string, source: object): string {
    const name = podName(wanted);
    const there = this.volumes.get(name);
    if (there && JSON.stringify(there) !== JSON.stringify(source)) {
      return this.volume(`${wanted}_`, source);
    }
    this.volumes.set(name, source);
    return name;
  }
}

/** Read by its owner, and by the group of the pod where it has one. */
export const secretSource = (secretName: string): object => ({
  secret: { secretName, defaultMode: 0o400 },
});

function filled(lists: Record<string, unknown[]>): Record<string, unknown[]> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}
