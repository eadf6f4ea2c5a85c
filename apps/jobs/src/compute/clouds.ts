import type { Clock } from '@glacis/runtime';
import type { ProviderName } from '../jobs/job.entity.js';
import type { JobsSettings } from '../settings.js';
import { unset } from '../storage/clouds.js';
import type { ComputeProvider } from './compute-provider.js';

// The clients are large, and nobody pays for those of a cloud that is not set up: each is loaded here and nowhere else.

type Open = (settings: JobsSettings, clock: Clock) => Promise<ComputeProvider | undefined>;

/** Machines of a cloud, if their image is set. They keep nothing from attempt to attempt, so their buckets lie in a cloud too. */
export const machinesBy: Readonly<Record<ProviderName, Open>> = {
  aws: async (settings) => {
    const { awsMachineImage: image, awsRegion: region } = settings;
    const { awsMachineSubnet: subnet, awsMachineProfile: profile } = settings;
    const { awsMachineEndpoint: endpoint, awsMachineIdentity: identity } = settings;
    if (image === undefined)
      return unset({ subnet, profile, endpoint, identity }, 'AWS_MACHINE_IMAGE');
    if (region === undefined) return unset({ image }, 'AWS_REGION');
    const { openAwsCompute } = await import('./aws/aws-compute.js');
    const { awsMachineType: type, awsMachinePrice: price } = settings;
    const place = { region, subnet, profile, endpoint, identity };
    return openAwsCompute({ ...commonOf(settings), ...place, image, type, price });
  },

  gcp: async (settings, clock) => {
    const { gcpMachineImage: image, gcpProject: project } = settings;
    const { gcpMachineKeyFile: keyFile, gcpMachineEndpoint: endpoint } = settings;
    const { gcpMachineIdentity: identity } = settings;
    if (image === undefined) return unset({ keyFile, endpoint, identity }, 'GCP_MACHINE_IMAGE');
    if (project === undefined) return unset({ image }, 'GCP_PROJECT');
    const { openGcpCompute } = await import('./gcp/gcp-compute.js');
    const { gcpMachineType: type, gcpMachinePrice: price } = settings;
    const { gcpMachineZone: zone, gcpMachineNetwork: network } = settings;
    const place = { project, zone, network, keyFile, endpoint, identity };
    return openGcpCompute({ ...commonOf(settings), ...place, image, type, price }, clock);
  },

  azure: async (settings) => {
    const { azureMachineImage: image, azureMachineSubscription: subscription } = settings;
    const { azureMachineEndpoint: endpoint, azureEndpoints: accounts } = settings;
    const { azureMachineIdentity: identity } = settings;
    if (image === undefined)
      return unset({ subscription, endpoint, identity }, 'AZURE_MACHINE_IMAGE');
    if (subscription === undefined) return unset({ image }, 'AZURE_MACHINE_SUBSCRIPTION');
    if (accounts.length === 0) return unset({ image }, 'AZURE_ENDPOINTS');
    const { openAzureCompute } = await import('./azure/azure-compute.js');
    const { azureMachineType: type, azureMachinePrice: price } = settings;
    const place = { subscription, location: settings.azureMachineLocation, endpoint, identity };
    return openAzureCompute({ ...commonOf(settings), ...place, image, type, price });
  },
};

const commonOf = ({
  bucketPrefix: installation,
  machinesConfidential: confidential,
}: JobsSettings): { installation: string; confidential: boolean } => ({
  installation,
  confidential,
});
