import { customResourceDefinition, type JsonSchema } from '@glacis/kube';
import { z } from 'zod';
import { rampartInfras } from './index.js';

const name = z.string();

/** The custom resource definition that is installed (`k8s/crds`). */
export const rampartInfraDefinition: JsonSchema = customResourceDefinition({
  type: rampartInfras,
  singular: 'rampartinfra',
  description: 'What the charts of a graph provide to the whole cluster.',
  spec: z.object({ provides: z.array(z.object({ name })).optional() }),
  status: z.object({
    provides: z
      .array(
        z.object({
          name,
          status: z.enum(['registered', 'deployed']),
          source: z.object({ namespace: z.string(), name }),
        }),
      )
      .optional(),
  }),
});
