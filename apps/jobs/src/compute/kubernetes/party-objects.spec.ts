import type { NewInstance } from '../compute-provider.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { agentSecret, namespaceOf, networkPolicy, partyPod } from './party-objects.js';
import { pullSecrets } from './pull-secrets.js';

const now = new Date('2026-11-22T08:00:00Z');
const instance = (coordinator: string): NewInstance => ({
  tags: { job: 'job', party: 2, attempt: 3, expires: new Date('2026-11-22T09:00:00Z') },
  runId: 'run',
  token: 'a token',
  config: { coordinator, coordinator_ca: 'pem' },
});

test('jobs.md 10.3: peers may come in; out go links and calls of the coordinator', () => {
  const { spec } = networkPolicy(instance('https://10.0.0.7:5001'));
  const peers = [{ namespaceSelector: { matchLabels: { 'glacis-job': 'job' } } }];
  const link = [{ protocol: 'TCP', port: 7443 }];
  const dns = { ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) };
  expect(spec).toMatchObject({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  expect(spec?.ingress).toEqual([{ from: peers, ports: link }]);
  expect(spec?.egress).toEqual([
    { to: peers, ports: link },
    { to: [{ ipBlock: { cidr: '10.0.0.7/32' } }], ports: [{ protocol: 'TCP', port: 5001 }] },
  ]);
  expect(networkPolicy(instance('https://jobs.example:443')).spec?.egress).toEqual([
    { to: peers, ports: link },
    { ports: [{ protocol: 'TCP', port: 443 }] },
    dns,
  ]);
  const namespace = { matchLabels: { 'kubernetes.io/metadata.name': 'glacis' } };
  expect(networkPolicy(instance('https://jobs.glacis.svc:5001')).spec?.egress).toEqual([
    { to: peers, ports: link },
    { to: [{ namespaceSelector: namespace }], ports: [{ protocol: 'TCP', port: 5001 }] },
    dns,
  ]);
});

test('jobs.md 9: a pod ends by itself, and its token is in no argument', () => {
  const pod = partyPod(
    instance('https://10.0.0.7:5001'),
    { installation: 'glacis', image: 'glacis' },
    now,
  );
  expect(pod.metadata.namespace).toBe(namespaceOf('job', 2));
  expect(pod.spec).toMatchObject({
    activeDeadlineSeconds: 3600,
    automountServiceAccountToken: false,
    restartPolicy: 'Never',
  });
  expect(JSON.stringify(pod)).not.toContain('a token');
  const secret = agentSecret(instance('https://10.0.0.7:5001'));
  expect(JSON.parse(secret.stringData?.['agent.json'] ?? '')).toMatchObject({
    coordinator: 'https://10.0.0.7:5001',
    listen_host: '0.0.0.0',
    life_line: false,
  });
});

test('the image is pulled with what each file holds as the pod is made', async () => {
  const folder = await temporaryFolder();
  const pullSecretFiles = ['registry', 'mirror'].map((name) => join(folder, name));
  const pods = { installation: 'glacis', image: 'glacis', pullSecretFiles };
  const { tags } = instance('https://10.0.0.7:5001');
  await expect(pullSecrets(tags, pods)).rejects.toMatchObject({ code: 'invalid' });
  for (const file of pullSecretFiles) await writeFile(file, `{"auths":{"${file}":{}}}`);
  const secrets = await pullSecrets(tags, pods);
  expect(secrets).toMatchObject(
    pullSecretFiles.map((file) => ({
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': `{"auths":{"${file}":{}}}` },
    })),
  );
  const { metadata, spec } = partyPod(instance('https://10.0.0.7:5001'), pods, now);
  const named = spec?.imagePullSecrets?.map(({ name }) => [name, metadata.namespace]);
  expect(named).toEqual(secrets.map(({ metadata: { name, namespace } }) => [name, namespace]));
});
