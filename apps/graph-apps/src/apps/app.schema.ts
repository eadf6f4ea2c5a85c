import { freeText, trimmedText } from '@glacis/http';
import { z } from 'zod';
import { appStatuses } from './app.entity.js';

const object = z.record(z.string(), z.unknown());
const part = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'expected a name such as my-graph' });

/** Up to 4000 characters (`graph-apps.md` 6.2, 20). */
export const notes = freeText(4000);

/** A RampartGraph as it is posted. What is in `spec` is for the rules to judge. */
export const graphBody = z.object({
  apiVersion: z.string().max(256),
  kind: z.string().max(256),
  metadata: z.object({
    // Whether it will do is a rule of the graph.
    name: z.string().max(512),
    namespace: part.default('default'),
    labels: z.record(z.string().max(317), z.string().max(63)).default({}),
  }),
  spec: object,
  notes: notes.optional(),
});
export type GraphBody = z.output<typeof graphBody>;

/** Of another version of an App only these are read. */
export const versionBody = graphBody.omit({ metadata: true }).extend({ metadata: object });
export type VersionBody = z.output<typeof versionBody>;

export const notesBody = z.object({ notes });

const limit = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, { error: 'expected a whole number from 1 to 500' })
  .transform(Number)
  .refine((value) => value <= 500, { error: 'expected a whole number from 1 to 500' })
  .meta({ type: 'integer', minimum: 1, maximum: 500 })
  .optional();

/** Paging of every list (6.1). */
export const pageQuery = z.object({ limit, cursor: z.string().max(512).optional() });
export type PageQuery = z.output<typeof pageQuery>;

export const listQuery = pageQuery.extend({
  namespace: trimmedText(63).optional(),
  q: trimmedText(63).optional(),
  status: z.enum(appStatuses).optional(),
  fields: z.literal('summary').optional(),
});
export type ListQuery = z.output<typeof listQuery>;

export const diffQuery = z.object({
  ignoreUi: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true'),
});

const time = z.string().nullable();

export const storedGraphReply = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({ graph: z.unknown() }),
});

export const createdReply = z.object({
  graph: object,
  appId: z.string(),
  versionId: z.string(),
  warnings: z.array(z.string()).optional(),
});

export const savedReply = z.object({
  appId: z.string(),
  versionId: z.int(),
  graph: storedGraphReply,
  warnings: z.array(z.string()).optional(),
});

export const appListReply = z.array(
  z.object({
    id: z.string(),
    appId: z.string(),
    name: z.string(),
    description: z.string(),
    deployedVersion: z.int(),
    versionCount: z.int(),
    readOnly: z.boolean(),
    graph: storedGraphReply.optional(),
    lastDeployment: time,
    lastEdit: time,
  }),
);

const versionShape = {
  name: z.string(),
  appId: z.string(),
  version: z.string(),
  status: z.string(),
  deployed: z.boolean(),
  lastDeployment: time,
  lastEdit: time,
  notes: z.string(),
};

export const versionItemReply = z.object({
  ...versionShape,
  hash: z.string(),
  source: z.enum(['api', 'cluster', 'import']),
});
export const versionListReply = z.array(versionItemReply);

export const appReply = z.object({
  id: z.string().nullable(),
  name: z.string(),
  namespace: z.string(),
  readOnly: z.boolean(),
  versions: z.array(z.object(versionShape)),
  deployed: z.boolean(),
  graph: z.union([storedGraphReply, z.object({})]),
  lastModified: time,
  activeVersion: z.int(),
});

export const versionGraphReply = z.object({
  appId: z.string(),
  readOnly: z.boolean().optional(),
  versionId: z.string(),
  graph: object,
});

const names = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.object({ name: z.string(), paths: z.array(z.string()) })),
});

export const diffReply = z.object({
  appId: z.string(),
  from: z.string(),
  to: z.string(),
  equal: z.boolean(),
  components: names,
  flows: names,
  patch: z.array(z.object({ op: z.string(), path: z.string(), value: z.unknown().optional() })),
});
