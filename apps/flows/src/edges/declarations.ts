import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '@glacis/runtime';
import { parse } from 'yaml';
import { z } from 'zod';

/** A volume edge of the component that this pod belongs to. */
export interface Edge {
  /** In rampart view. */
  name: string;
  part: 'INPUT' | 'OUTPUT';
  /** Where the volume is mounted. */
  mount: string;
}

export interface Declarations {
  /** In kubernetes view. */
  component: string;
  edges: Edge[];
}

const componentName = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const edgeList = z.array(
  z.object({
    name: z.string().regex(/^[a-zA-Z0-9_-]+$/),
    type: z.string(),
    part: z.enum(['IOPart.INPUT', 'IOPart.OUTPUT']),
  }),
);

/**
 * What the pod is told of its component: two files, and a variable with the mount path for each edge.
 * @throws {StartError} naming what does not hold
 */
export async function readDeclarations(
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<Declarations> {
  const component = await read(join(folder, 'component.yaml'), componentName);
  const declared = await read(join(folder, 'edges.yaml'), edgeList);
  const edges = declared
    .filter(({ type }) => type === 'FlowType.VOLUME')
    .map(({ name, part: word }) => {
      const part = word === 'IOPart.INPUT' ? 'INPUT' : 'OUTPUT';
      const variable = `RAMPART_${part}_${name}`;
      const mount = environment[variable];
      if (!mount?.startsWith('/')) throw new StartError(`${variable}: expected an absolute path`);
      return { name, part, mount } as const;
    });
  return { component, edges };
}

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    // Names stay text, whatever they look like.
    return schema.parse(parse(await readFile(path, 'utf8'), { schema: 'failsafe' }));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new StartError(`${path}: ${reason}`);
  }
}
