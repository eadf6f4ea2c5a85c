import { resources } from '@glacis/graphs';
import type { KubeObject, ResourceType } from '@glacis/kube';

/** What is read of a RampartGraph; all of it may be of any shape, as it may be older than the rules. */
export interface RampartGraph extends KubeObject {
  spec?: { graph?: unknown; deploy?: boolean };
  status?: GraphStatus;
}

/** `graph-apps.md` 2.3, as far as it is shown. */
export interface GraphStatus {
  phase?: string;
  reason?: string;
  messages?: string;
  observedGeneration?: number;
  endpointPaths?: string;
  components?: { name: string; namespace?: string; state?: string; message?: string }[];
  flows?: { name: string; state?: string }[];
}

interface RampartInfra extends KubeObject {
  status?: { provides?: { name: string }[] };
}

export const rampartGraphs: ResourceType<RampartGraph> = resources.graphs;
export const rampartInfras: ResourceType<RampartInfra> = resources.infras;
