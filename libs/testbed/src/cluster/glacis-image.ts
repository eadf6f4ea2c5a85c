import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, removeUnused } from './cache.js';
import { ImageStore } from './images.js';
import { helmProgram } from './kubernetes/kubernetes-programs.js';
import { unpackImages } from './kubernetes/node-images.js';
import { demand, type OnDemand } from './on-demand.js';
import { requireProgram } from './programs.js';

/** How the folders in the cache begin. */
const foundation = 'image-';

/** The image of `docker/Dockerfile`, of this checkout. */
export interface GlacisImage {
  /** For pods, with `imagePullPolicy: Never`. */
  name: string;
  /** The `images` of `startKubernetes`. */
  images: string;
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
export type BuiltImage = Omit<GlacisImage, 'store'> & {
  /** Of its store, and of the one below that. */
  folder: string;
  below: string;
};

/**
 * The image of this checkout, built by the first who asks for it in a test run, in a minute. Needs root.
 * @throws {Error} when it cannot be built, or outside of `npm run test:cluster`
 */
export async function glacisImage(): Promise<GlacisImage> {
  const { folder, below, ...image } = await demand<BuiltImage>('image');
  return { ...image, store: ImageStore.at(folder, below) };
}

/**
 * The folder of a store with all of the image that does not come from the sources of programs: packages, and what is
 * done to the base. Made once for each state of what it is made of; those that nobody uses any more go.
 */
export async function imageFoundation(): Promise<string> {
  await requireProgram('buildah', 'buildah');
  const folder = await cached(`${foundation}${await fingerprint()}`, async (draft) => {
    const store = ImageStore.at(draft);
    const { BASE: base, HELM: helm } = glacisBuild.args;
    try {
      await store.nodeBase(base);
      await store.programImage(helm, await helmProgram(), '/usr/bin/helm');
      await store.build({ name: 'localhost/system:test', target: 'system', ...glacisBuild });
    } catch (error) {
      await store.close();
      throw error;
    }
  });
  await removeUnused(foundation, folder);
  return folder;
}

/** Of the files that the stages up to `system` read. */
async function fingerprint(): Promise<string> {
  const { context, dockerfile } = glacisBuild;
  const packages = await Promise.all(
    ['libs', 'apps'].map(async (root) =>
      (await readdir(join(context, root))).map((name) => `${root}/${name}/package.json`),
    ),
  );
  const manifests = ['package.json', 'package-lock.json', ...packages.flat()];
  const files = [dockerfile, ...manifests.map((name) => join(context, name))];
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

/** Builds it in a store that goes with it. */
export async function buildGlacisImage(): Promise<OnDemand<BuiltImage>> {
  const below = await imageFoundation();
  const store = await ImageStore.open(below);
  try {
    const name = 'localhost/glacis:test';
    const base = glacisBuild.args.BASE;
    const archive = join(store.folder, 'glacis.tar');
    const images = join(store.folder, 'containerd');
    await store.build({ name, ...glacisBuild });
    await store.save(name, archive);
    await unpackImages(archive, images);
    await rm(archive);
    const value = { name, images, base, folder: store.folder, below };
    return { value, stop: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
