import { readFile } from 'node:fs/promises';
import { ProviderError } from '../../storage/provider-error.js';
import type { InstanceTags } from '../compute-provider.js';
import { namespaceOf, pullSecretName, type Of, type PartyPods } from './party-objects.js';

/**
 * A Secret for each file, read anew for each pod, as credentials of registries are replaced in place.
 * @throws {ProviderError} `invalid`
 */
export function pullSecrets(
  tags: InstanceTags,
  { pullSecretFiles = [] }: PartyPods,
): Promise<Of<'secrets'>[]> {
  const namespace = namespaceOf(tags.job, tags.party);
  const secrets = pullSecretFiles.map(async (file, index) => ({
    metadata: { name: pullSecretName(index), namespace },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': await textOf(file) },
  }));
  return Promise.all(secrets);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ProviderError('invalid', 'a file with pull secrets cannot be read', error);
  }
}
