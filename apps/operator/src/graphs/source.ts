import type { InformerSource, KubeObject, ResourceClient } from '@glacis/kube';

/** A resource of which only a part is kept. */
export function partOf<T extends KubeObject, P extends KubeObject>(
  client: Pick<ResourceClient<T>, 'list' | 'watch'>,
  part: (object: T) => P,
): InformerSource<P> {
  return {
    list: (selection) => client.list(selection, part),
    async *watch(options) {
      for await (const { type, object } of client.watch(options)) {
        yield { type, object: type === 'BOOKMARK' ? (object as KubeObject as P) : part(object) };
      }
    },
  };
}
