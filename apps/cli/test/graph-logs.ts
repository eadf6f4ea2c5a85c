import { busyboxImage, type KubernetesCluster } from '@glacis/testbed/cluster';
import { glacis, type Ran } from './run.js';

const run = (...argv: string[]): Promise<Ran> => glacis(argv);

/** `glacis graph logs` of the graph `made`, with pods that really run. */
export function logCases(cluster: () => KubernetesCluster): void {
  describe('logs', () => {
    const says = (name: string, namespace: string, ...lines: string[]): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: busyboxImage,
            imagePullPolicy: 'Never',
            command: ['sh', '-c', lines.map((line) => `echo '${line}'`).join('; ')],
          },
        ],
      },
    });
    const ended = (name: string, namespace: string): Promise<string> =>
      cluster().kubectl(
        'wait',
        `pod/${name}`,
        `--namespace=${namespace}`,
        '--for=jsonpath={.status.phase}=Succeeded',
        '--timeout=120s',
      );

    test('of the operator: its lines of the graph', async () => {
      const none = await run('graph', 'logs', 'made');
      expect([none.code, none.err]).toEqual([1, expect.stringContaining('no operator')]);
      const line = (name: string, text: string): string =>
        `2026-11-22T00:00:00Z: graph_namespace=default graph_name=${name} phase=None : message="${text}"`;
      const own = line('made', 'ours');
      await cluster().apply(says('operator-0', 'team', own, line('made-too', 'another'), 'noise'), {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'glacis-operator', namespace: 'team' },
        spec: { holderIdentity: 'operator-0_1' },
      });
      await ended('operator-0', 'team');
      expect(await run('graph', 'logs', 'made')).toEqual({ code: 0, out: `${own}\n`, err: '' });
    });

    test('of a component: those of its pods, with --follow to their end', async () => {
      expect(await run('graph', 'logs', 'made', 'one')).toMatchObject({ code: 0, out: '' });
      await cluster().kubectl('create', 'namespace', 'default-made-one');
      await cluster().apply(says('a', 'default-made-one', 'hello', 'world'));
      await ended('a', 'default-made-one');
      const out = 'a/main: hello\na/main: world\n';
      expect(await run('graph', 'logs', 'made', 'one')).toEqual({ code: 0, out, err: '' });
      expect((await run('graph', 'logs', 'made', 'one', '--follow')).out).toBe(out);
      const unknown = await run('graph', 'logs', 'made', 'nobody');
      expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("'nobody'")]);
    });
  });
}
