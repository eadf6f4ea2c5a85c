// {graph, context, spec, expected}: the verdicts of the webhook and of the full check, mount paths and namespaces.
import { admit, componentNamespace, examine } from '../../libs/graphs/dist/index.js';
import { chartsOf, clusterOf } from './context.mjs';
import { unexpected } from './faults.mjs';

export function fits(input) {
  return 'spec' in input && typeof input.expected === 'object';
}

/** Of cases that are about the rest alone. */
const NAMELESS = { namespace: 'default', name: 'graph' };

/** Compared is what the case has recorded, no more. */
export async function run({ graph = NAMELESS, context = {}, spec, expected }) {
  const subject = { ...graph, spec };
  const cluster = clusterOf(context);
  const { errors } = admit(subject, cluster, unexpected);
  const { verdict, mounts } = await examine(subject, cluster, chartsOf(context), unexpected);
  const outcome = {
    schema: errors.some(({ code }) => code === 'SCHEMA') ? 'invalid' : 'valid',
    ...verdictOf('admission', errors),
    ...verdictOf('controller', verdict.errors),
    mounts: Object.fromEntries([...mounts].map(([name, of]) => [name, Object.fromEntries(of)])),
    componentNamespaces: namespacesOf(graph, spec).toSorted(byText),
  };
  const recorded = withSorted(expected);
  const ours = Object.fromEntries(
    Object.entries(outcome).filter(([key]) => Object.hasOwn(recorded, key)),
  );
  return { recorded, ours };
}

function verdictOf(who, errors) {
  const codes = [...new Set(errors.map(({ code }) => code))].toSorted(byText);
  return { [who]: errors.length > 0 ? 'deny' : 'allow', [`${who}Codes`]: codes };
}

const byText = (a, b) => (a < b ? -1 : Number(a > b));

const SETS = ['admissionCodes', 'controllerCodes', 'componentNamespaces'];

function withSorted(expected) {
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [
      key,
      SETS.includes(key) && Array.isArray(value) ? value.toSorted(byText) : value,
    ]),
  );
}

function namespacesOf(graph, spec) {
  return Object.entries(spec?.graph?.components ?? {}).map(([component, value]) =>
    componentNamespace(graph, component, value?.namespace),
  );
}
