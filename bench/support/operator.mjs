// The operator as a process of its own that reaches the cluster as its pod does: by a service account, with the committed rules.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Daemon, freePort } from '@glacis/testbed/cluster';
import { parse, parseAllDocuments } from 'yaml';

export const account = { kind: 'ServiceAccount', name: 'glacis-operator', namespace: 'default' };
const user = `system:serviceaccount:${account.namespace}:${account.name}`;
const rbac = 'rbac.authorization.k8s.io';

/**
 * @param folder for what a kubelet mounts
 * @param rules names of files in k8s/rbac
 * @returns the environment of a program with the account, and a kubeconfig with it for helm, which knows of no other root
 */
export async function operatorAccount(cluster, folder, rules) {
  const texts = await Promise.all(rules.map((name) => readFile(`k8s/rbac/${name}.yaml`, 'utf8')));
  const roles = texts.flatMap((text) => parseAllDocuments(text)).map((each) => each.toJS());
  const bindings = roles.map(({ kind, metadata }) => ({
    apiVersion: `${rbac}/v1`,
    kind: `${kind}Binding`,
    metadata: { ...metadata, namespace: 'default' },
    roleRef: { apiGroup: rbac, kind, name: metadata.name },
    subjects: [account],
  }));
  for (const { metadata } of roles) metadata.namespace = 'default';
  const { kind, ...metadata } = account;
  await cluster.apply({ apiVersion: 'v1', kind, metadata }, ...roles, ...bindings);
  return mounted(cluster, folder);
}

/** The files of the account under a root, which Telepresence names by the same variable, and the address of the API server. */
async function mounted(cluster, root) {
  const config = parse(await readFile(cluster.admin.file, 'utf8'));
  const [{ cluster: reached }] = config.clusters;
  const token = await cluster.kubectl('create', 'token', account.name, '--duration=24h');
  const files = {
    namespace: account.namespace,
    token,
    'ca.crt': Buffer.from(reached['certificate-authority-data'], 'base64'),
  };
  const place = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
  await mkdir(place, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
  const users = config.users.map(({ name }) => ({ name, user: { token: token.trim() } }));
  const kubeconfig = join(root, 'kubeconfig');
  await writeFile(kubeconfig, JSON.stringify({ ...config, users }));
  const { hostname, port } = new URL(reached.server);
  const env = {
    TELEPRESENCE_ROOT: root,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  return { env, kubeconfig };
}

/** `sumOf` adds up the series of a metric whose labels contain a text. */
export async function operatorProcess(folder, env) {
  const port = await freePort();
  const daemon = new Daemon({
    name: 'the operator',
    file: process.execPath,
    args: [join(process.cwd(), 'apps/operator/dist/main.js')],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      GLACIS_NAMESPACE: 'default',
      GLACIS_OPERATOR_HTTP_PORT: port,
      ...env,
    },
    logFile: join(folder, 'operator.log'),
    ready: (log) => log.includes('operator has started'),
  });
  const sumOf = async (metric, labels = '') => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const series = text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
    return [...series]
      .filter(([, found = '']) => found.includes(labels))
      .reduce((sum, [, , value]) => sum + Number(value), 0);
  };
  return { daemon, sumOf, reconciles: () => sumOf('glacis_kube_reconciles_total') };
}

const verbs = new Set(['create', 'update', 'patch', 'delete']);

/** What the operator has asked for between two moments, but for watches, which last, and the Lease by which it leads. */
export async function operatorRequests({ address: { auditLog } }, from, to) {
  const found = [];
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    if (!line.includes(`"${user}"`) || !line.endsWith('}')) continue;
    const event = JSON.parse(line);
    const at = Date.parse(event.requestReceivedTimestamp);
    const isWork = event.verb !== 'watch' && event.objectRef?.resource !== 'leases';
    if (isWork && event.user.username === user && at >= from && at < to) found.push(event);
  }
  return found;
}

/** What it has written of that. */
export async function operatorWrites(cluster, from, to) {
  const requests = await operatorRequests(cluster, from, to);
  return requests.filter(({ verb }) => verbs.has(verb));
}
