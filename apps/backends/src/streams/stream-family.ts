import {
  agentDialects,
  agentService,
  dialects,
  managerService,
  type AgentDialectName,
  type Dialect,
  type DialectName,
  type StreamService,
} from '@glacis/grpc';
import type { BackendType } from '../backends/backend.js';

export type AnyDialectName = DialectName | AgentDialectName;

/** Every dialect of either family: no two share a name. */
export const dialectsByName: Readonly<Record<AnyDialectName, Dialect>> = {
  ...dialects,
  ...agentDialects,
};

/** A build that is known by the library version in its `user-agent`. */
export interface Build {
  userAgent: string;
  dialect: AnyDialectName;
  /** Builds of two dialects look like this. */
  ambiguous?: boolean;
  /** The software, when it is certain. */
  version?: string;
}

/** Who dials one of our ports: the managers of hosts, or the agents of VMs. All else about their streams is one. */
export interface StreamFamily {
  /** What a certificate that opens such a stream is for. */
  readonly entityType: BackendType;
  readonly service: StreamService;
  readonly dialects: readonly AnyDialectName[];
  /** The dialect of a client that gives no sign of its own. */
  readonly fallback: AnyDialectName;
  readonly builds: readonly Build[];
}

/** `backends.md` 4. */
export const managers: StreamFamily = {
  entityType: 'backend',
  service: managerService,
  dialects: Object.keys(dialects) as DialectName[],
  fallback: 'seed',
  builds: [
    { userAgent: 'grpc-go/1.60.1', dialect: 'seed' },
    { userAgent: 'grpc-go/1.65.0', dialect: 'v0.2', ambiguous: true },
    { userAgent: 'grpc-go/1.68.0', dialect: 'v0.4', version: 'cocos v0.4.0' },
  ],
};

/**
 * `backends.md` 9, which names no builds: these are the library versions that public builds were made with. A stranger
 * is taken for the latest, whose run request older agents read too, but for the numbers of `v0.5.0`.
 */
export const agents: StreamFamily = {
  entityType: 'cvm',
  service: agentService,
  dialects: Object.keys(agentDialects) as AgentDialectName[],
  fallback: 'v0.10',
  builds: [
    { userAgent: 'grpc-go/1.71.', dialect: 'v0.5.1' },
    { userAgent: 'grpc-go/1.74.', dialect: 'v0.5.1' },
    { userAgent: 'grpc-go/1.76.', dialect: 'v0.5.1' },
    { userAgent: 'grpc-go/1.79.', dialect: 'v0.9' },
    { userAgent: 'grpc-go/1.80.', dialect: 'v0.10' },
  ],
};

/** The family of the clients of a backend. */
export function familyOf(entityType: BackendType): StreamFamily {
  return entityType === 'cvm' ? agents : managers;
}
