// Parties as pods on a real node, each in a namespace of its own that enforces Pod Security restricted.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { enrolRequest, type EnrolRequest } from '@glacis/contracts';
import { ApiServer, openAccess } from '@glacis/kube';
import type { TlsCredentials } from '@glacis/grpc';
import { systemClock, waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { sharedCluster, type SharedCluster } from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { listenerCredentials } from '../src/agents/listener-credentials.js';
import type { Instance, NewInstance } from '../src/compute/compute-provider.js';
import { KubernetesCompute } from '../src/compute/kubernetes/kubernetes-compute.js';
import { namespaceOf } from '../src/compute/kubernetes/party-objects.js';

// The first run on a machine builds Kubernetes and the image.
jest.setTimeout(3_600_000);

const call = { timeoutMs: 120_000 };
const job = randomUUID();
const namespace = namespaceOf(job, 1);
let cluster: SharedCluster;
let compute: KubernetesCompute;
let coordinator: Server;
let credentials: TlsCredentials;
let address: string;
let pullSecretFile: string;
/** What agents have enrolled with; none is answered, so that they stay. */
const enrolled: EnrolRequest[] = [];

beforeAll(async () => {
  cluster = await sharedCluster();
  address = cluster.own?.nodes?.machineAddress ?? '127.0.0.1';
  credentials = await listenerCredentials(randomBytes(32), [address]);
  const { key, cert } = credentials;
  coordinator = createServer({ key, cert }, (request) => {
    void json(request).then((body) => enrolled.push(enrolRequest.parse(body)));
  });
  coordinator.listen(0, address);
  await once(coordinator, 'listening');
  pullSecretFile = join(await temporaryFolder(), 'registry');
  await writeFile(pullSecretFile, '{"auths":{}}');
  compute = computeOf('this');
});
afterAll(async () => {
  await compute?.forget(job);
  coordinator?.closeAllConnections();
  coordinator?.close();
});

function computeOf(installation: string): KubernetesCompute {
  const connect = async (): Promise<ApiServer> =>
    new ApiServer(await openAccess({ kubeconfig: cluster.kubeconfig }));
  const { image } = cluster;
  const pods = { installation, image, pullSecretFiles: [pullSecretFile] };
  return new KubernetesCompute(connect, pods, systemClock);
}

const wish = (attempt: number): NewInstance => ({
  tags: { job, party: 1, attempt, expires: new Date(Date.now() + 600_000) },
  runId: randomUUID(),
  token: randomBytes(32).toString('base64url'),
  config: {
    coordinator: `https://${address}:${(coordinator.address() as AddressInfo).port}`,
    coordinator_ca: credentials.ca.toString(),
  },
});

const get = async (...args: string[]): Promise<string> =>
  (await cluster.kubectl('get', '-n', namespace, ...args)).trim();
const enrolment = (token: string): Promise<EnrolRequest> =>
  waitFor(() => enrolled.find((each) => each.token === token), {
    deadlineMs: 300_000,
    what: 'an agent to enrol',
  });

/** An agent may enrol before its kubelet has said that the pod runs. */
const up = ({ ref }: Instance): Promise<Instance> =>
  waitFor(
    async () => {
      const instance = await compute.describe(ref);
      return instance?.state === 'up' && instance;
    },
    { deadlineMs: 60_000, what: 'the pod to be told as up' },
  );

test('jobs.md 10.3: a party is one pod in its own namespace, found, ended and begun again with its keys', async () => {
  const first = wish(1);
  const instance = await compute.ensureInstance(first);
  const again = await compute.ensureInstance(first);
  expect(again.ref).toEqual(instance.ref);
  const { mac_key: macKey } = await enrolment(first.token);
  expect(await up(instance)).toMatchObject({ runId: first.runId });
  await expect(compute.ensureInstance(wish(1))).rejects.toMatchObject({ code: 'exists' });
  expect(await compute.listByTag({ job })).toMatchObject([{ ref: instance.ref, tags: first.tags }]);
  expect(await computeOf('other').listByTag({})).toEqual([]);

  expect(await get('pods', '-o', 'name')).toBe('pod/party');
  expect(await get('networkpolicies', '-o', 'name')).toContain('/party');
  const spec = JSON.parse(await get('pod', 'party', '-o', 'jsonpath={.spec}')) as {
    volumes: { name: string }[];
    automountServiceAccountToken: boolean;
  };
  expect(spec.automountServiceAccountToken).toBe(false);
  expect(spec.volumes.map(({ name }) => name)).toEqual(['keys', 'agent']);
  expect(await get('pod', 'party', '-o', 'jsonpath={.spec.imagePullSecrets}')).toContain('pull-0');
  const types = '-o=jsonpath={range .items[*]}{.metadata.name} {.type};{end}';
  expect(await get('secrets', types)).toBe('party Opaque;pull-0 kubernetes.io/dockerconfigjson;');
  const inPod = (...command: string[]): Promise<string> =>
    cluster.kubectl('exec', '-n', namespace, 'party', '--', ...command);
  expect((await inPod('stat', '-c', '%u', '/proc/1')).trim()).toBe('65532');
  expect((await inPod('stat', '-c', '%a', '/party/mac.key')).trim()).toBe('600');

  await compute.terminate(instance.ref, call);
  expect(await compute.describe(instance.ref)).toBeUndefined();
  expect(await get('secrets', types)).toBe('');
  await compute.terminate(instance.ref, call);
  const second = wish(2);
  const other = await compute.ensureInstance(second);
  expect((await enrolment(second.token)).mac_key).toBe(macKey);
  // Of what has been ended nothing ends the next one.
  await compute.terminate(instance.ref, call);
  expect(await up(other)).toMatchObject({ runId: second.runId });

  await compute.terminate(other.ref, call);
  await compute.forget(job);
  const gone = async (): Promise<boolean> =>
    (await cluster.kubectl('get', 'namespaces', '-l', `glacis-job=${job}`, '-o', 'name')).trim() ===
    '';
  await waitFor(gone, { deadlineMs: 300_000, everyMs: 500, what: 'the namespace to go' });
});
