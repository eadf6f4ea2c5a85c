import type { InformerOptions, KubeObject, ResourceClient } from '@glacis/kube';

type Source<T extends KubeObject> = InformerOptions<T>['source'];

/** A resource of which only a part is kept. */
export function partOf<T extends KubeObject, P extends KubeObject>(
  client: Pick<ResourceClient<T>, 'list' | 'watch'>,
  part: (object: T) => P,
): Source<P> {
  return {
    list: async (selection) => {
      const { items, resourceVersion } = await client.list(selection);
      return { items: items.map(part), resourceVersion };
    },
    async *watch(options) {
      for await (const { type, object } of client.watch(options)) {
        yield { type, object: type === 'BOOKMARK' ? (object as KubeObject as P) : part(object) };
      }
    },
  };
}
