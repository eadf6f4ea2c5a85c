import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '@glacis/graphs';
import { isKubeError, keyOf, ResourceClient, type ApiServer, type KubeObject } from '@glacis/kube';
import { contains } from '../tee-managers/contains.js';
import { typeOfKind } from './manifest-types.js';

/** Members that are ours alone: what others add to them goes as well. */
const exactMembers: Readonly<Record<string, string>> = {
  ConfigMap: 'data',
  Secret: 'data',
  MutationPreset: 'spec',
};

type Named = Manifest & { metadata: { name: string } };

/** Keeps objects as they were rendered. What it remembers may be lost: then it compares, and at most writes once more. */
export class Applied {
  /** Objects as writing has left them, for those that the API server words in another way than we do. */
  private readonly written = new Map<string, string>();

  /**
   * Makes the object, or brings it back to its manifest.
   * @param cached as the cache has it; undefined: it seems to be missing
   * @returns whether anything had to be done
   */
  async ensure(
    server: ApiServer,
    manifest: Manifest,
    cached: KubeObject | undefined,
  ): Promise<boolean> {
    const wanted = manifest as Named;
    const client = new ResourceClient<KubeObject>(server, typeOfKind(manifest.kind));
    const there = cached ?? (await client.find(wanted.metadata));
    const key = `${manifest.kind} ${keyOf(wanted.metadata)}`;
    if (there && (says(there, wanted) || this.written.get(key) === markOf(there, wanted))) {
      return false;
    }
    const object = await write(client, wanted, there);
    this.written.set(key, markOf(object, wanted));
    return object.metadata.resourceVersion !== there?.metadata.resourceVersion;
  }

  /** Of a Namespace that is gone. */
  forget(namespace: string): void {
    for (const key of this.written.keys()) {
      if (key.includes(` ${namespace}/`)) this.written.delete(key);
    }
  }
}

function markOf({ metadata }: KubeObject, manifest: Manifest): string {
  const digest = createHash('sha256').update(JSON.stringify(manifest)).digest('base64url');
  return `${metadata.uid} ${metadata.resourceVersion} ${digest}`;
}

function says(there: KubeObject, manifest: Named): boolean {
  const member = exactMembers[manifest.kind];
  const isExact =
    member === undefined ||
    isDeepStrictEqual((there as unknown as Named)[member], plain(manifest[member]));
  return isExact && contains(there, manifest);
}

/** As it comes back from the wire. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

async function write(
  client: ResourceClient<KubeObject>,
  manifest: Named,
  there: KubeObject | undefined,
): Promise<KubeObject> {
  const member = exactMembers[manifest.kind];
  if (!there || member === undefined) {
    return client.apply(manifest, { fieldManager: 'glacis-operator' });
  }
  const { metadata } = there;
  const labels = { ...metadata.labels, ...manifest.metadata.labels };
  const annotations = { ...metadata.annotations, ...manifest.metadata.annotations };
  const whole = { ...there, metadata: { ...metadata, labels, annotations } };
  try {
    return await client.replace({ ...whole, [member]: manifest[member] });
  } catch (error) {
    // Gone meanwhile, and the cache did not know.
    if (!isKubeError(error, 'notFound')) throw error;
    return client.apply(manifest, { fieldManager: 'glacis-operator' });
  }
}
