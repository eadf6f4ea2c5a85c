import { join } from 'node:path';
import { runCommand } from '../command.js';
import { helmProgram, kubernetesProgram } from './kubernetes-programs.js';

/** The command-line clients of a cluster. */
export interface KubernetesClients {
  /**
   * Runs kubectl(1) as the administrator, or as `--kubeconfig` among the arguments says, and gives what it printed.
   * @throws {Error} with what it said when it fails
   */
  kubectl(...args: string[]): Promise<string>;
  /** The same with helm(1), which the first call on a machine builds. */
  helm(...args: string[]): Promise<string>;
  /** `kubectl apply` of objects. */
  apply(...objects: object[]): Promise<void>;
}

/**
 * @param kubeconfig file of the administrator
 * @param folder for what they would otherwise leave in the user's home
 */
export function kubernetesClients(kubeconfig: string, folder: string): KubernetesClients {
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(folder, 'kubectl'),
    HELM_CACHE_HOME: join(folder, 'helm-cache'),
    HELM_CONFIG_HOME: join(folder, 'helm-config'),
    HELM_DATA_HOME: join(folder, 'helm-data'),
  };
  const kubectl = async (args: string[], input?: string): Promise<string> =>
    runCommand(await kubernetesProgram('kubectl'), args, { env, input });
  return {
    kubectl: (...args) => kubectl(args),
    helm: async (...args) => runCommand(await helmProgram(), args, { env }),
    apply: async (...items) => {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await kubectl(['apply', '-f', '-'], list);
    },
  };
}
