export { startAzure, type AzureServer } from './azure-server.js';
export { makeCertificateAuthority, type CertificateAuthority } from './certificate-authority.js';
export { Daemon, type DaemonOptions } from './daemon.js';
export { startEc2, type Ec2Emulator } from './ec2-server.js';
export { faultProxy, type FaultProxy, type ProxyTarget } from './fault-proxy.js';
export { goModule, goProgram, type GoProgram } from './go-program.js';
export { startKafka, type KafkaCluster, type KafkaOptions, type ProxiedKafka } from './kafka.js';
export type { SaslUser } from './kafka-properties.js';
export type { ClientTlsFiles } from './kafka-tls.js';
export type { KubernetesAccess } from './kubernetes/access.js';
export type { AuditEvent } from './kubernetes/audit.js';
export type { Kubeconfig, KubernetesIdentity } from './kubernetes/identity.js';
export {
  startKubernetes,
  type KubernetesCluster,
  type KubernetesOptions,
} from './kubernetes/kubernetes.js';
export { helmProgram, registryProgram } from './kubernetes/kubernetes-programs.js';
export { busyboxImage } from './kubernetes/busybox-image.js';
export type { StoredValue } from './kubernetes/stored.js';
export type { KubernetesClients } from './kubernetes/clients.js';
export type { KubernetesNodes } from './kubernetes/node.js';
export { freePort, freePorts } from './ports.js';
export { startMongo, type MongoServer } from './mongodb.js';
export { startS3, type S3Key, type S3Server } from './s3-server.js';
export { startPostgres, type PostgresServer, type PostgresServerOptions } from './postgres.js';
export { findSystemPostgres, MissingProgramError, requireProgram } from './programs.js';
export { cached } from './cache.js';
export { runCommand } from './command.js';
export { startSuite, type ServiceName, type Suite, type SuiteOptions } from './suite.js';
export { sharedKafka } from './shared-kafka.js';
export { sharedCluster, type SharedCluster, type TestNamespace } from './shared-cluster.js';
export { glacisBuild, glacisImage, imageFoundation, type GlacisImage } from './glacis-image.js';
export { ImageStore, type BuildOptions, type ImageConfig } from './images.js';
export { runContainer, type ContainerOptions } from './container.js';
export { smallGuest, type SmallGuest } from './small-guest.js';
