import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { jest } from '@jest/globals';
import * as fc from 'fast-check';
import {
  builtIns,
  CaBundles,
  ConversionError,
  converting,
  mutating,
  refused,
  ResourceClient,
  validating,
  WebhookServer,
  type AdmissionRequest,
  type KubeObject,
  type ResourceType,
} from '../src/index.js';
import { logger, Stand } from './stand.js';
import { authority, https, MountedSecret } from './webhooks.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

/** In v1 a gadget has a `size`, in v2 a `length`; both have free `notes`. */
interface Gadget extends KubeObject {
  spec: { size?: number; length?: number; colour?: string; notes?: object };
}
const gadgets = (version: 'v1' | 'v2'): ResourceType<Gadget> => ({
  group: 'test.glacis.dev',
  version,
  kind: 'Gadget',
  plural: 'gadgets',
  namespaced: true,
});

const versionOf = (name: 'v1' | 'v2', size: 'size' | 'length'): object => ({
  name,
  served: true,
  storage: name === 'v2',
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          required: [size],
          properties: {
            [size]: { type: 'integer' },
            colour: { type: 'string' },
            notes: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    },
  },
});

const registrations = (url: string): object[] => {
  const shared = { admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail' };
  const rules = [
    {
      apiGroups: ['test.glacis.dev'],
      apiVersions: ['v2'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['gadgets'],
    },
  ];
  const webhook = (path: string): object => ({
    name: `${path}.test.glacis.dev`,
    clientConfig: { url: `${url}/${path}` },
    rules,
    timeoutSeconds: 5,
    ...shared,
  });
  const configuration = (kind: string, ...paths: string[]): object => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: 'gadgets' },
    webhooks: paths.map(webhook),
  });
  const clientConfig = { url: `${url}/convert` };
  return [
    configuration('Validating', 'validate', 'audit'),
    configuration('Mutating', 'mutate'),
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gadgets.test.glacis.dev' },
      spec: {
        group: 'test.glacis.dev',
        scope: 'Namespaced',
        names: { kind: 'Gadget', plural: 'gadgets', singular: 'gadget' },
        versions: [versionOf('v1', 'size'), versionOf('v2', 'length')],
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig, conversionReviewVersions: ['v1'] },
        },
      },
    },
  ];
};

/** What the README says that the bundles need. */
const rights = (user: string): object[] => {
  const verbs = ['get', 'list', 'watch', 'patch'];
  const rule = (apiGroup: string, resource: string, name: string): object => ({
    apiGroups: [apiGroup],
    resources: [resource],
    resourceNames: [name],
    verbs,
  });
  const admission = 'admissionregistration.k8s.io';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: user };
  return [
    {
      apiVersion,
      kind: 'ClusterRole',
      metadata,
      rules: [
        rule(admission, 'validatingwebhookconfigurations', 'gadgets'),
        rule(admission, 'mutatingwebhookconfigurations', 'gadgets'),
        rule('apiextensions.k8s.io', 'customresourcedefinitions', 'gadgets.test.glacis.dev'),
      ],
    },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  ];
};

const refs = [
  { kind: 'validatingWebhooks', name: 'gadgets' },
  { kind: 'mutatingWebhooks', name: 'gadgets' },
  { kind: 'customResourceDefinitions', name: 'gadgets.test.glacis.dev' },
] as const;

let stand: Stand;
let secret: MountedSecret;
let metrics: Metrics;
let server: WebhookServer;
let bundles: CaBundles;
let v1: ResourceClient<Gadget>;
let v2: ResourceClient<Gadget>;
/** What the next object's notes are changed to. */
let notes: object | undefined;
let seen: AdmissionRequest<Gadget>[] = [];
const term = new AbortController();
let running: Promise<void>;

const hooks = {
  '/validate': validating<Gadget>((request) => {
    seen.push(request);
    if (request.object?.spec.length === 13) throw new Error('unlucky');
    if ((request.object?.spec.length ?? 0) < 100) return { allowed: true };
    const cause = { reason: 'TOO_LONG', field: 'spec.length', message: 'at most 100' };
    return refused('too long', { causes: [cause] });
  }),
  '/audit': validating<Gadget>(() => ({ allowed: true, warnings: ['gadgets are watched'] })),
  '/mutate': mutating<Gadget>(({ object }) => {
    if (!object) return { allowed: true };
    const spec = { colour: 'grey', ...object.spec, ...(notes && { notes }) };
    return { allowed: true, object: { ...object, spec } };
  }),
  '/convert': converting((object, apiVersion) => {
    const { spec, ...rest } = object as Gadget;
    if (!spec) return object;
    const { size, length, ...others } = spec;
    if (apiVersion.endsWith('/v1')) return { ...rest, spec: { ...others, size: length } } as Gadget;
    if (!apiVersion.endsWith('/v2')) throw new ConversionError(`no version ${apiVersion}`);
    return { ...rest, spec: { ...others, length: size } } as Gadget;
  }),
};

