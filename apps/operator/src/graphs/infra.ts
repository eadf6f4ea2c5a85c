import { resources, type Examination, type ProvidedInfra, type RampartInfra } from '@glacis/graphs';
import { isKubeError, keyOf, ownedBy, type KubeObject } from '@glacis/kube';
import { isDeepStrictEqual } from 'node:util';
import { graphKeyOf } from './graph-key.js';
import { namesIn, notes } from './plan.js';
import { clientOf, type Work } from './work.js';

type Infra = KubeObject & Pick<RampartInfra, 'spec' | 'status'>;

/** What the charts of a graph provide to the cluster; each name once and in order. */
export function providedBy(infra: Examination['infra']): string[] {
  return [...new Set([...infra.values()].flatMap(({ provides }) => provides))].toSorted();
}

/** The same from the marks of Namespaces, without asking charts. */
export function recordedProvisions({ namespaces, id }: Pick<Work, 'namespaces' | 'id'>): string[] {
  const places = namespaces.by('graph', id.uid);
  return [...new Set(places.flatMap((place) => namesIn(place, notes.provides)))].toSorted();
}

/**
 * Says for the whole cluster what the graph provides. One that never provided anything has no such object.
 * @returns whether that had to be said
 */
export async function registerInfra(
  work: Work,
  provides: readonly string[],
  status: ProvidedInfra['status'],
): Promise<boolean> {
  const { namespace, name } = work.id;
  const there = work.infras.get(keyOf(work.id));
  const source = { namespace, name };
  const entries = provides.map((each) => ({ name: each, status, source }));
  const spec = { provides: provides.map((each) => ({ name: each })) };
  if (there ? says(there, { spec, status: { provides: entries } }) : provides.length === 0) {
    return false;
  }
  const client = clientOf<Infra>(work, resources.infras);
  const before = (there?.status?.provides ?? []).map((each) => each.name);
  const metadata = {
    namespace,
    name,
    ownerReferences: [{ ...ownedBy(work.graph), controller: true }],
  };
  const object = await client.apply({ metadata, spec }, { fieldManager: 'glacis-operator' });
  await client.updateStatus(object, { provides: entries });
  tellLoss(
    work,
    before.filter((each) => !provides.includes(each)),
  );
  return true;
}

const says = (there: Infra, { spec, status }: Pick<Infra, 'spec' | 'status'>): boolean =>
  isDeepStrictEqual(there.spec, spec) && isDeepStrictEqual(there.status, status);

/** Nothing is provided any more, as the graph is taken down. */
export async function emptyInfra(work: Work): Promise<void> {
  try {
    await registerInfra(work, [], 'registered');
  } catch (error) {
    if (!isKubeError(error, 'notFound')) throw error;
  }
}

/** Events on graphs whose charts require what is no longer provided. */
function tellLoss(work: Work, lost: readonly string[]): void {
  for (const name of lost) {
    for (const key of requirers(work, name)) {
      work.tellOther(
        key,
        'InfraLost',
        `${name} is no longer provided by ${work.id.namespace}/${work.id.name}`,
      );
    }
  }
}

/** By the marks of Namespaces, as their charts are not asked again. */
function requirers({ namespaces, id }: Work, infra: string): Set<string> {
  const keys = namespaces.by('requires', infra).map((namespace) => graphKeyOf(namespace));
  const own = `${id.namespace}/${id.name}`;
  return new Set(keys.filter((key): key is string => key !== undefined && key !== own));
}
