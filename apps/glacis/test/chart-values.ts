import { goModule, type KubernetesCluster } from '@glacis/testbed/cluster';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@glacis/testbed';
import { parseAllDocuments } from 'yaml';
import { chartFolder } from './chart.js';

const options = fileURLToPath(new URL('./chart-options.yaml', import.meta.url));
const services = ['gateway', 'backends', 'certificates', 'graph-apps', 'jobs'];
const apart = ['--set=postgres.secretName=postgres', '--set=kafka.brokers=kafka:9092'];

let cluster: KubernetesCluster;

interface Rendered {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  spec?: { replicas?: number; template?: { spec: PodSpec } };
}
interface PodSpec {
  volumes: { name: string }[];
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  containers: { args?: string[]; env: { name: string; value?: string }[] }[];
}
interface Webhook {
  clientConfig: { service: { name: string; path: string } };
  failurePolicy: string;
  sideEffects: string;
  timeoutSeconds: number;
}

const template = (...values: string[]): Promise<string> =>
  cluster.helm('template', 'glacis', chartFolder, '--kube-version=1.35.4', ...values);

async function objects(...values: string[]): Promise<Rendered[]> {
  const documents = parseAllDocuments(await template(...values));
  return documents.map((document) => document.toJS() as Rendered | null).filter((each) => !!each);
}

async function podOf(name: string, ...values: string[]): Promise<PodSpec> {
  const found = (await objects(...values)).find(
    ({ spec, metadata }) => spec?.template && metadata.name === name,
  );
  return found!.spec!.template!.spec;
}

