import { createHash } from 'node:crypto';
import { keyOf, type ApplyOptions, type Draft, type KubeObject } from '@glacis/kube';
import { contains } from './contains.js';
import { notes } from './tee-manager.js';

interface Client<T extends KubeObject> {
  type: { plural: string };
  apply(object: Draft<T>, options: ApplyOptions): Promise<T>;
}

/**
 * What has been applied, so that nothing is sent that changes nothing. An object that stands as this process has left it
 * is done with; at the first look after a start it is, if it was made of the same manifest and still says all of it.
 */
export class Applied {
  private readonly versions = new Map<string, string>();

  /**
   * Applies the manifest unless it is there unchanged.
   * @param there the object as it is known; undefined: there is none
   */
  async ensure<T extends KubeObject>(
    client: Client<T>,
    manifest: Draft<T>,
    there: T | undefined,
  ): Promise<void> {
    const key = `${client.type.plural}/${keyOf({ namespace: '', ...manifest.metadata })}`;
    const wanted = withHash(manifest);
    const hash = hashIn(wanted.metadata);
    if (there && hashIn(there.metadata) === hash) {
      const known = this.versions.get(key);
      const version = versionOf(there);
      if (known === version) return;
      if (known === undefined && contains(there, wanted)) {
        this.versions.set(key, version);
        return;
      }
    }
    const object = await client.apply(wanted, { fieldManager: 'glacis-operator' });
    this.versions.set(key, versionOf(object));
  }

  /** Of a TeeManager that is gone. */
  forget(manager: string): void {
    for (const plural of ['services', 'statefulsets']) this.versions.delete(`${plural}/${manager}`);
  }
}

function withHash<T extends KubeObject>(manifest: Draft<T>): Draft<T> {
  const hash = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
  const annotations = { ...manifest.metadata.annotations, [notes.manifest]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

const hashIn = ({ annotations }: Draft<KubeObject>['metadata']): string | undefined =>
  annotations?.[notes.manifest];

/** The generation moves with the spec alone; objects without one have nothing else that moves. */
const versionOf = ({ metadata: { uid, generation, resourceVersion } }: KubeObject): string =>
  `${uid} ${generation ?? resourceVersion}`;
