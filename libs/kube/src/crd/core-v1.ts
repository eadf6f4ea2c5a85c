import { z } from 'zod';
import { atomic, int64, rules } from './structural-schema.js';

// Parts of core/v1 that custom resources take over, held to the rules of the API server's own validation, so that a
// mistake is refused where it is made and not when a Pod is to be started.

/** Name of an object: a DNS subdomain (RFC 1123). */
export const objectName: z.ZodType<string> = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** Key of a label, an annotation or a resource: a name, with a DNS subdomain and `/` before it or without. */
const qualifiedName =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
const keyForm = {
  rule: `self.all(key, key.matches('${qualifiedName}'))`,
  message: 'keys are names such as example.com/name, the part after the slash of at most 63',
};

const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);

/** Labels, or what selects by them. */
export const labels: z.ZodType<Record<string, string>> = z
  .record(z.string(), labelValue)
  .meta({ ...rules(keyForm), ...atomic, maxProperties: 64 });

const configKey = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/);

const keySelector = z
  .object({ name: objectName, key: configKey, optional: z.boolean().optional() })
  .meta(atomic);

const quantityForm =
  /^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$/;

/** Amount of a resource: `500m`, `2Gi`, `1`. Whole numbers may come as such; the type is that of client-node. */
export const quantity = z.union([z.int(), z.string()]).meta({
  'x-kubernetes-int-or-string': true,
  pattern: quantityForm.source,
  maxLength: 32,
}) as unknown as z.ZodType<string>;

const envVarSource = z
  .object({
    fieldRef: z
      .object({
        apiVersion: z.string().max(63).optional(),
        fieldPath: z.string().min(1).max(512),
      })
      .meta(atomic)
      .optional(),
    resourceFieldRef: z
      .object({
        containerName: z.string().max(63).optional(),
        resource: z.string().min(1).max(253),
        divisor: quantity.optional(),
      })
      .meta(atomic)
      .optional(),
    configMapKeyRef: keySelector.optional(),
    secretKeyRef: keySelector.optional(),
  })
  .meta(
    rules({
      rule: '[has(self.fieldRef), has(self.resourceFieldRef), has(self.configMapKeyRef), has(self.secretKeyRef)].filter(given, given).size() == 1',
      message: 'give exactly one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef',
    }),
  );

/** Name of an environment variable, as every shell takes it. */
export const envVarName: z.ZodString = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/);

const envVarShape = {
  value: z.string().max(32_768).optional(),
  valueFrom: envVarSource.optional(),
};

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: z.output<typeof envVarSource>;
}

/** @param name `envVarName`, with what else the resource asks of it */
export function envVar(name: z.ZodType<string>): z.ZodType<EnvVar> {
  return z.object({ name, ...envVarShape }).meta(
    rules({
      rule: '!(has(self.value) && has(self.valueFrom))',
      message: 'value and valueFrom exclude each other',
    }),
  );
}

const quantities = z
  .record(z.string(), quantity)
  .meta({ ...rules(keyForm), maxProperties: 32 })
  .optional();

/** ResourceRequirements without `claims`: those name claims of the Pod, which only its owner can give it. */
export const resourceRequirements = z.object({ limits: quantities, requests: quantities }).meta(
  rules({
    rule: '!has(self.requests) || !has(self.limits) || self.requests.all(key, !(key in self.limits) || quantity(string(self.requests[key])).compareTo(quantity(string(self.limits[key]))) <= 0)',
    message: 'a request is at most the limit',
    fieldPath: '.requests',
  }),
);

export type ResourceRequirements = z.output<typeof resourceRequirements>;

/** Toleration of a taint. */
export const toleration = z
  .object({
    key: z.string().max(317).optional(),
    operator: z.enum(['Exists', 'Equal']).optional(),
    value: labelValue.optional(),
    effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
    tolerationSeconds: int64.optional(),
  })
  .meta(
    rules(
      {
        rule: `!has(self.key) || self.key == '' || self.key.matches('${qualifiedName}')`,
        message: 'a name such as example.com/name',
        fieldPath: '.key',
      },
      {
        rule: "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
        message: 'without a key the operator is Exists',
        fieldPath: '.operator',
      },
      {
        rule: "!(has(self.operator) && self.operator == 'Exists' && has(self.value) && self.value != '')",
        message: 'with the operator Exists there is no value',
        fieldPath: '.value',
      },
      {
        rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        message: 'goes with the effect NoExecute',
        fieldPath: '.tolerationSeconds',
      },
    ),
  );

export type Toleration = z.output<typeof toleration>;
