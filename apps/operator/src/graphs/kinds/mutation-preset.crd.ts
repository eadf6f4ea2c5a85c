import { customResourceDefinition, preserveUnknown, type JsonSchema } from '@glacis/kube';
import { z } from 'zod';
import { mutationPresets } from './index.js';

const template = (description: string): z.ZodType =>
  z
    .object({})
    .meta({ ...preserveUnknown, description })
    .optional();

/** The custom resource definition that is installed (`k8s/crds`). */
export const mutationPresetDefinition: JsonSchema = customResourceDefinition({
  type: mutationPresets,
  singular: 'mutationpreset',
  description: 'What each pod of a component namespace receives when it is created.',
  spec: z.object({
    containerTemplate: template('Merged into each container.'),
    podTemplate: template('Merged into the spec of the pod.'),
  }),
});
