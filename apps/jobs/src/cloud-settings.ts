import { choice, flag, optionalText, optionalUrl, setting, text, urls } from '@glacis/settings';
import { z } from 'zod';

const isolation = choice('nominal', 'account');

/** Where buckets of clouds lie, and by which credentials. */
export const storageSettings = {
  awsRegion: setting(
    optionalText,
    '',
    'Region of the buckets of aws; empty: aws has local buckets.',
  ),
  awsEndpoint: setting(optionalUrl, '', 'Address of a server that speaks S3; empty: that of AWS.'),
  awsJanitorProfile: setting(
    optionalText,
    '',
    'Profile of the AWS files whose role makes, lists and deletes buckets; empty: what the environment or the instance gives.',
  ),
  awsSignerProfile: setting(
    optionalText,
    '',
    'The same for the role that uploads are signed by, which may put objects only; empty: that of the janitor.',
  ),
  awsIsolation: setting(
    isolation,
    'nominal',
    '`account`: the roles are limited as `jobs.md` 10.3 says, and policies of buckets are left alone; `nominal`: one credential could reach everything.',
  ),
  awsPartyCredentialsFile: setting(
    optionalText,
    '',
    'With `account`, for parties that are processes: credentials file of AWS whose profile `default` may read in-buckets; only the agent opens it.',
  ),
  gcpProject: setting(
    optionalText,
    '',
    'Project of the buckets of gcp; empty: gcp has local buckets.',
  ),
  gcpLocation: setting(text, 'EUROPE-WEST1', 'Where the buckets of gcp lie.'),
  gcpEndpoint: setting(
    optionalUrl,
    '',
    'Address of a stand-in for Cloud Storage; empty: that of Google.',
  ),
  gcpJanitorKeyFile: setting(
    optionalText,
    '',
    'Key file of the service account that makes, lists and deletes buckets; empty: what the environment or the instance gives.',
  ),
  gcpSignerKeyFile: setting(
    optionalText,
    '',
    'The same for the one that uploads are signed by, which may create objects only; empty: that of the janitor.',
  ),
  gcpIsolation: setting(isolation, 'nominal', 'As GLACIS_JOBS_AWS_ISOLATION.'),
  gcpPartyKeyFile: setting(
    optionalText,
    '',
    'With `account`, for parties that are processes: key file of the service account that may read in-buckets; only the agent opens it.',
  ),
  azureEndpoints: setting(
    urls,
    '',
    'Storage accounts of azure, as `https://NAME.blob.core.windows.net`, one for each party; empty: azure has local buckets.',
  ),
  azureKeysFile: setting(
    optionalText,
    '',
    'File with the keys of the accounts, one a line in the same order; empty: the identity of the environment, and links that it delegates.',
  ),
  azureIsolation: setting(isolation, 'nominal', 'As GLACIS_JOBS_AWS_ISOLATION.'),
};

/** As `0.10 USD`; empty gives null. */
const price = z
  .string()
  .regex(/^(\d+(\.\d+)? [A-Z]{3})?$/, { error: 'expected a price such as 0.10 USD, or nothing' })
  .transform((input) => {
    const [amount, currency] = input.split(' ');
    return currency === undefined ? null : { amount: Number(amount), currency };
  });
const priceText = 'What an hour of such a machine costs, as `0.10 USD`; empty: it is not counted.';

/** Where parties run as machines of clouds (`jobs.md` 10.3). */
export const machineSettings = {
  machinesConfidential: setting(
    flag,
    'true',
    'Whether machines of parties are confidential ones (AMD SEV-SNP), which the type of machine has to offer.',
  ),
  awsMachineImage: setting(
    optionalText,
    '',
    'Machine image (AMI) of parties of aws, with this suite in /opt/glacis, Node, cloud-init, systemd and curl; empty: they run where the service does.',
  ),
  awsMachineType: setting(text, 'm6a.large', 'Instance type of parties of aws.'),
  awsMachineSubnet: setting(
    optionalText,
    '',
    'Subnet that machines of aws get their address in; empty: the default of the region.',
  ),
  awsMachineProfile: setting(
    optionalText,
    '',
    'Profile of the AWS files whose role makes and ends machines; empty: what the environment or the instance gives.',
  ),
  awsMachineIdentity: setting(
    optionalText,
    '',
    'With `account`: instance profile (name or ARN) of the role by which machines of aws read in-buckets.',
  ),
  awsMachineEndpoint: setting(
    optionalUrl,
    '',
    'Address of a server that speaks EC2; empty: that of AWS.',
  ),
  awsMachinePrice: setting(price, '', priceText),
  gcpMachineImage: setting(
    optionalText,
    '',
    'Image of parties of gcp, as `projects/P/global/images/I`, with the same in it; empty: they run where the service does.',
  ),
  gcpMachineType: setting(text, 'n2d-standard-2', 'Machine type of parties of gcp.'),
  gcpMachineZone: setting(text, 'europe-west1-b', 'Zone of the machines of gcp.'),
  gcpMachineNetwork: setting(
    text,
    'global/networks/default',
    'Network of the machines of gcp, one with a subnet in each region.',
  ),
  gcpMachineKeyFile: setting(
    optionalText,
    '',
    'Key file of the service account that makes and ends machines; empty: what the environment or the instance gives.',
  ),
  gcpMachineIdentity: setting(
    optionalText,
    '',
    'With `account`: e-mail address of the service account by which machines of gcp read in-buckets.',
  ),
  gcpMachineEndpoint: setting(
    optionalUrl,
    '',
    'Address of a stand-in for Compute Engine; empty: that of Google.',
  ),
  gcpMachinePrice: setting(price, '', priceText),
  azureMachineImage: setting(
    optionalText,
    '',
    'Resource id of the image of parties of azure, with the same in it; empty: they run where the service does.',
  ),
  azureMachineType: setting(text, 'Standard_DC2as_v5', 'Size of the machines of azure.'),
  azureMachineSubscription: setting(
    optionalText,
    '',
    'Subscription that machines of azure belong to.',
  ),
  azureMachineLocation: setting(text, 'westeurope', 'Where the machines of azure are.'),
  azureMachineIdentity: setting(
    optionalText,
    '',
    'With `account`: resource id of the managed identity by which machines of azure read in-buckets.',
  ),
  azureMachineEndpoint: setting(
    optionalUrl,
    '',
    'Address of the resource manager of another Azure cloud; empty: that of the public one.',
  ),
  azureMachinePrice: setting(price, '', priceText),
};
