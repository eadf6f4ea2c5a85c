// The operator as a process of its own, as a user who may do what the committed rules say.
import { readFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Daemon, freePort } from '@glacis/testbed/cluster';
import { parseAllDocuments } from 'yaml';

const user = 'glacis-operator';
const rbac = 'rbac.authorization.k8s.io';

/** @param rules names of files in k8s/rbac @returns the kubeconfig of the user, in whose namespace `default` it runs */
export async function operatorUser(cluster, rules) {
  const texts = await Promise.all(rules.map((name) => readFile(`k8s/rbac/${name}.yaml`, 'utf8')));
  const roles = texts.flatMap((text) => parseAllDocuments(text)).map((each) => each.toJS());
  const bindings = roles.map(({ kind, metadata }) => ({
    apiVersion: `${rbac}/v1`,
    kind: `${kind}Binding`,
    metadata: { ...metadata, namespace: 'default' },
    roleRef: { apiGroup: rbac, kind, name: metadata.name },
    subjects: [{ kind: 'User', name: user, apiGroup: rbac }],
  }));
  for (const { metadata } of roles) metadata.namespace = 'default';
  await cluster.apply(...roles, ...bindings);
  return (await cluster.user(user)).file;
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
