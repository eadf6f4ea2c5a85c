import { mkdir, opendir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@glacis/observability';
import { gather } from '../files/listing.js';
import { isAbsent, Place } from '../files/place.js';
import type { Declarations, Edge } from './declarations.js';

const body = 'foo';
const folderName = '.RAMPART';
/** Entries that are read of a folder of markers at most. */
const most = 10_000;

/**
 * The markers of edges (`graph-apps.md` 7.3): each output of a component leaves one in its volume, where those who have the
 * volume as input find it. Everybody who has the volume can write there, so no link is followed out of it.
 */
export class Markers {
  /** What was written, to tell it from that of another pod of the component. */
  private readonly written = new Map<Edge, bigint>();

  constructor(
    private readonly declarations: Declarations,
    private readonly logger: Logger,
  ) {}

  /** Writes those of all outputs; one that cannot be written is told, and the others go on. */
  async write(): Promise<void> {
    for (const edge of this.outputs) {
      try {
        this.written.set(edge, await this.writeOne(edge));
      } catch (err) {
        this.logger.error({ err, edge: edge.name }, 'a marker cannot be written');
      }
    }
  }

  /** Removes what it has written, unless another pod has replaced it. */
  async remove(): Promise<void> {
    for (const [edge, inode] of this.written) {
      const folder = await this.ownFolder(edge).catch(() => undefined);
      const path = `${folder?.path}/${edge.name}.in`;
      const marker = folder && (await Place.at(path).catch(() => undefined));
      if (marker?.stats.ino === inode) await unlink(path).catch(() => undefined);
      await marker?.close();
      await folder?.close();
    }
  }

  /** Whether the marker of an output is there as it was written. */
  isIntact({ mount, name }: Edge): Promise<boolean> {
    return isMarker(mount, join(mount, folderName, this.declarations.component, `${name}.in`));
  }

  /** Component and edge of all markers that can be read in the volume, sorted. */
  async inVolume({ mount }: Edge): Promise<[string, string][]> {
    const found: [string, string][] = [];
    for (const component of await namesIn(mount, join(mount, folderName))) {
      const folder = join(mount, folderName, component);
      for (const file of await namesIn(mount, folder)) {
        if (!file.endsWith('.in') || !(await isMarker(mount, join(folder, file)))) continue;
        found.push([component, file.slice(0, -'.in'.length)]);
      }
    }
    return found;
  }

  private get outputs(): Edge[] {
    return this.declarations.edges.filter(({ part }) => part === 'OUTPUT');
  }

  private async writeOne(edge: Edge): Promise<bigint> {
    const folder = await this.ownFolder(edge);
    const [path, draft] = [`${folder.path}/${edge.name}.in`, `${folder.path}/${edge.name}.draft`];
    try {
      await rm(draft, { force: true });
      await writeFile(draft, body, { flag: 'wx', mode: 0o644 });
      await rename(draft, path);
      const marker = await Place.at(path);
      await marker.close();
      return marker.stats.ino;
    } finally {
      await folder.close();
    }
  }

  /** The folder of our own markers, made where it is missing; the caller closes it. */
  private async ownFolder({ mount }: Edge): Promise<Place> {
    const top = await Place.at(mount);
    const all = await folderIn(top, folderName);
    return folderIn(all, this.declarations.component);
  }
}

/** Closes `parent`. @throws where the name is that of something else, such as a link */
async function folderIn(parent: Place, name: string): Promise<Place> {
  try {
    await mkdir(`${parent.path}/${name}`, { mode: 0o777, recursive: true });
    const place = await Place.at(`${parent.path}/${name}`);
    if (place.real === join(parent.real, name)) return place;
    await place.close();
    throw new Error(`${join(parent.real, name)} leads elsewhere`);
  } finally {
    await parent.close();
  }
}

async function isMarker(mount: string, path: string): Promise<boolean> {
  const place = await Place.at(path).catch(() => undefined);
  if (!place) return false;
  try {
    const isOne = place.type === 'file' && Number(place.stats.size) === body.length;
    return isOne && (await liesIn(place, mount)) && (await textOf(place)) === body;
  } catch {
    return false;
  } finally {
    await place.close();
  }
}

async function textOf(place: Place): Promise<string> {
  const handle = await place.read();
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function liesIn(place: Place, mount: string): Promise<boolean> {
  const top = await Place.at(mount);
  await top.close();
  return place.liesIn(top.real);
}

/** Sorted; none where it is no directory of the volume. */
async function namesIn(mount: string, folder: string): Promise<string[]> {
  const place = await Place.at(folder).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  try {
    if (place?.type !== 'directory' || !(await liesIn(place, mount))) return [];
    const entries = await gather(named(place), most);
    return entries.map(({ name }) => name.toString());
  } finally {
    await place?.close();
  }
}

async function* named(place: Place): AsyncGenerator<{ name: Buffer }> {
  for await (const { name } of await opendir(place.path)) yield { name: Buffer.from(name) };
}
