import { ClusterIndex } from '../cluster-index.js';
import type { ClusterView } from '../cluster-view.js';
import { V1BETA1, V1BETA2 } from '../resources.js';
import { validateReview, type GraphRequest, type GraphResponse } from './graph-review.js';

const cluster = new ClusterIndex({ kafkaConfigured: false });
cluster.ready = true;

const component = {
  chart: { repo: 'https://charts.example.com', name: 'c', version: '1.0.0' },
  config: {},
  inputs: {},
  outputs: {},
};
const good = { graph: { components: { a: component }, flows: {} } };
/** Stored before the rule that it breaks. */
const old = { graph: { components: { a: { ...component, needs: ['zzz'] } }, flows: {} } };
const graph = (spec: object, metadata: object = {}, apiVersion = V1BETA2): object => ({
  apiVersion,
  kind: 'RampartGraph',
  metadata: { name: 'g', namespace: 'default', ...metadata },
  spec,
});

const faults: unknown[] = [];
const review = (request: Partial<GraphRequest>, view: ClusterView = cluster): GraphResponse =>
  validateReview(
    { operation: 'CREATE', namespace: 'default', name: 'g', ...request },
    view,
    (error) => `fault ${faults.push(error)}`,
  );
const codes = (response: GraphResponse): string[] =>
  response.allowed ? [] : response.status.details.causes.map(({ reason }) => reason);
const update = (spec: object, before: object, metadata?: object): string[] =>
  codes(review({ operation: 'UPDATE', object: graph(spec, metadata), oldObject: graph(before) }));

describe('graph-apps.md 5.2: validation of a graph', () => {
  test('a refusal says code, place and reason in the forms of the spec', () => {
    const message = 'NEEDS_UNKNOWN /graph/components/a/needs/0: zzz is no component of the graph';
    expect(review({ object: graph(old) })).toEqual({
      allowed: false,
      status: {
        code: 403,
        reason: `Invalid: ${message}`,
        message,
        details: {
          causes: [
            {
              reason: 'NEEDS_UNKNOWN',
              field: '/graph/components/a/needs/0',
              message: 'zzz is no component of the graph',
            },
          ],
        },
      },
    });
  });

  test('without name or namespace it says so in their own words', () => {
    const nameless = { object: graph(good), name: undefined };
    expect(review(nameless)).toMatchObject({
      status: { code: 403, reason: 'Invalid graph', message: 'No name found' },
    });
    expect(review({ ...nameless, name: '' })).toMatchObject({
      status: { reason: 'Invalid graph' },
    });
    expect(review({ object: graph(good), namespace: undefined })).toMatchObject({
      status: { reason: 'Invalid graph', message: 'No namespace found' },
    });
    expect(review({ ...nameless, generateName: 'g-' })).toEqual({ allowed: true });
    const generated = { object: graph(good, { generateName: 'g-' }), name: undefined };
    expect(review(generated)).toEqual({ allowed: true });
  });

  test('warnings are told with either verdict', () => {
    const latest = { ...component, chart: { ...component.chart, version: 'latest' } };
    const object = graph({ graph: { components: { a: latest }, flows: {} } });
    expect(review({ object })).toEqual({ allowed: true, warnings: [expect.any(String)] });
  });

  test('other operations, and what is being deleted, are allowed unread', () => {
    for (const operation of ['DELETE', 'CONNECT']) {
      expect(review({ operation, object: graph(old), name: undefined })).toEqual({ allowed: true });
    }
    const object = graph(old, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(review({ operation: 'UPDATE', object })).toEqual({ allowed: true });
  });

  test('a graph that is stored already can be labelled, finalised and undeployed', () => {
    expect(update(old, old, { labels: { a: 'b' } })).toEqual([]);
    expect(update({ ...old, deploy: true }, old)).toEqual([]);
    expect(update({ ...old, deploy: false }, old)).toEqual([]);
    expect(update({ ...old, deploy: false }, { ...old, deploy: false })).toEqual([]);
    expect(update({ ...old, deploy: true }, { ...old, deploy: false })).toEqual(['NEEDS_UNKNOWN']);
    expect(update(old, { ...old, deploy: false })).toEqual(['NEEDS_UNKNOWN']);
    expect(update(old, good)).toEqual(['NEEDS_UNKNOWN']);
    expect(codes(review({ operation: 'UPDATE', object: graph(old) }))).toEqual(['NEEDS_UNKNOWN']);
    expect(codes(review({ object: graph(old), oldObject: graph(old) }))).toEqual(['NEEDS_UNKNOWN']);
  });

  test('v1beta1 is read as conversion reads it', () => {
    const annotations = { 'glacis.dev/deploy': 'false' };
    const undeployed = graph(old, { annotations }, V1BETA1);
    const stored = graph({ ...old, deploy: true });
    const request = { operation: 'UPDATE', object: undeployed, oldObject: stored };
    expect(review(request)).toEqual({ allowed: true });
    expect(codes(review({ ...request, object: stored, oldObject: undeployed }))).toEqual([
      'NEEDS_UNKNOWN',
    ]);
    expect(codes(review({ object: graph({ ...good, deploy: 'no' }) }))).toEqual(['SCHEMA']);
  });

  test('a fault of a rule is a refusal that names where the log has it', () => {
    const broken = new Proxy(cluster, {
      get: (target, name) => {
        if (name === 'claimantsOf') throw new Error('broken');
        return Reflect.get(target, name) as unknown;
      },
    });
    const response = review({ object: graph(good) }, broken);
    expect(codes(response)).toEqual(['INTERNAL']);
    expect(JSON.stringify(response)).toContain(`fault ${faults.length}`);
    expect(faults.at(-1)).toEqual(new Error('broken'));
  });

  test.each([undefined, null, 1, 'text', [], { spec: null }, { metadata: 3, spec: { graph: [] } }])(
    'any object is answered: %j',
    (object) => {
      expect(codes(review({ object, oldObject: object }))).toEqual(['SCHEMA']);
      expect(codes(review({ operation: 'UPDATE', object, oldObject: object }))).toEqual(['SCHEMA']);
    },
  );

  test('nested a hundred thousand deep it is answered as well', () => {
    const deep = (): unknown => JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const [object, oldObject] = [deep(), deep()].map((config) =>
      graph({ graph: { components: { a: { ...component, config } }, flows: {} } }),
    );
    expect(codes(review({ object }))).toContain('SCHEMA');
    expect(codes(review({ operation: 'UPDATE', object, oldObject }))).toEqual(['INTERNAL']);
  });
});
