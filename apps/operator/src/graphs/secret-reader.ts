import type { ChartSource } from '@glacis/graphs';
import { builtIns, ResourceClient, type ApiServer } from '@glacis/kube';

/** Secrets as texts, read when they are needed and kept by nobody. */
export function secretReader(server: ApiServer): ChartSource['secret'] {
  const secrets = new ResourceClient(server, builtIns.secrets);
  return async (namespace, name) => {
    const found = await secrets.find({ namespace, name });
    return (
      found &&
      Object.fromEntries(
        Object.entries(found.data ?? {}).map(([key, value]) => [
          key,
          Buffer.from(value, 'base64').toString(),
        ]),
      )
    );
  };
}