const bundleOf = async (kind: string): Promise<string[]> => {
  const path = kind === 'crd' ? '{.spec.conversion.webhook' : '{.webhooks[*]';
  const name = kind === 'crd' ? 'gadgets.test.glacis.dev' : 'gadgets';
  const jsonpath = `jsonpath=${path}.clientConfig.caBundle}`;
  const text = await stand.cluster.kubectl('get', kind, name, '-o', jsonpath);
  return text.split(' ').map((each) => Buffer.from(each, 'base64').toString());
};
const kinds = ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration', 'crd'];
const bundled = async (): Promise<string[]> => (await Promise.all(kinds.map(bundleOf))).flat();
const countOf = (bundle: string): number => bundle.split('BEGIN').length - 1;

/** A create that is only tried, and what would have become of it. */
const tryOut = async (type: ResourceType<Gadget>, spec: Gadget['spec']): Promise<Gadget> =>
  (await stand.direct.call({
    method: 'POST',
    path: `/apis/test.glacis.dev/${type.version}/namespaces/default/gadgets?dryRun=All`,
    body: {
      apiVersion: `test.glacis.dev/${type.version}`,
      kind: 'Gadget',
      metadata: { name: 'tried' },
      spec,
    },
  })) as Gadget;

beforeAll(async () => {
  stand = await Stand.open();
  secret = await MountedSecret.of(await authority('first CA'));
  metrics = new Metrics();
  const { source } = secret;
  const { file } = await stand.cluster.user('bundler');
  await stand.cluster.apply(...rights('bundler'));
  bundles = new CaBundles({
    server: await stand.as(file),
    source,
    registrations: refs,
    fieldManager: 'kube-test',
    overlapMs: 10_000,
    logger,
    metrics,
  });
  server = new WebhookServer({
    host: '127.0.0.1',
    port: 0,
    hooks,
    certificate: source,
    trusted: (ca) => bundles.trust(ca),
    logger,
    metrics,
  });
  await server.start();
  await stand.cluster.apply(...registrations(`https://127.0.0.1:${server.port}`));
  bundles.start();
  const { signal } = term;
  running = bundles.run({ signal, holds: () => !signal.aborted });
  v1 = new ResourceClient(stand.direct, gadgets('v1'));
  v2 = new ResourceClient(stand.direct, gadgets('v2'));
  await waitFor(async () => (await bundled()).every((each) => countOf(each) === 1), {
    deadlineMs: 30_000,
    what: 'the bundles',
  });
  await waitFor(() => tryOut(gadgets('v1'), { size: 1 }), { deadlineMs: 30_000 });
});

beforeEach(() => {
  notes = undefined;
  seen = [];
});

afterAll(async () => {
  term.abort();
  await running;
  await bundles?.stop();
  await server?.stop();
  await stand?.close();
});

describe('webhooks, called by the real API server', () => {
  it('validate, default and convert', async () => {
    const ref = { namespace: 'default', name: 'a' };
    await v1.create({ metadata: ref, spec: { size: 3 } });
    expect((await v2.get(ref)).spec).toEqual({ length: 3, colour: 'grey' });
    expect((await v1.get(ref)).spec).toEqual({ size: 3, colour: 'grey' });
    const [{ object, ...request } = {} as AdmissionRequest<Gadget>] = seen;
    // Both webhooks are registered for v2 alone: what comes as v1 is converted for them.
    expect(object?.spec).toEqual({ length: 3, colour: 'grey' });
    expect(request).toMatchObject({
      operation: 'CREATE',
      name: 'a',
      namespace: 'default',
      dryRun: false,
      userInfo: { groups: ['system:masters', 'system:authenticated'] },
    });
    const applied = { metadata: ref, spec: { size: 5, colour: 'red' } };
    await v1.apply(applied, { fieldManager: 'one' });
    expect(seen.at(-1)).toMatchObject({ operation: 'UPDATE', oldObject: { spec: { length: 3 } } });
    expect((await v2.list()).items.map(({ spec }) => spec)).toEqual([{ length: 5, colour: 'red' }]);
    await v1.delete(ref);
  });

  it('refuse with a message, warn, and are told of dry runs', async () => {
    await expect(tryOut(gadgets('v1'), { size: 100 })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('too long'),
    });
    expect(seen.at(-1)?.dryRun).toBe(true);
    await expect(tryOut(gadgets('v2'), { length: 13 })).rejects.toMatchObject({
      message: expect.stringMatching(/denied the request: the webhook could not decide$/),
    });
    const file = join(await temporaryFolder(), 'gadget.json');
    const gadget = { apiVersion: 'test.glacis.dev/v1', kind: 'Gadget', spec: { size: 1 } };
    await writeFile(file, JSON.stringify({ ...gadget, metadata: { name: 'b' } }));
    await expect(
      stand.cluster.kubectl('create', '-f', file, '--dry-run=server', '--warnings-as-errors'),
    ).rejects.toThrow('gadgets are watched');
  });

  it('change an object into whatever they want, by a patch', async () => {
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(true, false, 0, 1, '', 'x'),
        fc.string({ maxLength: 4, unit: 'grapheme' }),
        fc.array(tie('json'), { maxLength: 5 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'a/b', '~', '~1', '0', '-'), tie('json')),
      ),
    }));
    const documents = fc.dictionary(fc.constantFrom('a', 'b', 'c/~d', '1'), json);
    await fc.assert(
      fc.asyncProperty(documents, documents, async (from, to) => {
        notes = to;
        const { spec } = await tryOut(gadgets('v2'), { length: 1, notes: from });
        expect(spec.notes).toEqual(to);
      }),
      { numRuns: 150 },
    );
  });
});

