import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageStore } from './images.js';
import { helmProgram } from './kubernetes/kubernetes-programs.js';
import { demand, type OnDemand } from './on-demand.js';

/** The image of `docker/Dockerfile`, of this checkout. */
export interface GlacisImage {
  /** For pods, with `imagePullPolicy: Never`. */
  name: string;
  /** Its archive, as `docker save` writes it. */
  archive: string;
  /** Name of the image below: Debian with Node. */
  base: string;
  /** Both are in it. Whoever asks for the image shares it, until the run ends. */
  store: ImageStore;
}

/** What it is built with beside the sources. */
export const glacisBuild = {
  context: fileURLToPath(new URL('../../../..', import.meta.url)),
  dockerfile: fileURLToPath(new URL('../../../../docker/Dockerfile', import.meta.url)),
  args: { BASE: 'localhost/node:test', HELM: 'localhost/helm:test', COMMIT: 'test' },
};

/** The same as plain data. */
export type BuiltImage = Omit<GlacisImage, 'store'> & { folder: string };

/**
 * The image of this checkout, built by the first who asks for it in a test run, in minutes. Needs root.
 * @throws {Error} when it cannot be built, or outside of `npm run test:cluster`
 */
export async function glacisImage(): Promise<GlacisImage> {
  const { folder, ...image } = await demand<BuiltImage>('image');
  return { ...image, store: ImageStore.at(folder) };
}

/** Builds it in a store that goes with it. */
export async function buildGlacisImage(): Promise<OnDemand<BuiltImage>> {
  const store = await ImageStore.open();
  try {
    const name = 'localhost/glacis:test';
    const { BASE: base, HELM: helm } = glacisBuild.args;
    const archive = join(store.folder, 'glacis.tar');
    await store.nodeBase(base);
    await store.programImage(helm, await helmProgram(), '/usr/bin/helm');
    await store.build({ name, ...glacisBuild });
    await store.save(name, archive);
    return { value: { name, archive, base, folder: store.folder }, stop: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
