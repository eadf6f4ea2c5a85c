import { claimName, kubernetesView, podName } from '../names.js';
import { mountPathOf, type PlacedEdge } from './edges.js';
import type { Mount, Variable } from './pods.js';
import { folders, type RepositoryFacts } from './repository-flow.js';
import { cloneScript } from './scripts/clone.js';
import type { RenderSubject } from './subject.js';

/** A clone of a repository in a pod: where it goes and what it needs (4.8). */
export interface Clone {
  facts: RepositoryFacts;
  /** Folder of the clone. */
  folder: string;
  /** Where the claim of the flow is mounted; unused without one. */
  origin: string;
  /** Where its Secrets are mounted. */
  secrets: { git: string; dvc: string };
}

/** The clone of an edge in a pod of its component. */
export function edgeClone(
  subject: RenderSubject,
  placed: PlacedEdge,
  facts: RepositoryFacts,
): Clone {
  const { part, name, edge } = placed;
  const own = `${claimName(subject.graph, edge.flow)}-${part}-${kubernetesView(name)}`;
  return {
    facts,
    folder: mountPathOf(subject, placed),
    origin: `${folders.origins}/${own}`,
    secrets: { git: `${folders.secrets}/${own}/git`, dvc: `${folders.secrets}/${own}/dvc` },
  };
}

/** The clone of a remote repository in the pod of the flow service. */
export function flowClone(subject: RenderSubject, flow: string, facts: RepositoryFacts): Clone {
  const claim = claimName(subject.graph, flow);
  const secrets = `${folders.secrets}/${claim}`;
  return {
    // What dvc stores is not read here.
    facts: { ...facts, kind: 'git' },
    folder: `${folders.flows}/${claim}`,
    origin: `${folders.origins}/${claim}`,
    secrets: { git: `${secrets}/git`, dvc: `${secrets}/dvc` },
  };
}

/** The init container that makes it. */
export function cloneContainer(
  { settings }: RenderSubject,
  name: string,
  clone: Clone,
  rest: { volumeMounts: Mount[]; securityContext: object },
): object {
  return {
    name: podName(name),
    image: settings.repositoryImage,
    command: ['/bin/sh', '-c', cloneScript],
    env: cloneVariables(clone),
    ...rest,
  };
}

export function cloneVariables(clone: Clone): Variable[] {
  const { facts, folder, origin } = clone;
  return [
    { name: 'REPO', value: facts.remote ?? `${origin}/bare.git` },
    ...variable('BRANCH', facts.defaultBranch),
    { name: 'DIR', value: folder },
    { name: 'USER_NAME', value: facts.username },
    { name: 'USER_EMAIL', value: facts.useremail },
    ...gitCredentials(clone),
    ...(facts.kind === 'dvc' ? dvcVariables(clone) : []),
  ];
}

function gitCredentials({ facts, secrets: { git } }: Clone): Variable[] {
  if (facts.gitSecret === undefined || facts.remote === undefined) return [];
  if (/^https?:\/\//i.test(facts.remote)) {
    return [
      { name: 'CRED_USERNAME', value: `${git}/username` },
      { name: 'CRED_PASSWORD', value: `${git}/password` },
    ];
  }
  return isSsh(facts.remote) ? [{ name: 'SSH_PRIVATE_KEY', value: `${git}/ssh-privatekey` }] : [];
}

/** `ssh://…`, or `[user@]host:path` as scp(1) has it: a colon before the first slash. */
const isSsh = (remote: string): boolean =>
  /^ssh:\/\//i.test(remote) || /^[^/:]+:(?!\/\/)/.test(remote);

function dvcVariables({ facts, origin, secrets: { dvc } }: Clone): Variable[] {
  const credentials =
    facts.dvcSecret === undefined
      ? []
      : [
          ...variable('STORAGE_REMOTE_NAME', facts.storageRemoteName),
          { name: 'ACCESS_KEY_ID', value: `${dvc}/access_key_id` },
          { name: 'SECRET_ACCESS_KEY', value: `${dvc}/secret_access_key` },
        ];
  return [...extraRemote(facts, origin), ...credentials];
}

/** Where components may store what dvc tracks, beside what a remote repository itself says. */
function extraRemote(facts: RepositoryFacts, origin: string): Variable[] {
  if (facts.remote === undefined) return [];
  const { storageRemote, storageRemoteName: name } = facts;
  if (storageRemote !== undefined) return extra(name ?? 'rampart-external', storageRemote);
  return facts.dvcSecret === undefined ? extra(name ?? 'rampart-local', `${origin}/artifact`) : [];
}

const extra = (name: string, url: string): Variable[] => [
  { name: 'EXTRA_REMOTE_NAME', value: name },
  { name: 'EXTRA_REMOTE', value: url },
];

function variable(name: string, value: string | undefined): Variable[] {
  return value === undefined ? [] : [{ name, value }];
}
