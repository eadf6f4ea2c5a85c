import type { EnvVar } from '@glacis/kube';
import type { Tee, TeeManagerSpec } from './tee-manager.js';
import { files } from './tls-secret.js';

export const tlsFolder = '/etc/glacis/tls';
export const stateFolder = '/var/lib/glacis-manager';
export const temporaryFolder = '/tmp';
export const httpPort = 7003;

const hardware: Record<Tee, { snp: boolean; kvm: boolean }> = {
  snp: { snp: true, kvm: true },
  tdx: { snp: false, kvm: true },
  none: { snp: false, kvm: false },
};

/**
 * The variables of the manager (`backends.md` 14): those of the TEE and some of our own, over which the spec has its way,
 * and those that are ours alone.
 * @param managerUrl `host:port` that it dials
 */
export function managerEnvironment(spec: TeeManagerSpec, managerUrl: string): EnvVar[] {
  const variables = new Map<string, EnvVar>();
  const { snp, kvm } = hardware[spec.tee];
  const ours = {
    MANAGER_QEMU_ENABLE_SEV: 'false',
    MANAGER_QEMU_ENABLE_SEV_SNP: String(snp),
    MANAGER_QEMU_ENABLE_KVM: String(kvm),
    MANAGER_QEMU_TMP_FILE_LOC: temporaryFolder,
    // There is no collector on localhost of a Pod.
    COCOS_JAEGER_URL: '',
  };
  const reserved = {
    MANAGER_GRPC_URL: managerUrl,
    MANAGER_GRPC_CLIENT_CERT: `${tlsFolder}/${files.certificate}`,
    MANAGER_GRPC_CLIENT_KEY: `${tlsFolder}/${files.key}`,
    MANAGER_GRPC_SERVER_CA_CERTS: `${tlsFolder}/${files.roots}`,
    GLACIS_MANAGER_PROTOCOL: spec.protocol,
    GLACIS_MANAGER_TEE: spec.tee,
    GLACIS_MANAGER_HTTP_PORT: String(httpPort),
    GLACIS_MANAGER_STATE_DIR: stateFolder,
  };
  const put = (variable: EnvVar): unknown => variables.set(variable.name, variable);
  const putAll = (values: Record<string, string>): void =>
    Object.entries(values).forEach(([name, value]) => put({ name, value }));
  putAll(ours);
  spec.environment?.forEach(put);
  putAll(reserved);
  return [...variables.values()];
}
