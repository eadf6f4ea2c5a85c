import { readFile } from 'node:fs/promises';
import { ClusterIndex, validateReview } from '@glacis/graphs';
import { credentialFiles, validating, WebhookServer } from '@glacis/kube';
import { createLogger, Metrics } from '@glacis/observability';
import { temporaryFolder } from '@glacis/testbed';
import { makeCertificateAuthority, type KubernetesCluster } from '@glacis/testbed/cluster';

/** A webhook of the rules of graphs, registered at the cluster. */
export async function startGraphRules(cluster: KubernetesCluster): Promise<WebhookServer> {
  const authority = await makeCertificateAuthority(await temporaryFolder(), '/CN=webhooks');
  const { cert, key } = await authority.issue('webhook', '/CN=webhook', ['IP:127.0.0.1']);
  const view = new ClusterIndex({ kafkaConfigured: false });
  view.ready = true;
  const validate = validating((request) => validateReview(request, view, String));
  const webhooks = new WebhookServer({
    host: '127.0.0.1',
    port: 0,
    hooks: { '/validate': validate },
    certificate: credentialFiles({ cert, key, ca: authority.cert }),
    drainMs: 0,
    logger: createLogger({ name: 'webhooks', level: 'error' }),
    metrics: new Metrics(),
  });
  await webhooks.start();
  const { port } = webhooks;
  const caBundle = (await readFile(authority.cert)).toString('base64');
  const [group, version] = ['rampart.petuum.com', 'v1beta2'];
  await cluster.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'graphs' },
    webhooks: [
      {
        name: 'graphs.rampart.petuum.com',
        clientConfig: { url: `https://127.0.0.1:${port}/validate`, caBundle },
        rules: [
          {
            apiGroups: [group],
            apiVersions: [version],
            operations: ['CREATE', 'UPDATE'],
            resources: ['rampartgraphs'],
          },
        ],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  return webhooks;
}
