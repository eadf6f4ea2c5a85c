import { generateKeyPairSync } from 'node:crypto';
import type { NewInstance } from '../compute-provider.js';
import { cloudInit, LINK_PORT } from '../machines/cloud-init.js';
import type { AzureMachineOptions } from './azure-compute.js';

/** The deployment, the machine, and everything else in the group. */
export const MACHINE = 'party';

/** Stands in what the machine is told where its public address belongs, which is known as soon as it is made. */
const ADDRESS = '@address@';

const idOf = (type: string, ...names: string[]): string =>
  `[resourceId('${type}', ${[MACHINE, ...names].map((name) => `'${name}'`).join(', ')})]`;

const ids = {
  rules: idOf('Microsoft.Network/networkSecurityGroups'),
  network: idOf('Microsoft.Network/virtualNetworks'),
  subnet: idOf('Microsoft.Network/virtualNetworks/subnets', MACHINE),
  address: idOf('Microsoft.Network/publicIPAddresses'),
  card: idOf('Microsoft.Network/networkInterfaces'),
};

/**
 * A machine with its network as one template, which the resource manager makes in the right order. What the machine is told
 * is a secure parameter: it is not kept with the deployment, as the token in it is secret.
 */
export function deploymentOf(
  options: AzureMachineOptions,
  instance: NewInstance,
): Record<string, unknown> {
  const told = cloudInit(instance, `echo ${ADDRESS}`);
  return {
    properties: {
      mode: 'Incremental',
      parameters: { told: { value: told } },
      template: {
        $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
        contentVersion: '1.0.0.0',
        parameters: { told: { type: 'secureString' } },
        resources: [...network(options), machine(options)],
      },
    },
  };
}

/** Links may come in, as addresses of peers in other clouds are not known before; who links is judged by its certificate. */
function network({ location }: AzureMachineOptions): Record<string, unknown>[] {
  const common = { apiVersion: '2024-05-01', name: MACHINE, location };
  const links = {
    name: 'links',
    properties: {
      priority: 100,
      direction: 'Inbound',
      access: 'Allow',
      protocol: 'Tcp',
      sourceAddressPrefix: 'Internet',
      sourcePortRange: '*',
      destinationAddressPrefix: '*',
      destinationPortRange: String(LINK_PORT),
    },
  };
  const subnet = {
    name: MACHINE,
    properties: { addressPrefix: '10.0.0.0/29', networkSecurityGroup: { id: ids.rules } },
  };
  const configuration = {
    name: MACHINE,
    properties: { subnet: { id: ids.subnet }, publicIPAddress: { id: ids.address } },
  };
  return [
    {
      type: 'Microsoft.Network/networkSecurityGroups',
      ...common,
      properties: { securityRules: [links] },
    },
    {
      type: 'Microsoft.Network/virtualNetworks',
      ...common,
      dependsOn: [ids.rules],
      properties: { addressSpace: { addressPrefixes: ['10.0.0.0/29'] }, subnets: [subnet] },
    },
    {
      type: 'Microsoft.Network/publicIPAddresses',
      ...common,
      sku: { name: 'Standard' },
      properties: { publicIPAllocationMethod: 'Static' },
    },
    {
      type: 'Microsoft.Network/networkInterfaces',
      ...common,
      dependsOn: [ids.network, ids.address],
      properties: { ipConfigurations: [configuration] },
    },
  ];
}

function machine(options: AzureMachineOptions): Record<string, unknown> {
  const { confidential, identity, image, location, type } = options;
  const user = 'glacis';
  const publicKeys = [{ path: `/home/${user}/.ssh/authorized_keys`, keyData: nobodysKey() }];
  const address = `reference(${ids.address.slice(1, -1)}).ipAddress`;
  return {
    type: 'Microsoft.Compute/virtualMachines',
    apiVersion: '2024-07-01',
    name: MACHINE,
    location,
    dependsOn: [ids.card],
    ...(identity && {
      identity: { type: 'UserAssigned', userAssignedIdentities: { [identity]: {} } },
    }),
    properties: {
      hardwareProfile: { vmSize: type },
      ...(confidential && {
        securityProfile: {
          securityType: 'ConfidentialVM',
          uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
        },
      }),
      storageProfile: {
        imageReference: { id: image },
        osDisk: {
          createOption: 'FromImage',
          deleteOption: 'Delete',
          ...(confidential && {
            managedDisk: { securityProfile: { securityEncryptionType: 'DiskWithVMGuestState' } },
          }),
        },
      },
      osProfile: {
        computerName: MACHINE,
        adminUsername: user,
        customData: `[base64(replace(parameters('told'), '${ADDRESS}', ${address}))]`,
        linuxConfiguration: { disablePasswordAuthentication: true, ssh: { publicKeys } },
      },
      networkProfile: { networkInterfaces: [{ id: ids.card }] },
    },
  };
}

/** Azure wants somebody to log in by ssh: nobody has the private key of this one, and its port is closed. */
function nobodysKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const parts = [Buffer.from('ssh-ed25519'), raw].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return `ssh-ed25519 ${Buffer.concat(parts).toString('base64')}`;
}