/** What the values of the chart make, without running any of it: the API server looks at the objects. */
export function valuesOfTheChart(given: () => KubernetesCluster): void {
  beforeAll(() => {
    cluster = given();
  });

  test('helm lint has nothing to say', async () => {
    expect(await cluster.helm('lint', '--strict', chartFolder)).toContain('0 chart(s) failed');
  });

  test.each([
    ['logLevl=debug', /'logLevl' not allowed/],
    ['gateway.replica=3', /'replica' not allowed/],
    ['trial.storage.sise=1Gi', /'sise' not allowed/],
    ['gateway.replicas=0', /minimum/],
    ['logLevel=loud', /'debug', 'info', 'warn', 'error'/],
  ])('%s is refused', async (value, reason) => {
    await expect(template(`--set=${value}`)).rejects.toThrow(reason);
  });

  test('a Postgres without a Kafka, and the reverse, is refused with what is missing', async () => {
    const [postgres, kafka] = apart as [string, string];
    await expect(template(postgres)).rejects.toThrow('kafka.brokers is not');
    await expect(template(kafka)).rejects.toThrow('postgres.secretName is not');
  });

  test('it can be part of another chart', async () => {
    await expect(template('--set=global.region=eu,enabled=true')).resolves.toContain(
      'glacis-suite',
    );
  });

  test('every option together is what the API server takes', async () => {
    const [routes, monitoring] = await Promise.all([
      goModule('sigs.k8s.io/gateway-api', 'v1.6.3'),
      goModule('github.com/prometheus-operator/prometheus-operator', 'v0.85.0'),
    ]);
    const folders = [
      join(routes, 'config/crd/standard'),
      join(monitoring, 'example/prometheus-operator-crd'),
    ];
    const wanted = /_(httproutes|tlsroutes|servicemonitors|prometheusrules)\.yaml$/;
    for (const folder of folders) {
      for (const file of (await readdir(folder)).filter((name) => wanted.test(name))) {
        await cluster.kubectl('apply', '--server-side', '-f', join(folder, file));
      }
    }
    await cluster.kubectl('wait', '--for=condition=Established', 'crds', '--all');
    const file = join(await temporaryFolder(), 'objects.yaml');
    await writeFile(file, await template('--values', options));
    const dryRun = ['apply', '--server-side', '--dry-run=server', '--validate=strict'];
    const taken = await cluster.kubectl(...dryRun, '-f', file);
    for (const kind of ['httproute', 'tlsroute', 'prometheusrule', 'ingress', 'networkpolicy']) {
      expect(taken).toContain(`${kind}.`);
    }
  });

  test('services apart keep the names of the Services that the trial has', async () => {
    const named = (all: Rendered[]): string[] =>
      all.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    const [trial, distributed] = await Promise.all([objects(), objects(...apart)]);
    expect(named(distributed)).toEqual(expect.arrayContaining(named(trial)));
  });

  test('each service has an account of its own, without a token, and its own key alone', async () => {
    for (const service of services) {
      const pod = await podOf(`glacis-${service}`, ...apart);
      expect(pod.serviceAccountName).toBe(`glacis-${service}`);
      const isGraphs = service === 'graph-apps';
      expect(pod.automountServiceAccountToken).toBe(isGraphs);
      const keys = [...JSON.stringify(pod).matchAll(/"key":"([^"]+)","path":"kek"/g)];
      expect(keys.map(([, key]) => key)).toEqual(isGraphs ? [] : [service]);
    }
  });

  test('parties as pods: jobs gets its token, and the address under which every replica answers', async () => {
    const pod = await podOf('glacis-jobs', ...apart, '--set=jobs.parties.provider=gcp');
    expect(pod.automountServiceAccountToken).toBe(true);
    expect(pod.containers[0]!.env).toEqual(
      expect.arrayContaining([
        { name: 'GLACIS_JOBS_AGENTS_URL', value: 'https://glacis-jobs.default.svc:5001' },
        { name: 'GLACIS_JOBS_KUBERNETES_PROVIDER', value: 'gcp' },
      ]),
    );
    const older = ['--kube-version=1.29.4', '--set=jobs.parties.provider=gcp'];
    await expect(template(...older)).rejects.toThrow('older than 1.30');
  });

  test('parties as pods: jobs has what images are pulled with as files, and no right to read Secrets', async () => {
    const given = '--set-json=image.pullSecrets=[{"name":"registry"},{"name":"mirror.example"}]';
    const pod = await podOf('glacis-jobs', ...apart, '--set=jobs.parties.provider=gcp', given);
    expect(pod.containers[0]!.env).toContainEqual({
      name: 'GLACIS_JOBS_KUBERNETES_PULL_SECRET_FILES',
      value: '/etc/glacis/parties-pull/registry,/etc/glacis/parties-pull/mirror.example',
    });
    const sources = ['registry', 'mirror.example'].map((name) => ({
      secret: { name, items: [{ key: '.dockerconfigjson', path: name }] },
    }));
    const volume = { name: 'parties-pull', projected: { defaultMode: 0o440, sources } };
    expect(pod.volumes).toContainEqual(volume);
    for (const [service, ...values] of [['jobs'], ['gateway', '--set=jobs.parties.provider=gcp']]) {
      const { volumes } = await podOf(`glacis-${service}`, ...apart, given, ...values);
      expect(volumes.map(({ name }) => name)).not.toContain('parties-pull');
    }
  });

  test('graphs.enabled=false leaves nothing of them but the REST of Apps', async () => {
    const left = await template('--set=graphs.enabled=false', ...apart);
    expect(left).not.toMatch(/rampart|WebhookConfiguration/i);
    expect(left).toContain('glacis-graph-apps');
  });

  test('graphs are served everywhere or not at all', async () => {
    await expect(template('--set=operator.namespaces={tees}')).rejects.toThrow(
      'graphs.enabled=false',
    );
  });

  test('graph-apps.md 5.1: what is registered of webhooks', async () => {
    const all = (await objects()) as (Rendered & { webhooks?: Webhook[] })[];
    const hooks = all.flatMap(({ webhooks = [] }) => webhooks);
    const facts = hooks.map(({ clientConfig, failurePolicy, sideEffects, timeoutSeconds }) =>
      [clientConfig.service.path, failurePolicy, sideEffects, timeoutSeconds].join(' '),
    );
    expect(facts.toSorted()).toEqual([
      '/mutate/ingress Ignore None 5',
      '/mutate/pod Fail None 10',
      '/validate Fail None 15',
    ]);
    for (const { clientConfig } of hooks) expect(clientConfig.service.name).toBe('glacis-webhooks');
  });

  test('a certificate of cert-manager for the webhooks', async () => {
    const given = ['certificate.secretName=hooks', 'certificate.injectFrom=glacis/hooks'];
    const values = given.map((value) => `--set=webhooks.${value}`);
    const [{ args } = { args: [] }] = (await podOf('glacis-webhooks', ...values)).containers;
    expect(args).toEqual(expect.arrayContaining(['--tls-crt', '/etc/glacis/webhooks/tls.crt']));
    const annotated = (await objects(...values)).filter(
      ({ metadata }) => metadata.annotations?.['cert-manager.io/inject-ca-from'] === 'glacis/hooks',
    );
    expect(annotated.map(({ kind }) => kind).toSorted()).toEqual([
      'CustomResourceDefinition',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ]);
  });

  test('what is given as environment goes before what the chart sets, once each', async () => {
    const { containers } = await podOf(
      'glacis-backends',
      ...apart,
      '--set-json=env=[{"name":"GLACIS_LOG_LEVEL","value":"warn"},{"name":"A","value":"1"}]',
      '--set-json=backends.env=[{"name":"A","value":"2"}]',
    );
    const { env } = containers[0]!;
    expect(env.filter(({ name }) => name === 'GLACIS_LOG_LEVEL')).toEqual([
      { name: 'GLACIS_LOG_LEVEL', value: 'warn' },
    ]);
    expect(env.filter(({ name }) => name === 'A')).toEqual([{ name: 'A', value: '2' }]);
  });

  test('names of objects hold in DNS, however long that of the release is', async () => {
    const name = 'a-release-with-a-name-of-the-greatest-length-allow53';
    const said = await cluster.helm(
      'template',
      name,
      chartFolder,
      '--kube-version=1.35.4',
      ...apart,
    );
    const names = parseAllDocuments(said)
      .map((document) => (document.toJS() as Rendered | null)?.metadata.name ?? '')
      // Those of roles in no namespace may be longer.
      .filter((each) => each && !each.includes(':'));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((each) => each.length > 63 || each.includes('--'))).toEqual([]);
  });
}
