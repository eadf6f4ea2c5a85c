/** The annotation of a chart, read as YAML (graph-apps.md 3.3). */
import { byMember, closed, listOf, oneOfTexts } from './builders.js';
import { DECLARED_MOUNT_PATH, DECLARED_NAME } from './patterns.js';
import type { Schema } from './schema.js';

const volume = {
  name: DECLARED_NAME,
  type: oneOfTexts('volume'),
  mountPath: DECLARED_MOUNT_PATH,
};
const topic = { name: DECLARED_NAME, type: oneOfTexts('pulsar', 'kafka') };

const edges = listOf(
  byMember('type', closed(volume, 'name', 'type'), closed(topic, 'name', 'type')),
);
const names = listOf(DECLARED_NAME);

export const DECLARATION_SCHEMA: Schema = closed(
  { inputs: edges, outputs: edges, provides: names, requires: names },
  'inputs',
  'outputs',
);
