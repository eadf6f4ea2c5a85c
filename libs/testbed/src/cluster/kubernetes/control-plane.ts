import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { CertificateFiles } from '../certificate-authority.js';
import { Daemon } from '../daemon.js';
import { freePorts } from '../ports.js';
import { auditPolicy } from './audit.js';
import { makeIdentity, type IdentityPlace } from './identity.js';
import { etcdProgram, kubernetesProgram } from './kubernetes-programs.js';
import type { ClusterNetwork } from './network.js';

const loopback = '127.0.0.1';

/** The programs of a control plane, in the order in which they start. */
export interface ControlPlane {
  etcd: Daemon;
  apiserver: Daemon;
  controllerManager: Daemon;
  scheduler: Daemon;
}

export interface ControlPlanePlace extends IdentityPlace {
  etcdPort: number;
  /** Of the API server; the others listen on the loopback address. */
  address: string;
  port: number;
  network: ClusterNetwork;
  auditLog: string;
}

interface Parts extends ControlPlanePlace {
  serviceAccountKey: string;
  serverFiles: CertificateFiles;
}

/** None of them runs yet. */
export async function makeControlPlane(place: ControlPlanePlace): Promise<ControlPlane> {
  const [etcdPeerPort = 0, managerPort = 0, schedulerPort = 0] = await freePorts(3);
  const parts: Parts = {
    ...place,
    serviceAccountKey: await makeServiceAccountKey(place.folder),
    serverFiles: await place.authority.issue('server', '/CN=kube-apiserver', [
      `IP:${loopback}`,
      `IP:${place.address}`,
      `IP:${place.network.apiServiceAddress}`,
      'DNS:localhost',
      'DNS:kubernetes.default.svc',
    ]),
  };
  return {
    etcd: await etcd(parts, etcdPeerPort),
    apiserver: await apiserver(parts),
    controllerManager: await client(parts, 'kube-controller-manager', managerPort, [
      `--service-account-private-key-file=${parts.serviceAccountKey}`,
      `--root-ca-file=${parts.authority.cert}`,
      '--use-service-account-credentials=true',
      `--flex-volume-plugin-dir=${join(place.folder, 'volume-plugins')}`,
    ]),
    scheduler: await client(parts, 'kube-scheduler', schedulerPort, []),
  };
}

async function makeServiceAccountKey(folder: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(folder, 'service-accounts.key');
  const pem = privateKey.export({ type: 'sec1', format: 'pem' });
  await writeFile(file, pem, { mode: 0o600 });
  return file;
}

async function etcd({ folder, etcdPort }: Parts, peerPort: number): Promise<Daemon> {
  const [url, peerUrl] = [`http://${loopback}:${etcdPort}`, `http://${loopback}:${peerPort}`];
  return new Daemon({
    name: 'etcd',
    file: await etcdProgram(),
    args: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      // It outlives any kill of the process; only a power cut loses what is not synchronized.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    logFile: join(folder, 'etcd.log'),
    ready: async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false,
  });
}

async function apiserver(parts: Parts): Promise<Daemon> {
  const { folder, address, port, auditLog, authority, serviceAccountKey } = parts;
  const policyFile = join(folder, 'audit-policy.json');
  const kubelets = await authority.issue('kubelet-client', '/CN=kube-apiserver/O=system:masters');
  await writeFile(policyFile, JSON.stringify(auditPolicy));
  return new Daemon({
    name: 'kube-apiserver',
    file: await kubernetesProgram('kube-apiserver'),
    args: [
      `--etcd-servers=http://${loopback}:${parts.etcdPort}`,
      ...serving(parts, address, port),
      `--advertise-address=${address}`,
      // The loopback address is forbidden in the Endpoints of `kubernetes.default`.
      `--endpoint-reconciler-type=${address === loopback ? 'none' : 'lease'}`,
      `--kubelet-client-certificate=${kubelets.cert}`,
      `--kubelet-client-key=${kubelets.key}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--client-ca-file=${authority.cert}`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${serviceAccountKey}`,
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-cluster-ip-range=${parts.network.serviceAddresses}`,
      '--allow-privileged=true',
      // Else a stop waits a minute for watches that nobody ends.
      '--shutdown-watch-termination-grace-period=5s',
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${auditLog}`,
      // In one file: 1 GB is more than any run writes.
      '--audit-log-maxsize=1000',
    ],
    logFile: join(folder, 'kube-apiserver.log'),
    ready: () => isReady(parts, address, port, '/readyz'),
    startDeadlineMs: 180_000,
  });
}

/** A part of the control plane that works through the API server, as the user that is meant for it. */
async function client(
  parts: Parts,
  name: 'kube-controller-manager' | 'kube-scheduler',
  port: number,
  args: string[],
): Promise<Daemon> {
  const { file } = await makeIdentity(parts, `system:${name}`, []);
  return new Daemon({
    name,
    file: await kubernetesProgram(name),
    args: [
      `--kubeconfig=${file}`,
      ...serving(parts, loopback, port),
      // There is no other, and one that loses the API server for a while is to come back by itself.
      '--leader-elect=false',
      '--kube-api-qps=200',
      '--kube-api-burst=400',
      ...args,
    ],
    logFile: join(parts.folder, `${name}.log`),
    ready: () => isReady(parts, loopback, port, '/healthz'),
    startDeadlineMs: 180_000,
  });
}

function serving({ serverFiles }: Parts, address: string, port: number): string[] {
  return [
    `--bind-address=${address}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${serverFiles.cert}`,
    `--tls-private-key-file=${serverFiles.key}`,
  ];
}

async function isReady(
  { authority }: Parts,
  host: string,
  port: number,
  path: string,
): Promise<boolean> {
  const ca = await readFile(authority.cert);
  return new Promise((resolve) => {
    const asked = request({ host, port, path, ca, agent: false }, (response) => {
      resolve(response.resume().statusCode === 200);
    });
    asked.on('error', () => resolve(false)).end();
  });
}
