// Path prefixes, merging of values, views of names, identity of repository URLs.
import { admit, kubernetesView, mergeValues, rampartView } from '../../libs/graphs/dist/index.js';
import { repositoryIdentity } from '../../libs/graphs/dist/index.js';
import { clusterOf } from './context.mjs';
import { unexpected } from './faults.mjs';

/** Lists whose items do not tell what they are. */
export function named(list, item) {
  return list === 'mountPathsSharePrefix' || list === 'valuesMerge' || list === 'names'
    ? { unit: list, ...item }
    : item;
}

/** Cases in themselves; what else is no list is not one. */
export function single(name, value) {
  if (name === 'repoUrls') return [{ id: name, unit: name, ...value }];
  return name === 'healthz' ? [{ id: name, path: '/healthz', ...value }] : [];
}

const unit = (name, run) => ({ fits: (input) => input.unit === name, run });

export const forms = {
  mountPathsSharePrefix: unit('mountPathsSharePrefix', ({ paths, expected }) => ({
    recorded: expected,
    ours: sharePrefix(paths),
  })),
  valuesMerge: unit('valuesMerge', ({ into, from, result }) => ({
    recorded: result,
    ours: mergeValues(into, from),
  })),
  names: unit('names', ({ original, kubernetes, rampart }) => ({
    recorded: { kubernetes, rampart },
    ours: { kubernetes: kubernetesView(original), rampart: rampartView(original) },
  })),
  repoUrls: unit('repoUrls', ({ mustDiffer = [], mustBeEqual = [] }) => ({
    recorded: { different: mustDiffer.length, equal: mustBeEqual.map(() => 1) },
    ours: { different: identities(mustDiffer), equal: mustBeEqual.map(identities) },
  })),
};

/** By the rule itself: a component with those paths. */
function sharePrefix(paths) {
  const inputs = Object.fromEntries(
    paths.map((mountPath, index) => [
      `edge-${index}`,
      { type: 'volume', flow: 'f', config: { mountPath } },
    ]),
  );
  const chart = { repo: 'https://charts.example.com', name: 'c', version: '1.0.0' };
  const components = { c: { chart, config: {}, inputs, outputs: {} } };
  const flows = { f: { type: 'volume', config: { size: '1Gi' } } };
  const subject = { namespace: 'default', name: 'g', spec: { graph: { components, flows } } };
  const { errors } = admit(subject, clusterOf({}), unexpected);
  return errors.some(({ code }) => code === 'MOUNT_PREFIX');
}

function identities(urls) {
  return new Set(urls.map((url) => repositoryIdentity({ kind: 'url', url }))).size;
}
