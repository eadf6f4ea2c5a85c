import { createHash } from 'node:crypto';
import { keyOf, type ApplyOptions, type Draft, type KubeObject } from '@glacis/kube';

interface Version {
  /** Of what was sent. */
  manifest: string;
  /** What became of it: another one means that somebody has changed it. */
  object: string;
}

/**
 * What this process has applied, so that nothing is sent that changes nothing. Comparing manifests with objects would
 * not do: the API server fills in and rewrites much.
 */
export class Applied {
  private readonly versions = new Map<string, Version>();

  /**
   * Applies the manifest unless it is there unchanged.
   * @param there the object as it is known; undefined: there is none
   */
  async ensure<T extends KubeObject>(
    client: {
      type: { plural: string };
      apply(object: Draft<T>, options: ApplyOptions): Promise<T>;
    },
    manifest: Draft<T>,
    there: T | undefined,
  ): Promise<T> {
    const { name, namespace = '' } = manifest.metadata;
    const key = `${client.type.plural}/${keyOf({ name, namespace })}`;
    const wanted = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
    const known = this.versions.get(key);
    if (there && known?.manifest === wanted && known.object === versionOf(there)) return there;
    const object = await client.apply(manifest, { fieldManager: 'glacis-operator' });
    this.versions.set(key, { manifest: wanted, object: versionOf(object) });
    return object;
  }

  /** Of a TeeManager that is gone. */
  forget(manager: string): void {
    for (const plural of ['services', 'statefulsets']) this.versions.delete(`${plural}/${manager}`);
  }
}

/** The generation moves with the spec alone; objects without one have nothing else that moves. */
const versionOf = ({ metadata: { uid, generation, resourceVersion } }: KubeObject): string =>
  `${uid} ${generation ?? resourceVersion}`;
