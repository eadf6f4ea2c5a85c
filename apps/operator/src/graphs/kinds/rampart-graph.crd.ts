import { customResourceDefinition, preserveUnknown, type JsonSchema } from '@glacis/kube';
import { z } from 'zod';
import { rampartGraphs } from './index.js';

/**
 * Open, since the API server prunes what a schema does not name before any webhook sees it: whoever writes an unknown key is
 * to be told so by the rules.
 */
const open = <S extends z.ZodRawShape>(shape: S, description: string): z.ZodObject<S> =>
  z.object(shape).meta({ ...preserveUnknown, description });

const graph = open(
  {
    components: open({}, 'Components by name: Helm charts, each in a namespace of its own.'),
    flows: open({}, 'Flows by name: volumes, repositories and topics that join components.'),
  },
  'Components, and the flows that join them.',
);

const deploy = z
  .boolean()
  .nullable()
  .optional()
  .meta({ description: 'False: it is not to run. Its data is kept. Default true.' });

const spec = 'What is to run.';

/** The custom resource definition that is installed (`k8s/crds`); its conversion names the Service of the chart. */
export const rampartGraphDefinition: JsonSchema = customResourceDefinition({
  type: rampartGraphs,
  singular: 'rampartgraph',
  shortNames: ['rg'],
  description: 'A graph of components, joined by data flows.',
  spec: open({ graph, deploy }, spec),
  status: open({}, 'What has become of it; written by the operator.'),
  older: [
    {
      version: 'v1beta1',
      spec: open({ graph }, spec),
      deprecationWarning: 'rampart.petuum.com/v1beta1 RampartGraph is deprecated; use v1beta2',
    },
  ],
  conversion: { namespace: 'glacis', name: 'glacis-webhooks', path: '/conversion' },
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    },
    {
      name: 'Version',
      type: 'string',
      jsonPath: '.metadata.annotations.glacis\\.dev/app-version',
    },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
