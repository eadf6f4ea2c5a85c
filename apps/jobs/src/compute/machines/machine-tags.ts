import { readTags, writeTags } from '../../storage/tags.js';
import type { InstanceTags, NewInstance } from '../compute-provider.js';

/** Whose a machine is: several installations may share an account. */
export const INSTALLATION = 'glacis-installation';
const RUN = 'glacis-run';

/** What tags of a machine say. */
export interface MachineTags {
  tags: InstanceTags;
  runId: string;
}

/** The name of everything that belongs to one run. */
export const nameOf = (runId: string): string => `glacis-${runId}`;

/** As words that every provider takes. @param installation `jobs.bucketPrefix` */
export function writeMachineTags(
  installation: string,
  { tags, runId }: Pick<NewInstance, 'tags' | 'runId'>,
): Record<string, string> {
  return { ...writeTags(tags), [RUN]: runId, [INSTALLATION]: installation };
}

/** @returns undefined where they are not of this installation, or not all there */
export function readMachineTags(
  installation: string,
  found: Readonly<Record<string, string | undefined>>,
): MachineTags | undefined {
  const tags = readTags(found);
  const { [RUN]: runId, [INSTALLATION]: owner } = found;
  if (tags === undefined || runId === undefined || owner !== installation) return undefined;
  return { tags, runId };
}
