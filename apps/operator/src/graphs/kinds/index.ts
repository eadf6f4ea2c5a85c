import {
  resources,
  type MutationPreset,
  type RampartGraph,
  type RampartInfra,
} from '@glacis/graphs';
import type { ResourceType } from '@glacis/kube';

/** In the stored version, v1beta2. */
export const rampartGraphs: ResourceType<RampartGraph> = resources.graphs;
export const mutationPresets: ResourceType<MutationPreset> = resources.presets;
export const rampartInfras: ResourceType<RampartInfra> = resources.infras;
export const graphDefinitionName = `${resources.graphs.plural}.${resources.graphs.group}`;