describe('CA bundles, on the real API server', () => {
  it('are the only thing that is written, and come back when somebody overwrites them', async () => {
    const [before] = await bundled();
    const patch = JSON.stringify([
      { op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: 'Z29uZQ==' },
    ]);
    const name = ['validatingwebhookconfiguration', 'gadgets'];
    await stand.cluster.kubectl('patch', ...name, '--type=json', '-p', patch).catch(() => '');
    await stand.cluster.apply(...registrations(`https://127.0.0.1:${server.port}`));
    await stand.cluster.kubectl(
      'patch',
      'crd',
      'gadgets.test.glacis.dev',
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'remove', path: '/spec/conversion/webhook/clientConfig/caBundle' }]),
    );
    await waitFor(async () => (await bundled()).every((bundle) => bundle === before));
    const client = new ResourceClient(stand.direct, builtIns.validatingWebhooks);
    const { metadata } = await client.get({ name: 'gadgets' });
    const fields = (metadata.managedFields as { manager: string; fieldsV1: object }[]).find(
      ({ manager }) => manager === 'kube-test',
    );
    const own = { '.': {}, 'f:clientConfig': { 'f:caBundle': {} }, 'f:name': {} };
    expect(fields?.fieldsV1).toEqual({
      'f:webhooks': {
        'k:{"name":"audit.test.glacis.dev"}': own,
        'k:{"name":"validate.test.glacis.dev"}': own,
      },
    });
  });

  it('hold the old and the new CA while one replaces the other, and no call fails', async () => {
    let calls = 0;
    const callers = new AbortController();
    const failures: unknown[] = [];
    const caller = async (): Promise<void> => {
      while (!callers.signal.aborted) {
        await tryOut(gadgets('v1'), { size: 1 }).catch((error: unknown) => failures.push(error));
        calls += 1;
      }
    };
    const calling = [caller(), caller(), caller()];
    const second = await authority('second CA');
    await secret.renew(second);
    await waitFor(async () => (await bundled()).every((bundle) => countOf(bundle) === 2), {
      deadlineMs: 20_000,
    });
    const options = { port: server.port, path: '/healthz', rejectUnauthorized: false };
    await waitFor(async () => (await https(options)).issuer === 'CN=second CA', {
      deadlineMs: 20_000,
    });
    const root = await readFile(second.cert, 'utf8');
    await waitFor(async () => (await bundled()).every((bundle) => bundle.trim() === root.trim()), {
      deadlineMs: 30_000,
      what: 'the old CA to leave the bundles',
    });
    const until = calls + 20;
    await waitFor(() => calls > until);
    callers.abort();
    await Promise.all(calling);
    console.info(`${calls} calls while the CA was replaced, ${failures.length} failed`);
    expect(failures).toEqual([]);
  });

  it('are not written where all is right', async () => {
    const versions = async (): Promise<string[]> =>
      Promise.all(
        refs.map(async ({ kind, name }) => {
          const client = new ResourceClient<KubeObject>(stand.direct, builtIns[kind]);
          return (await client.get({ name })).metadata.resourceVersion;
        }),
      );
    const looks = async (): Promise<number> => {
      const series = /reconciles_total\{controller="ca-bundles",result="done"\} (\d+)/;
      return Number(series.exec(await metrics.text())?.[1]);
    };
    const before = await versions();
    const until = (await looks()) + 6;
    await waitFor(async () => (await looks()) >= until, { deadlineMs: 30_000 });
    expect(await versions()).toEqual(before);
  });
});
