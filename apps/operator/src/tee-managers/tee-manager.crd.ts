import { customResourceDefinition, type JsonSchema } from '@glacis/kube';
import { teeManagerSpec, teeManagerStatus } from './tee-manager.schema.js';
import { teeManagers } from './tee-manager.js';

const connected = '.status.conditions[?(@.type=="Connected")].status';

/** The custom resource definition that is installed (`k8s/crds`). */
export const teeManagerDefinition: JsonSchema = customResourceDefinition({
  type: teeManagers,
  singular: 'teemanager',
  shortNames: ['teem'],
  description:
    'A TEE host whose manager runs in this cluster, registered and certified with Glacis.',
  spec: teeManagerSpec,
  status: teeManagerStatus,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      message:
        'metadata.name: a letter first, then letters, digits and hyphens: it names a Service',
    },
    {
      rule: 'self.metadata.name.size() <= 52',
      message: 'metadata.name: at most 52 characters: a label of its Pod is made from it',
    },
  ],
  columns: [
    { name: 'Backend', type: 'string', jsonPath: '.status.backendId' },
    { name: 'TEE', type: 'string', jsonPath: '.spec.tee' },
    { name: 'Verdict', type: 'string', jsonPath: '.status.verdict' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Connected', type: 'string', jsonPath: connected },
    { name: 'Serial', type: 'string', jsonPath: '.status.certificateSerial', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
