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

export interface CustomResource<T extends KubeObject> {
  type: ResourceType<T>;
  /** Lower case: `teemanager`. */
  singular: string;
  shortNames?: string[];
  /** For people: `kubectl explain`. */
  description: string;
  spec: z.ZodType;
  /** A subresource: written by controllers alone. */
  status: z.ZodType;
  /** On the whole object, of whose metadata they see the name alone. */
  rules?: Rule[];
  columns?: PrinterColumn[];
}

/** The custom resource definition (apiextensions.k8s.io/v1) of a resource with one version. */
export function customResourceDefinition<T extends KubeObject>(
  resource: CustomResource<T>,
): JsonSchema {
  const { group, version, kind, plural, namespaced } = resource.type;
  const { singular, shortNames = [] } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: resource.columns ?? [],
          schema: { openAPIV3Schema: rootSchema(resource) },
        },
      ],
    },
  };
}

function rootSchema<T extends KubeObject>(resource: CustomResource<T>): JsonSchema {
  const { description, spec, status, rules = [] } = resource;
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(spec),
      status: structuralSchema(status),
    },
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
  };
}
