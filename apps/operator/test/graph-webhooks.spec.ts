import { ClusterIndex, type MutationPreset } from '@glacis/graphs';
import type { Hook, HookContext } from '@glacis/kube';
import { conversion, podMutation, routeLabel, validation } from '../src/graphs/webhooks/hooks.js';

const context: HookContext = { signal: new AbortController().signal, traceparent: '' };

/** The answer as it goes over the wire; undefined: 400. */
async function answerOf(hook: Hook, body: unknown): Promise<unknown> {
  return JSON.parse(JSON.stringify((await hook(body)?.decide(context))?.body ?? null));
}

const admission = (request: object): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { uid: 'u', operation: 'CREATE', namespace: 'default', name: 'g', ...request },
});
const answered = (response: object): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: 'u', ...response },
});

describe('graph-apps.md 5.2: POST /validate', () => {
  const spec = { graph: { components: {}, flows: {} } };
  const object = { apiVersion: 'rampart.petuum.com/v1beta2', kind: 'RampartGraph', spec };
  const denials: string[] = [];
  const hookOn = (cluster: ClusterIndex, synced: Promise<void>): Hook =>
    validation({
      cluster,
      synced,
      report: () => 'id',
      denied: (codes) => denials.push(...codes),
    });

  test('a review waits until the cluster is read', async () => {
    const cluster = new ClusterIndex({ kafkaConfigured: false });
    let read: () => void = () => undefined;
    const synced = new Promise<void>((resolve) => (read = resolve));
    const answer = answerOf(hookOn(cluster, synced), admission({ object }));
    cluster.ready = true;
    read();
    expect(await answer).toEqual(answered({ allowed: true }));
  });

  test('one that cannot wait any longer is refused as BUSY, and counted', async () => {
    const over = { ...context, signal: AbortSignal.abort() };
    const never = new Promise<void>(() => undefined);
    const hook = hookOn(new ClusterIndex({ kafkaConfigured: false }), never);
    const { body, result } = await hook(admission({ object }))!.decide(over);
    expect(body).toMatchObject({
      response: { status: { details: { causes: [{ reason: 'BUSY' }] } } },
    });
    expect(result).toBe('denied');
    expect(denials).toEqual(['BUSY']);
  });

  test('what is no review is none', () => {
    const hook = hookOn(new ClusterIndex({ kafkaConfigured: false }), Promise.resolve());
    for (const body of [undefined, null, 3, [], {}, { ...admission({}), kind: 'Pod' }]) {
      expect(hook(body)).toBeUndefined();
    }
  });
});

test('graph-apps.md 5.3: POST /conversion, an unknown version fails the whole review', async () => {
  const review = (apiVersion: string): object => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    request: {
      uid: 'u',
      desiredAPIVersion: 'rampart.petuum.com/v1beta2',
      objects: [
        { apiVersion: 'rampart.petuum.com/v1beta1', spec: {} },
        { apiVersion, spec: {} },
      ],
    },
  });
  expect(await answerOf(conversion, review('rampart.petuum.com/v1alpha1'))).toMatchObject({
    response: {
      uid: 'u',
      result: {
        status: 'Failed',
        message: 'no conversion from rampart.petuum.com/v1alpha1 to rampart.petuum.com/v1beta2',
      },
    },
  });
  expect(await answerOf(conversion, review('rampart.petuum.com/v1beta2'))).toMatchObject({
    response: { result: { status: 'Success' }, convertedObjects: [{ spec: { deploy: true } }, {}] },
  });
});

describe('graph-apps.md 5.4: POST /mutate/pod', () => {
  const env = [{ name: 'A', value: '1' }];
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
  const preset = {
    spec: { containerTemplate: { env }, podTemplate: { volumes } },
  } as unknown as MutationPreset;
  const object = { spec: { containers: [{ name: 'c' }] } };
  const facts = (known: { preset?: MutationPreset; ending?: string }): Hook =>
    podMutation({
      preset: async () => known.preset,
      endingClaim: (_namespace, claims) => claims.find((claim) => claim === known.ending),
      gpuNodes: () => false,
    });

  test('no preset: 503 with its reason and nothing else', async () => {
    expect(await answerOf(facts({}), admission({ object }))).toEqual(
      answered({ allowed: false, status: { code: 503, reason: 'MutationPreset not found' } }),
    );
  });

  test('a claim that is being deleted: 403, reason and message say so', async () => {
    const text = 'the PersistentVolumeClaim data is being deleted and cannot be attached';
    expect(await answerOf(facts({ preset, ending: 'data' }), admission({ object }))).toEqual(
      answered({ allowed: false, status: { code: 403, reason: text, message: text } }),
    );
  });

  test('what is not created is left alone', async () => {
    for (const operation of ['UPDATE', 'DELETE', 'CONNECT']) {
      const review = admission({ object, operation });
      expect(await answerOf(facts({}), review)).toEqual(answered({ allowed: true }));
    }
  });

  test('else a JSON patch, an empty one where nothing changes', async () => {
    const patchOf = async (pod: object): Promise<unknown> => {
      const review = admission({ object: pod });
      const answer = (await answerOf(facts({ preset }), review)) as {
        response: { patch: string; patchType: string };
      };
      expect(answer).toMatchObject(answered({ allowed: true, patchType: 'JSONPatch' }));
      return JSON.parse(Buffer.from(answer.response.patch, 'base64').toString());
    };
    expect(await patchOf(object)).toEqual([
      { op: 'add', path: '/spec/containers/0/env', value: env },
      { op: 'add', path: '/spec/volumes', value: volumes },
    ]);
    expect(await patchOf({ spec: { containers: [{ name: 'c', env }], volumes } })).toEqual([]);
  });
});

test('graph-apps.md 5.5: POST /mutate/ingress labels whatever comes', async () => {
  for (const operation of ['CREATE', 'UPDATE']) {
    const review = admission({ operation, object: { metadata: { name: 'i' } } });
    const patch = JSON.stringify([
      { op: 'add', path: '/metadata/labels', value: { 'controlled-by-rampart': 'true' } },
    ]);
    expect(await answerOf(routeLabel, review)).toEqual(
      answered({
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(patch).toString('base64'),
      }),
    );
  }
  const removal = admission({ operation: 'DELETE', object: null, oldObject: { metadata: {} } });
  expect(await answerOf(routeLabel, removal)).toEqual(answered({ allowed: true }));
});
