/** Patterns of graph-apps.md 1.2, as they stand in schemas. */
import type { Schema } from './schema.js';

/** K: names that become names in the cluster. */
export const NAME: Schema = {
  type: 'string',
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  description: 'lower-case letters, digits and dashes, with a letter or digit at both ends',
};

/** E: names of edges. */
export const EDGE_NAME: Schema = {
  type: 'string',
  pattern: '^[a-zA-Z0-9_-]+$',
  description: 'letters, digits, underscores and dashes, at least one',
};

const identifier = '(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)';
const number = '(0|[1-9][0-9]*)';

/** V: a version of a chart. */
export const VERSION: Schema = {
  type: 'string',
  pattern:
    `^latest$|^${number}\\.${number}\\.${number}(?:-${identifier}(?:\\.${identifier})*)?` +
    '(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$',
  description: '`latest` or a full semantic version such as 1.2.3 or 1.2.3-rc.1',
};

/** S: names that a chart declares, `*` at the end for any rest. */
export const DECLARED_NAME: Schema = {
  type: 'string',
  pattern: '^[a-zA-Z0-9_-]+\\*?$|^\\*$',
  description: 'letters, digits, underscores and dashes, then at most one `*`; or `*` alone',
};

/** M: mount paths that a chart declares; empty counts as absent. */
export const DECLARED_MOUNT_PATH: Schema = {
  type: 'string',
  pattern: '^(?:/[^/\\n\\0]+)*$',
  description: 'an absolute path without a slash at its end and without //',
};

/** K for a name that is not in a schema. */
export const NAME_PATTERN = new RegExp(NAME.pattern ?? '');

/** Q, the number aside: a quantity of Kubernetes above zero. */
const QUANTITY =
  /^\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]+)?$/;

/** Whether the text is a quantity of Kubernetes above zero, such as `10Gi`. */
export function isQuantity(text: string): boolean {
  const digits = QUANTITY.exec(text)?.[1];
  return digits !== undefined && /[1-9]/.test(digits);
}
