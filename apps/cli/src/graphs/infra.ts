import type { Context } from '../context.js';
import { plain } from '../output.js';
import { inCluster, type ClusterOptions } from './cluster.js';

/** `glacis infra list`: what charts provide to the cluster. */
export async function listInfra(
  { show }: Context,
  flags: ClusterOptions & { namespace?: string },
): Promise<void> {
  await inCluster(flags, async ({ infras }) => {
    const { items } = await infras.list({ namespace: flags.namespace });
    const provided = items.flatMap(({ status }) => status?.provides ?? []);
    const lines = provided.map(
      ({ name, status, source }) =>
        `${plain(`${name} from ${source.namespace}: ${source.name}`)}\t\tstatus: ${plain(status)}\n`,
    );
    show({ value: provided, text: lines.join('') });
  });
}
