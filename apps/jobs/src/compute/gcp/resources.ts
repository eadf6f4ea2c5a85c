import type { NewInstance } from '../compute-provider.js';
import { cloudInit, LINK_PORT } from '../machines/cloud-init.js';
import { nameOf, writeMachineTags } from '../machines/machine-tags.js';
import type { GcpMachineOptions } from './gcp-compute.js';

const metadata = 'http://metadata.google.internal/computeMetadata/v1/instance';
const externalIp = `${metadata}/network-interfaces/0/access-configs/0/external-ip`;
const address = `curl -sfH 'Metadata-Flavor: Google' ${externalIp}`;

const networkOf = ({ network = 'global/networks/default' }: GcpMachineOptions): string => network;

/** Rules have no labels: whose one is stands in its description. */
export const ownerOf = ({ installation }: GcpMachineOptions, job: string): string =>
  `${installation} ${job}`;

/**
 * Links may come in, as addresses of peers in other clouds are not known before; who links is judged by its certificate.
 */
export const firewallOf = (
  options: GcpMachineOptions,
  { runId, tags }: NewInstance,
): Record<string, unknown> => ({
  name: nameOf(runId),
  description: ownerOf(options, tags.job),
  network: networkOf(options),
  direction: 'INGRESS',
  sourceRanges: ['0.0.0.0/0'],
  targetTags: [nameOf(runId)],
  allowed: [{ IPProtocol: 'tcp', ports: [String(LINK_PORT)] }],
});

/** What a machine may use its service account for, whatever that may do. */
const readOnly = 'https://www.googleapis.com/auth/devstorage.read_only';

/** Seconds; Compute Engine takes no less. */
const shortestLife = 30;

/** Ends itself: Compute Engine deletes it at the latest after the time that it was asked for. */
export function machineOf(
  options: GcpMachineOptions,
  instance: NewInstance,
  now: Date,
): Record<string, unknown> {
  const { confidential, identity, image, installation, type, zone } = options;
  const { runId, tags } = instance;
  const lifeMs = tags.expires.getTime() - now.getTime();
  return {
    name: nameOf(runId),
    machineType: `zones/${zone}/machineTypes/${type}`,
    labels: writeMachineTags(installation, instance),
    tags: { items: [nameOf(runId)] },
    metadata: { items: [{ key: 'user-data', value: cloudInit(instance, address) }] },
    disks: [{ boot: true, autoDelete: true, initializeParams: { sourceImage: image } }],
    networkInterfaces: [
      { network: networkOf(options), accessConfigs: [{ type: 'ONE_TO_ONE_NAT' }] },
    ],
    ...(identity && { serviceAccounts: [{ email: identity, scopes: [readOnly] }] }),
    ...(confidential && {
      confidentialInstanceConfig: {
        enableConfidentialCompute: true,
        confidentialInstanceType: 'SEV_SNP',
      },
    }),
    scheduling: {
      automaticRestart: false,
      onHostMaintenance: 'TERMINATE',
      instanceTerminationAction: 'DELETE',
      maxRunDuration: { seconds: Math.max(shortestLife, Math.ceil(lifeMs / 1000)) },
    },
  };
}
