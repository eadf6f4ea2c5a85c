import { appendFile, chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from './api-client.js';
import type { KubernetesClients } from './clients.js';
import { makeIdentity, type IdentityPlace } from './identity.js';
import { grantAll } from './rights.js';
import {
  storageClasses,
  volumesToMake,
  volumesToRemove,
  type Claim,
  type Volume,
} from './volumes.js';

const user = 'glacis:storage';
const intervalMs = 500;
const [claimsPath, volumesPath] = ['/api/v1/persistentvolumeclaims', '/api/v1/persistentvolumes'];

/**
 * Gives folders of the machine to claims of the default storage class, which every node sees, and removes them with
 * their claims. It looks twice a second, as the API server of a test comes and goes.
 * @returns ends it
 */
export async function startStorage(
  place: IdentityPlace,
  clients: KubernetesClients,
): Promise<() => Promise<void>> {
  const rights = grantAll(user, [
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['list'] },
    { apiGroups: [''], resources: ['persistentvolumes'], verbs: ['list', 'create', 'delete'] },
  ]);
  await clients.apply(...rights, ...storageClasses);
  const api = new ApiClient(await makeIdentity(place, user, []));
  const log = join(place.folder, 'storage.log');
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await provision(api, join(place.folder, 'volumes')).catch((error: Error) =>
        appendFile(log, `${error.message}\n`),
      );
      await sleep(intervalMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
    api.close();
  };
  const ended = look();
  return () => {
    ending.abort();
    return ended;
  };
}

async function provision(api: ApiClient, folder: string): Promise<void> {
  const list = async <T>(path: string): Promise<T[]> =>
    (await api.call<{ items: T[] }>('GET', path)).items;
  const [claims, volumes] = await Promise.all([list<Claim>(claimsPath), list<Volume>(volumesPath)]);
  for (const volume of volumesToMake(claims, volumes, folder)) {
    const path = folderOf(volume);
    await mkdir(path, { recursive: true });
    // For whichever user the pods run as: kubelet leaves the rights of such volumes alone.
    await chmod(path, 0o777);
    await api.call('POST', volumesPath, volume);
  }
  for (const { volume, withFolder } of volumesToRemove(volumes)) {
    if (withFolder) await rm(folderOf(volume), { recursive: true, force: true });
    await api.call('DELETE', `${volumesPath}/${volume.metadata.name}`);
  }
}

const folderOf = ({ spec }: Volume): string => spec.hostPath?.path ?? '';
