import { pointer } from '../json.js';
import { kubernetesView } from '../names.js';
import type { Finding } from '../verdict.js';
import { COMPONENTS, FLOWS, type Facts } from './facts.js';

/** Components and flows share one space of names. */
export function* nameDup({ graph: { components, flows } }: Facts): Generator<Finding> {
  const seen = new Map<string, string>();
  const all = [
    ...Object.keys(components).map((name) => ({ name, kind: 'component', under: COMPONENTS })),
    ...Object.keys(flows).map((name) => ({ name, kind: 'flow', under: FLOWS })),
  ];
  for (const { name, kind, under } of all) {
    const view = kubernetesView(name);
    const first = seen.get(view);
    if (first === undefined) seen.set(view, `${kind} ${name}`);
    else
      yield { code: 'NAME_DUP', path: pointer(under, name), message: `${first} has the same name` };
  }
}
