import { waitFor } from '@glacis/runtime';
import type { KubernetesCluster } from '@glacis/testbed/cluster';

/** What the cases of pods need of the cluster that they share with those of graphs. */
export interface PodWorld {
  cluster: () => KubernetesCluster;
  /** What `kubectl apply` says to an object. */
  said: (object: object, ...options: string[]) => Promise<string>;
  read: <T>(kind: string, name: string, namespace?: string) => Promise<T>;
}

/** Pods and Ingresses of components (`graph-apps.md` 5.4, 5.5). */
export function podCases({ cluster, said, read }: PodWorld): void {
  describe('graph-apps.md 5.4: pods of a component', () => {
    const namespace = 'default-g-a';
    const preset = (name: string, value: string, volumes: object[] = []): object => ({
      apiVersion: 'rampart.petuum.com/v1beta1',
      kind: 'MutationPreset',
      metadata: { name, namespace },
      spec: {
        containerTemplate: {
          env: [{ name: 'RAMPART_INPUT_in', value }],
          volumeMounts: [{ name: 'facts', mountPath: '.RAMPART', readOnly: false }],
        },
        podTemplate: { volumes: [{ name: 'facts', configMap: { name: 'a' } }, ...volumes] },
      },
    });
    const podSpec = { containers: [{ name: 'c', image: 'i', env: [{ name: 'OWN', value: '1' }] }] };
    const pod = (name: string, labels: object = {}): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: podSpec,
    });
    interface Pod {
      spec: {
        containers: {
          env: { name: string; value: string }[];
          volumeMounts: { mountPath: string }[];
          resources: { limits?: Record<string, string> };
        }[];
        volumes: { name: string }[];
      };
    }
    const first = ({ spec }: Pod) => spec.containers[0]!;
    const environment = (shown: Pod): string[] =>
      first(shown).env.map(({ name, value }) => `${name}=${value}`);

    beforeAll(async () => {
      const labels = { 'controlled-by-rampart': 'true', 'glacis.dev/component': 'a' };
      const metadata = { name: namespace, labels };
      await cluster().apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
      const account = (): Promise<string> =>
        cluster().kubectl('get', 'serviceaccount', 'default', '-n', namespace);
      await waitFor(account, { deadlineMs: 30_000, everyMs: 200, what: 'the service account' });
    });

    it('wait for their preset, by way of their controller, and get it', async () => {
      const labels = { app: 'a' };
      await cluster().apply({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a', namespace },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: podSpec },
        },
      });
      const pods = async (): Promise<Pod[]> => {
        const selection = ['-n', namespace, '-l', 'app=a'];
        const text = await cluster().kubectl('get', 'pods', ...selection, '-o', 'json');
        return (JSON.parse(text) as { items: Pod[] }).items;
      };
      const events = (): Promise<string> => cluster().kubectl('get', 'events', '-n', namespace);
      const refused = async (): Promise<boolean> =>
        (await events()).includes('MutationPreset not found');
      await waitFor(refused, {
        deadlineMs: 60_000,
        everyMs: 500,
        what: 'a refusal without preset',
      });
      expect(await pods()).toEqual([]);
      await cluster().apply(preset('a', '/in'));
      const [made] = await waitFor(
        async () => {
          const found = await pods();
          return found.length > 0 && found;
        },
        { deadlineMs: 60_000, everyMs: 200, what: 'the pod to be made' },
      );
      expect(environment(made!)).toEqual(['RAMPART_INPUT_in=/in', 'OWN=1']);
      expect(first(made!).volumeMounts.map(({ mountPath }) => mountPath)).toContain('.RAMPART');
    });

    it('created anew as they were read, have everything once', async () => {
      await cluster().apply(pod('once'));
      const shown = await read<Pod & { metadata: object; status: object }>(
        'pod',
        'once',
        namespace,
      );
      await cluster().kubectl('delete', 'pod', 'once', '-n', namespace, '--force');
      const metadata = { name: 'once', namespace };
      await cluster().apply({ ...shown, metadata, status: undefined });
      const again = await read<Pod>('pod', 'once', namespace);
      expect(environment(again)).toEqual(environment(shown));
      expect(again.spec.volumes).toEqual(shown.spec.volumes);
      expect(first(again).volumeMounts).toEqual(first(shown).volumeMounts);
    });

    it('with the label of those that get none, get none', async () => {
      await cluster().apply(pod('plain', { 'rampart-disable-edges': 'true' }));
      expect(environment(await read<Pod>('pod', 'plain', namespace))).toEqual(['OWN=1']);
    });

    it('get the preset that the Namespace names, of several', async () => {
      await cluster().apply(preset('0-first', '/other'));
      await cluster().apply(pod('named'));
      expect(environment(await read<Pod>('pod', 'named', namespace))).toContain(
        'RAMPART_INPUT_in=/in',
      );
      await cluster().kubectl('delete', 'mutationpreset', '0-first', '-n', namespace);
    });

    it('see no GPU that they do not ask for, once a node has some', async () => {
      const [node = ''] = await cluster().simulatedNodes(1);
      const capacity = JSON.stringify({ status: { capacity: { 'nvidia.com/gpu': '1' } } });
      await cluster().kubectl('patch', 'node', node, '--subresource=status', '-p', capacity);
      const limited = async (): Promise<boolean> => {
        await cluster().kubectl(
          'delete',
          'pod',
          'gpu',
          '-n',
          namespace,
          '--ignore-not-found',
          '--force',
        );
        await cluster().apply(pod('gpu'));
        const { limits } = first(await read<Pod>('pod', 'gpu', namespace)).resources;
        return limits?.['nvidia.com/gpu'] === '0';
      };
      await waitFor(limited, { deadlineMs: 30_000, everyMs: 200, what: 'the node to be known' });
    });

    it('are refused while a claim of theirs is being deleted', async () => {
      const claim = 'default-g-f';
      await cluster().apply({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace, finalizers: ['test.glacis.dev/held'] },
        spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
      });
      const volume = { name: 'v', persistentVolumeClaim: { claimName: claim } };
      await cluster().apply(preset('a', '/in', [volume]));
      await cluster().kubectl('delete', 'pvc', claim, '-n', namespace, '--wait=false');
      const answer = `the PersistentVolumeClaim ${claim} is being deleted and cannot be attached`;
      const refused = async (): Promise<boolean> =>
        (await said(pod('late'), '--dry-run=server')).includes(answer);
      await waitFor(refused, { deadlineMs: 30_000, everyMs: 200, what: 'the refusal' });
      const free = JSON.stringify({ metadata: { finalizers: null } });
      await cluster().kubectl('patch', 'pvc', claim, '-n', namespace, '--type=merge', '-p', free);
    });

    it('graph-apps.md 5.5: Ingresses are labelled there, and nowhere else', async () => {
      interface Labelled {
        metadata: { labels?: Record<string, string> };
      }
      const ingress = (within: string): object => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'i', namespace: within },
        spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
      });
      await cluster().apply(ingress(namespace), ingress('default'));
      const { metadata } = await read<Labelled>('ingress', 'i', namespace);
      expect(metadata.labels).toEqual({ 'controlled-by-rampart': 'true' });
      expect((await read<Labelled>('ingress', 'i')).metadata).not.toHaveProperty('labels');
    });
  });
}
