import { missingDevice, nodeSelectorOf } from './device-request.js';
import { statefulSetOf, type StatefulSet } from './manifests.js';
import type { TeeManager, TeeManagerSpec } from './tee-manager.js';

const manager = (spec: Partial<TeeManagerSpec> = {}, annotations = {}): TeeManager => ({
  apiVersion: 'tee.glacis.dev/v1alpha1',
  kind: 'TeeManager',
  metadata: { name: 'host3', namespace: 'tee', uid: 'u', resourceVersion: '1', annotations },
  spec: {
    backend: { name: 'host3' },
    tee: 'none',
    protocol: 'seed',
    certificate: { ttl: '2160h', keyAlgorithm: 'ECDSA-P256' },
    ...spec,
  },
});
const workload = {
  replicas: 1,
  serial: '42',
  image: 'glacis:1',
  managerUrl: 'backends:7011',
  deviceOffered: true,
} as const;

type PodSpec = NonNullable<NonNullable<StatefulSet['spec']>['template']['spec']>;
const podOf = (of: TeeManager, deviceOffered = true): PodSpec =>
  statefulSetOf(of, { ...workload, deviceOffered }).spec?.template.spec as PodSpec;
function variables(of: TeeManager): Record<string, string | undefined> {
  const env = podOf(of).containers[0]?.env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

describe('the manifests', () => {
  it('backends.md 15.4: another certificate or restart wish is another template', () => {
    const set = statefulSetOf(manager({}, { 'tee.glacis.dev/restart': 'x' }), workload);
    expect(set.spec?.template.metadata?.annotations).toEqual({
      'tee.glacis.dev/certificate-serial': '42',
      'tee.glacis.dev/restart': 'x',
    });
    expect(set.metadata.ownerReferences).toMatchObject([{ uid: 'u', controller: true }]);
  });

  it('shows the Pod its certificate, key and roots, and never the key that waits for one', () => {
    const [tls] = podOf(manager()).volumes ?? [];
    expect(tls?.secret?.items?.map(({ key }) => key)).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
  });

  it.each([
    ['snp', 'true', 'true'],
    ['tdx', 'false', 'true'],
    ['none', 'false', 'false'],
  ] as const)('backends.md 15: tee %s sets the switches of the manager', (tee, snp, kvm) => {
    expect(variables(manager({ tee }))).toMatchObject({
      GLACIS_MANAGER_TEE: tee,
      MANAGER_QEMU_ENABLE_SEV_SNP: snp,
      MANAGER_QEMU_ENABLE_KVM: kvm,
    });
  });

  it('lets the spec have its way over what is not reserved', () => {
    const environment = [
      { name: 'MANAGER_QEMU_ENABLE_KVM', value: 'true' },
      { name: 'X', value: 'y' },
    ];
    const found = variables(manager({ environment }));
    expect(found).toMatchObject({ MANAGER_QEMU_ENABLE_KVM: 'true', X: 'y' });
    expect(found).toMatchObject({
      MANAGER_GRPC_URL: 'backends:7011',
      GLACIS_MANAGER_PROTOCOL: 'seed',
    });
  });

  it('backends.md 15: requests the device of the TEE where it is offered and the spec does not', () => {
    const device = 'sev-snp.amd.com/esids';
    const resources = { limits: { cpu: '2' } };
    const spec = manager({ tee: 'snp', resources });
    expect(podOf(spec).containers[0]?.resources).toEqual({
      limits: { cpu: '2', [device]: '1' },
      requests: { [device]: '1' },
    });
    expect(podOf(spec, false).containers[0]?.resources).toEqual(resources);
    const own = { tee: 'snp', resources: { limits: { [device]: '3' } } } as const;
    expect(missingDevice(own)).toBeUndefined();
    expect(podOf(manager(own)).containers[0]?.resources).toEqual(own.resources);
    expect(missingDevice({ tee: 'none' })).toBeUndefined();
  });

  it('backends.md 15: an empty selector means the hosts that node feature discovery marks', () => {
    const marked = { 'feature.node.kubernetes.io/cpu-security.tdx.enabled': 'true' };
    expect(nodeSelectorOf({ tee: 'tdx', nodeSelector: {} })).toEqual(marked);
    expect(nodeSelectorOf({ tee: 'tdx', nodeSelector: { a: 'b' } })).toEqual({ a: 'b' });
    expect(podOf(manager()).nodeSelector).toBeUndefined();
  });
});
