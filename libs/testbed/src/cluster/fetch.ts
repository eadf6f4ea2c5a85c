import { azureProgram } from './azure-server.js';
import { ec2Environment } from './ec2-server.js';
import { imageFoundation } from './glacis-image.js';
import { kafkaClassPath } from './kafka-home.js';
import { mongoEnvironment } from './mongodb.js';
import {
  coreDnsProgram,
  etcdProgram,
  helmProgram,
  kubernetesProgram,
  kwokProgram,
  kwokStages,
  registryProgram,
  type KubernetesProgram,
} from './kubernetes/kubernetes-programs.js';
import { s3Program } from './s3-server.js';

const ofKubernetes: KubernetesProgram[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kubelet',
  'kube-proxy',
];

/**
 * Fetches and builds all that is kept, one after another: a test that builds for minutes takes the cores from those that
 * run beside it.
 */
export async function fetchAll(): Promise<void> {
  await kafkaClassPath();
  await mongoEnvironment();
  await etcdProgram();
  for (const name of ofKubernetes) await kubernetesProgram(name);
  await helmProgram();
  await registryProgram();
  await coreDnsProgram();
  await kwokProgram();
  await kwokStages();
  await s3Program();
  await azureProgram();
  await ec2Environment();
  await imageFoundation();
}
