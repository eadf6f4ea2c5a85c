/** What the editor knows of a type of component (`graph-apps.md` 6.8). */
export interface ComponentType {
  type: string;
  /** Chart in the repository `rampart-repo`. Default: the name of the type. */
  chart?: string;
  version: string;
  inputs?: readonly string[];
  outputs?: readonly string[];
  /** Default helm values that the editor shows. */
  config?: Record<string, unknown>;
  /** Part of the platform. */
  system?: boolean;
  /** Defined, and not offered. */
  hideInLibrary?: boolean;
}

const version = '1.0.0';
const platform = { version, system: true };
const hidden = { version, hideInLibrary: true };
const pods = { config: { replicas: 1, image: '' } };

/** The types that come with the service; `GLACIS_SCHEMA_DIR` adds more. */
export const componentTypes: readonly ComponentType[] = [
  { type: 'batch-executor', version, inputs: ['input'], outputs: ['output'], ...pods },
  { type: 'batch-uploader', version, outputs: ['output'] },
  { type: 'tensorboard', version, inputs: ['logs'] },
  { type: 'generic-service', version, inputs: ['input'], outputs: ['output'], ...pods },
  { type: 'jupyterlab', version, inputs: ['input'], outputs: ['output'] },
  { type: 'ray-job', version, inputs: ['input'], outputs: ['output'] },
  { type: 'ray-cluster', version },
  { type: 'kuberay-operator', ...platform },
  { type: 'apisix', ...platform },
  { type: 'apisix-dashboard', ...platform },
  { type: 'apisix-ingress-controller', ...platform },
  { type: 'grafana', ...platform },
  { type: 'system-pulsar', ...platform },
  { type: 'rampart-dashboard', ...platform },
  { type: 'rampart-ui', ...platform },
  { type: 'wolf-rbac', ...platform },
  { type: 'wolf-postgres', ...platform },
  { type: 'symphony', ...hidden },
  { type: 'symphony-infra', ...hidden },
  { type: 'experiment-manager', ...hidden },
  { type: 'opt-service', ...hidden },
  { type: 'alpa-opt-service', ...hidden },
];
