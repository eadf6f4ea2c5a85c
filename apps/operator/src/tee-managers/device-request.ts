import type { ResourceRequirements } from '@glacis/kube';
import type { Tee, TeeManagerSpec } from './tee-manager.js';

/** What device plug-ins call a place for a guest of each kind. */
const devices: Record<Tee, string | undefined> = {
  snp: 'sev-snp.amd.com/esids',
  tdx: 'tdx.intel.com/keys',
  none: undefined,
};

/** By what node feature discovery marks hosts that could. It is no capacity and no proof. */
const features: Record<Tee, Record<string, string>> = {
  snp: { 'feature.node.kubernetes.io/cpu-security.sev.snp.enabled': 'true' },
  tdx: { 'feature.node.kubernetes.io/cpu-security.tdx.enabled': 'true' },
  none: {},
};

type Spec = Pick<TeeManagerSpec, 'tee' | 'nodeSelector' | 'resources'>;

/** The nodes that its Pod may run on. */
export function nodeSelectorOf({ tee, nodeSelector = {} }: Spec): Record<string, string> {
  return Object.keys(nodeSelector).length > 0 ? nodeSelector : features[tee];
}

/** The device of the TEE that the spec leaves to us to request; undefined: there is none, or it says so itself. */
export function missingDevice({ tee, resources = {} }: Spec): string | undefined {
  const device = devices[tee];
  if (device === undefined) return undefined;
  const { limits = {}, requests = {} } = resources;
  return device in limits || device in requests ? undefined : device;
}

/** The resources of the spec, and one of the device beside them. */
export function withDevice(
  resources: ResourceRequirements | undefined,
  device: string | undefined,
): ResourceRequirements | undefined {
  if (device === undefined) return resources;
  const one = { [device]: '1' };
  return {
    limits: { ...resources?.limits, ...one },
    requests: { ...resources?.requests, ...one },
  };
}
