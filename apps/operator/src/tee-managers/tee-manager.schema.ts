import {
  conditions,
  dateTime,
  envVar,
  envVarName,
  int64,
  keyedBy,
  labels,
  objectName,
  resourceRequirements,
  rules,
  toleration,
} from '@glacis/kube';
import { leafKeyAlgorithms } from '@glacis/pki';
import { z } from 'zod';

// The TeeManager as `backends.md` 15 has it. The custom resource definition is generated from these types, so that
// whoever writes a wrong one is told by the API server, with the field.

/** Host name, IPv4 or IPv6 address, with a port or without; backends.md 2.4 has the last word. */
const host =
  /^(\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?)$/;

const goDuration = z.string().max(64);

const certificate = z
  .object({
    ttl: goDuration
      .meta({
        description:
          'Life of a certificate, as a Go duration of at least 1m; the CA may shorten it.',
        ...rules({
          rule: "duration(self) >= duration('1m')",
          message: 'at least 1m, as a Go duration such as 2160h or 1h30m',
        }),
      })
      .default('2160h'),
    renewBefore: goDuration
      .meta({
        description: 'How long before its end a certificate is renewed; default: a third of ttl.',
        ...rules({
          rule: "duration(self) > duration('0s')",
          message: 'above 0, as a Go duration such as 720h',
        }),
      })
      .optional(),
    keyAlgorithm: z
      .enum(leafKeyAlgorithms)
      .meta({ description: 'Of the key; a change makes a new key.' })
      .default('ECDSA-P256'),
  })
  .meta(
    rules({
      rule: '!has(self.renewBefore) || duration(self.renewBefore) < duration(self.ttl)',
      message: 'smaller than ttl',
      fieldPath: '.renewBefore',
    }),
  );

const reservedPrefixes = ['MANAGER_GRPC_', 'GLACIS_MANAGER_'];
const managerVariable = envVarName.meta(
  rules({
    rule: reservedPrefixes.map((prefix) => `!self.startsWith('${prefix}')`).join(' && '),
    message: `${reservedPrefixes.map((prefix) => `${prefix}*`).join(' and ')} are set by the operator`,
  }),
);

export const teeManagerSpec = z.object({
  backend: z
    .object({
      name: z
        .string()
        .min(1)
        .max(1024)
        .regex(/^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u)
        .meta({ description: 'Name of the backend, unique in its tenant.' }),
      address: z.string().min(1).max(260).regex(host).optional().meta({
        description:
          'Host name or IP address of the host, with a port or without; default: the name of the Pod in the cluster.',
      }),
    })
    .meta({ description: 'How the host is registered with the backends service.' }),
  tee: z.enum(['snp', 'tdx', 'none']).meta({
    description: 'Trusted execution environment of the host.',
    ...rules({ rule: 'self == oldSelf', message: 'cannot be changed' }),
  }),
  image: z.string().min(1).max(1024).regex(/^\S+$/).optional().meta({
    description: "Image of the manager; default: the reference manager in the operator's image.",
  }),
  protocol: z
    .enum(['seed', 'v0.2', 'v0.3', 'v0.4'])
    .default('seed')
    .meta({ description: 'Dialect of the manager stream.' }),
  resources: resourceRequirements.optional().meta({
    description:
      'Of the container, devices included. Without a request for the TEE its device is requested where a node offers one.',
  }),
  nodeSelector: labels.optional().meta({
    description: 'Default: the label by which node feature discovery marks hosts with the TEE.',
  }),
  tolerations: z.array(toleration).max(64).optional(),
  runtimeClassName: objectName.optional(),
  certificate: certificate.default({ ttl: '2160h', keyAlgorithm: 'ECDSA-P256' }),
  environment: z
    .array(envVar(managerVariable))
    .max(100)
    .meta(keyedBy('name'))
    .optional()
    .meta({ description: 'More variables of the manager.' }),
});

export const phases = [
  'Pending',
  'Registering',
  'Issuing',
  'Starting',
  'Running',
  'Renewing',
  'Terminated',
  'Failed',
  'Deleting',
] as const;

export const teeManagerStatus = z.object({
  phase: z.enum(phases).optional(),
  backendId: z.string().optional(),
  tenant: z.string().optional().meta({
    description:
      'Where the backend is registered; a later label of the namespace does not move it.',
  }),
  certificateSerial: z.string().optional(),
  certificateNotAfter: dateTime.optional(),
  verdict: z.enum(['claimed', 'verified', 'refused', 'unverified']).optional().meta({
    description:
      'What evidence says of the TEE; claimed: nobody has looked, it is the word of the host.',
  }),
  termination: z
    .object({
      id: z.string(),
      generation: int64,
      restart: z.string().optional(),
    })
    .optional()
    .meta({
      description:
        'The latest termination by a user, and what was asked for when it was seen: a change starts again.',
    }),
  observedGeneration: int64.optional(),
  conditions: conditions.optional(),
});
