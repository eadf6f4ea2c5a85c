import {
  defineProblem,
  Problem,
  problems,
  type ProblemDefinition,
  type ProblemMore,
} from '@glacis/http';
import { isKubeError } from '@glacis/kube';
import { isMongoAway } from './store/mongo/client.js';

type Definition = Omit<ProblemDefinition, 'message'>;
type GraphProblem = (text: string, more?: ProblemMore) => Problem;

/** A kind of error in the form of `graph-apps.md` 6.1: `state` is a word, `message` the text that people read. */
function graphProblem(definition: Definition, state = wordOf(definition.slug)): GraphProblem {
  const make = defineProblem({ ...definition, message: definition.title });
  return (text, more = {}) =>
    make(text, { message: text, ...more, members: { state, ...more.members } });
}

const wordOf = (slug: string): string => slug.replaceAll('-', '_');

export const graphNotFound = graphProblem({
  slug: 'graph-not-found',
  status: 404,
  title: 'Not Found',
  about: 'No such App in the tenant of the token, or it has no graph in the cluster.',
});

export const graphReadOnly = graphProblem({
  slug: 'graph-read-only',
  status: 400,
  title: 'Bad Request',
  about: 'The App carries the label `rampart-graph-readonly=true`: it can be looked at only.',
});

export const invalidRequest = graphProblem({
  slug: 'invalid-request',
  status: 422,
  title: 'Unprocessable Content',
  about: 'A member or the query is missing or wrong; `field` names it where it is known.',
});

export const duplicateGraph = graphProblem({
  slug: 'duplicate-graph-exists',
  status: 409,
  title: 'Conflict',
  about: 'Namespace and name are taken: names of graphs are shared by the whole cluster.',
});

export const invalidGraph = graphProblem({
  slug: 'invalid-graph',
  status: 422,
  title: 'Unprocessable Content',
  about: 'The graph breaks the rules that `errors` lists by code and path. Nothing was stored.',
});

export const versionNotFound = graphProblem(
  {
    slug: 'version-not-found',
    status: 404,
    title: 'Not Found',
    about: 'The App has no version of that number.',
  },
  'graph not found with that name and version',
);

const versionInactive = defineProblem({
  slug: 'version-not-active',
  status: 400,
  title: 'Bad Request',
  message: 'version is not active',
  about: 'Only the version that is deployed has a dashboard.',
});

export function versionNotActive(version: number): Problem {
  const state = `version ${version} is not active`;
  return versionInactive(state, { message: state, members: { state } });
}

const redeploymentState = 'error redeploying graph';

export const redeploymentConflict = graphProblem(
  {
    slug: 'redeployment-conflict',
    status: 409,
    title: 'Conflict',
    about: 'Somebody else has changed the graph in the cluster meanwhile. Look at it, then repeat.',
  },
  redeploymentState,
);

export const redeploymentRefused = graphProblem(
  {
    slug: 'redeployment-refused',
    status: 422,
    title: 'Unprocessable Content',
    about: 'The cluster refuses the graph; `errors` lists the rules that it breaks there.',
  },
  redeploymentState,
);

export const redeploymentFailed = graphProblem(
  {
    slug: 'redeployment-failed',
    status: 500,
    title: 'Internal Server Error',
    about: 'The Kubernetes API did not carry it out; `message` says why.',
  },
  redeploymentState,
);

export const clusterError = graphProblem({
  slug: 'cluster-error',
  status: 500,
  title: 'Internal Server Error',
  about: 'The Kubernetes API failed; `message` says why.',
});

export const clusterNotConfigured = graphProblem({
  slug: 'cluster-not-configured',
  status: 503,
  title: 'Service Unavailable',
  about: 'No cluster is known to this service: set `GLACIS_GRAPH_APPS_KUBECONFIG`.',
});

export const upstreamError = graphProblem({
  slug: 'upstream-error',
  status: 502,
  title: 'Bad Gateway',
  about: 'A service in the namespaces of the graph does not answer.',
});

export const tooManyStreams = graphProblem({
  slug: 'too-many-streams',
  status: 503,
  title: 'Service Unavailable',
  about: 'As many streams of events are open as `GLACIS_GRAPH_APPS_STREAMS` allows.',
});

const notFound = (slug: string, about: string): GraphProblem =>
  graphProblem({ slug, status: 404, title: 'Not Found', about });

export const componentNotFound = notFound(
  'component-not-found',
  'The graph has no such component.',
);
export const edgeNotFound = notFound('edge-not-found', 'The component has no such edge.');
export const flowNotFound = notFound('flow-not-found', 'The App has no such flow.');
export const dashboardNotFound = notFound('dashboard-not-found', 'The App has no dashboard.');
export const configsNotFound = notFound('configs-not-found', 'No such node config.');

/** What an error of any layer becomes for callers of this service. */
export function inWords(error: unknown): unknown {
  if (isKubeError(error)) return clusterError(error.message, { cause: error });
  if (isMongoAway(error))
    return problems.unavailable('a dependency does not answer', { cause: error });
  if (!(error instanceof Problem) || error.more.members?.state !== undefined) return error;
  const { definition, detail, more } = error;
  if (definition.slug === 'malformed') return invalidRequest(detail, { members: more.members });
  const members = { state: wordOf(definition.slug), ...more.members };
  return new Problem(definition, detail, { ...more, message: detail, members });
}
