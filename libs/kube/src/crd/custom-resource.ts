import type { z } from 'zod';
import type { KubeObject } from '../api/objects.js';
import type { ResourceType } from '../api/resource-type.js';
import { structuralSchema, type JsonSchema, type Rule } from './structural-schema.js';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** Such as `.status.phase`. */
  jsonPath: string;
  description?: string;
  /** Above 0: shown with `-o wide` only. */
  priority?: number;
}

/** A version that is served beside the stored one, by conversion. It has the same status and columns. */
export interface OlderVersion {
  version: string;
  spec: z.ZodType;
  /** What clients that use it are told. */
  deprecationWarning: string;
}

/** The Service of the webhook by which the API server converts; its CA bundle is a matter of the installation. */
export interface ConversionService {
  namespace: string;
  name: string;
  path: string;
}

export interface CustomResource<T extends KubeObject> {
  type: ResourceType<T>;
  /** Lower case: `teemanager`. */
  singular: string;
  shortNames?: string[];
  /** For people: `kubectl explain`. */
  description: string;
  spec: z.ZodType;
  /** A subresource: written by controllers alone. Absent: there is none. */
  status?: z.ZodType;
  /** Default: there is one version. With some, `conversion` is needed. */
  older?: readonly OlderVersion[];
  conversion?: ConversionService;
  /** On the whole object, of whose metadata they see the name alone. */
  rules?: Rule[];
  columns?: PrinterColumn[];
}

/** The custom resource definition (apiextensions.k8s.io/v1) of a resource, whose type names the stored version. */
export function customResourceDefinition<T extends KubeObject>(
  resource: CustomResource<T>,
): JsonSchema {
  const { group, version, kind, plural, namespaced } = resource.type;
  const { singular, shortNames = [], older = [], conversion } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames },
      versions: [
        { name: version, served: true, storage: true, ...versionOf(resource, resource.spec) },
        ...older.map(({ version: name, spec, deprecationWarning }) => ({
          name,
          served: true,
          storage: false,
          deprecated: true,
          deprecationWarning,
          ...versionOf(resource, spec),
        })),
      ],
      ...(conversion && { conversion: conversionBy(conversion) }),
    },
  };
}

function versionOf<T extends KubeObject>(
  resource: CustomResource<T>,
  spec: z.ZodType,
): Record<string, unknown> {
  return {
    ...(resource.status && { subresources: { status: {} } }),
    additionalPrinterColumns: resource.columns ?? [],
    schema: { openAPIV3Schema: rootSchema(resource, spec) },
  };
}

function conversionBy(service: ConversionService): JsonSchema {
  const clientConfig = { service: { ...service, port: 443 } };
  const conversionReviewVersions = ['v1', 'v1beta1'];
  return { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions } };
}

function rootSchema<T extends KubeObject>(
  { description, status, rules = [] }: CustomResource<T>,
  spec: z.ZodType,
): JsonSchema {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(spec),
      ...(status && { status: structuralSchema(status) }),
    },
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
  };
}
