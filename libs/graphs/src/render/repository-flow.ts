import type { DvcConfig, GitConfig, RepositoryFlow } from '../graph.js';
import type { RenderSubject } from './subject.js';

/** Where things of repositories lie in pods (4.8). */
export const folders = {
  origins: '/.rampart/repo_origin',
  secrets: '/.rampart/repo_secret',
  flows: '/volume_flow_mount',
} as const;

const local = { username: 'Rampart', useremail: 'rampart@petuum.com' };

/** What follows from the `config` of a repository flow; texts that are empty count as absent. */
export interface RepositoryFacts {
  kind: 'git' | 'dvc';
  size: string;
  /** URL of a repository elsewhere. */
  remote?: string;
  defaultBranch?: string;
  username: string;
  useremail: string;
  /** It keeps something in a claim: itself, or what dvc stores. */
  hasClaim: boolean;
  /** Name of the Secret for the remote. */
  gitSecret?: string;
  /** Name of the Secret for the storage of dvc. */
  dvcSecret?: string;
  storageRemote?: string;
  /** As written. */
  storageRemoteName?: string;
}

export function repositoryFacts(config: GitConfig | DvcConfig): RepositoryFacts {
  const remote = given(config.remote);
  const dvc = config.kind === 'dvc' ? config : undefined;
  const storageRemote = given(dvc?.storageRemote);
  const own = remote === undefined ? local : { username: '', useremail: '' };
  return {
    kind: config.kind,
    size: config.size,
    remote,
    defaultBranch: given(config.defaultBranch),
    username: given(config.username) ?? own.username,
    useremail: given(config.useremail) ?? own.useremail,
    hasClaim: keepsSomething(config),
    gitSecret: remote && given(config.secret),
    dvcSecret: given(dvc?.storageSecret),
    storageRemote,
    storageRemoteName: given(dvc?.storageRemoteName),
  };
}

/** Itself, or what dvc stores where nothing else is named for that. */
function keepsSomething(config: GitConfig | DvcConfig): boolean {
  const stores = config.kind === 'dvc' && !config.storageRemote;
  return !config.remote || stores;
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** The facts of a flow of the graph; undefined where it is of another type. */
export function repositoryOf({ spec }: RenderSubject, name: string): RepositoryFacts | undefined {
  const flow = Object.hasOwn(spec.flows, name) ? spec.flows[name] : undefined;
  return flow?.type === 'repository'
    ? repositoryFacts((flow satisfies RepositoryFlow).config)
    : undefined;
}
