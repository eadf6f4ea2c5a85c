import { LABELS } from '@glacis/graphs';
import { builtIns, isKubeError, type KubeObject, type ResourceType } from '@glacis/kube';
import type { Plan } from './plan.js';
import { clientOf, type Work } from './work.js';

interface Ingress extends KubeObject {
  spec?: { rules?: { http?: { paths?: { path?: string }[] } }[] };
}

interface Route extends KubeObject {
  spec?: { http?: { match?: { paths?: string[] } }[] };
}

const routes: ResourceType<Route> = {
  group: 'apisix.apache.org',
  version: 'v2beta3',
  kind: 'ApisixRoute',
  plural: 'apisixroutes',
  namespaced: true,
};

const labelSelector = `${LABELS.controlled}=true`;

/** By component the URL paths of its routes, as JSON text (4.2). */
export async function endpointPathsOf(work: Work, { components }: Plan): Promise<string> {
  const entries = await Promise.all(
    components.map(async ({ component, name: namespace }) => {
      const found = await Promise.all([ingressPaths(work, namespace), routePaths(work, namespace)]);
      return [component, [...new Set(found.flat())].toSorted()] as const;
    }),
  );
  return JSON.stringify(Object.fromEntries(entries));
}

async function ingressPaths(work: Work, namespace: string): Promise<string[]> {
  const client = clientOf(work, builtIns.ingresses as ResourceType<Ingress>);
  const { items } = await client.list({ namespace, labelSelector });
  const rules = items.flatMap(({ spec }) => spec?.rules ?? []);
  return rules.flatMap(({ http }) => (http?.paths ?? []).flatMap(({ path }) => path ?? []));
}

/** A cluster without apisix has none. */
async function routePaths(work: Work, namespace: string): Promise<string[]> {
  try {
    const { items } = await clientOf(work, routes).list({ namespace, labelSelector });
    const paths = items.flatMap(({ spec }) =>
      (spec?.http ?? []).flatMap(({ match }) => match?.paths ?? []),
    );
    return paths.map((path) => path.replaceAll(/^\*+|\*+$/g, ''));
  } catch (error) {
    if (isKubeError(error, 'notFound', 'forbidden')) return [];
    throw error;
  }
}
