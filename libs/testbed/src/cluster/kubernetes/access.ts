import { join } from 'node:path';
import { openCertificateAuthority } from '../certificate-authority.js';
import { readAuditLog, type AuditEvent } from './audit.js';
import { kubernetesClients, type KubernetesClients } from './clients.js';
import { makeIdentity, type KubernetesIdentity } from './identity.js';
import type { KubernetesNodes } from './node.js';
import { readStored, type StoredValue } from './stored.js';

/** What can be done with a cluster that runs. */
export interface KubernetesAccess extends KubernetesClients {
  /** Of the API server. */
  url: string;
  /** PEM file of the authority that its certificate, and those of its users, are from. */
  ca: string;
  /** A member of `system:masters`, who may do everything. */
  admin: KubernetesIdentity;
  /** Somebody new, who may do nothing until RBAC says so. */
  user(name: string, groups?: string[]): Promise<KubernetesIdentity>;
  /** When any was asked for. */
  nodes?: KubernetesNodes;
  /** What the API server has answered, oldest first, at the level `Metadata`. */
  auditEvents(): Promise<AuditEvent[]>;
  /** What etcd holds, to prove that something is not there. Default: everything of the API server. */
  stored(prefix?: string): Promise<StoredValue[]>;
}

/** A cluster as plain data: another process reaches it as well. */
export interface ClusterAddress {
  /** With the files of the authority in it. */
  folder: string;
  /** Of the API server. */
  url: string;
  admin: KubernetesIdentity;
  auditLog: string;
  etcdUrl: string;
  nodes?: KubernetesNodes;
}

export function reachCluster(address: ClusterAddress): KubernetesAccess {
  const { folder, url, admin, auditLog, etcdUrl, nodes } = address;
  const authority = openCertificateAuthority(folder);
  return {
    ...kubernetesClients(admin.file, join(folder, 'clients')),
    url,
    ca: authority.cert,
    admin,
    user: (name, groups = []) => makeIdentity({ folder, authority, server: url }, name, groups),
    nodes,
    auditEvents: () => readAuditLog(auditLog),
    stored: (prefix = '/registry/') => readStored(etcdUrl, prefix),
  };
}
