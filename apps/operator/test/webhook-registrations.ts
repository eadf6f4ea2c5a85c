import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubernetesCluster } from '@glacis/testbed/cluster';
import { parse } from 'yaml';
import { rampartGraphDefinition } from '../src/index.js';
import { WebhookProcess } from './webhook-process.js';

/** The committed files of Kubernetes. */
export const k8s = fileURLToPath(new URL('../../../k8s', import.meta.url));
const user = 'glacis-webhooks';
const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';

/** The registrations of 5.1, by URL. */
export function registrations(webhooks: WebhookProcess): object[] {
  const webhook = (name: string, path: string, rest: object): object => ({
    name: `${name}.rampart.petuum.com`,
    clientConfig: webhooks.clientConfig(path),
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    ...rest,
  });
  const rule = (apiGroup: string, version: string, resource: string, ...operations: string[]) => ({
    apiGroups: [apiGroup],
    apiVersions: [version],
    resources: [resource],
    operations,
  });
  const namespaceSelector = { matchLabels: { 'controlled-by-rampart': 'true' } };
  const configuration = (kind: string, ...items: object[]): object => ({
    apiVersion: `${admission}/v1`,
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: 'glacis-graphs' },
    webhooks: items,
  });
  return [
    configuration(
      'Validating',
      webhook('graphs', '/validate', {
        rules: [rule('rampart.petuum.com', 'v1beta2', 'rampartgraphs', 'CREATE', 'UPDATE')],
        matchPolicy: 'Equivalent',
        failurePolicy: 'Fail',
        timeoutSeconds: 15,
      }),
    ),
    configuration(
      'Mutating',
      webhook('pods', '/mutate/pod', {
        rules: [rule('', 'v1', 'pods', 'CREATE')],
        namespaceSelector,
        objectSelector: {
          matchExpressions: [{ key: 'rampart-disable-edges', operator: 'DoesNotExist' }],
        },
        failurePolicy: 'Fail',
        timeoutSeconds: 10,
      }),
      webhook('routes', '/mutate/ingress', {
        rules: [rule('networking.k8s.io', 'v1', 'ingresses', 'CREATE', 'UPDATE')],
        namespaceSelector,
        failurePolicy: 'Ignore',
        timeoutSeconds: 5,
      }),
    ),
  ];
}

/** The definition as it is committed, but that conversion is found by URL. */
export function definition(webhooks: WebhookProcess): object {
  const { spec, ...rest } = rampartGraphDefinition as { spec: object };
  const clientConfig = webhooks.clientConfig('/conversion');
  const webhook = { clientConfig, conversionReviewVersions: ['v1', 'v1beta1'] };
  return { ...rest, spec: { ...spec, conversion: { strategy: 'Webhook', webhook } } };
}

/** The kubeconfig of somebody with the committed rights. */
export async function webhookUser(cluster: KubernetesCluster): Promise<string> {
  const role = parse(await readFile(join(k8s, 'rbac/webhooks.yaml'), 'utf8')) as object;
  await cluster.apply(role, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: user },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: user },
    subjects: [{ kind: 'User', name: user, apiGroup: rbac }],
  });
  return (await cluster.user(user)).file;
}
