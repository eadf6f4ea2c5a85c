import { z } from 'zod';

const uuid = z.string().min(1);
const serial = z.string().regex(/^[0-9]+$/);
const time = z.iso.datetime();

/** One kind of event: its topic (one per aggregate type), version and the schema of `data`. */
export interface EventDefinition<S extends z.ZodType = z.ZodType> {
  /** Bumped only when a member is added; members are never removed or renamed. */
  version: number;
  /** The aggregate type, and so the bus topic. The aggregate id is the key, hence order per aggregate. */
  topic: string;
  data: S;
}

const define = <S extends z.ZodType>(topic: string, data: S, version = 1): EventDefinition<S> => ({
  version,
  topic,
  data,
});

const backend = z.object({
  backend_id: uuid,
  name: z.string(),
  address: z.string(),
  changed: z.array(z.string()),
});

/** Of a stream beside the main one, which does not decide whether its backend is connected. */
const beside = z.literal('log-forwarder').optional();

const app = { app_id: z.string(), namespace: z.string(), name: z.string() };
const savedBy = z.enum(['api', 'cluster', 'import']);
const version = z.int().positive();

const entity = { entity_type: z.string(), entity_id: z.string() };

const job = { job_id: uuid, attempt: z.int().positive() };

/** Every event of the suite. `backends.md` 11 and `certificates.md` 9 fix the members of theirs. */
export const eventTypes = {
  'backend.created': define('backend', backend),
  'backend.updated': define('backend', backend),
  /** `entity_type` is absent for a host. */
  'backend.deleted': define(
    'backend',
    backend.extend({ entity_type: z.literal('cvm').optional() }),
    2,
  ),
  'backend.connected': define(
    'backend',
    z.object({
      backend_id: uuid,
      stream_id: uuid,
      epoch: z.number(),
      replica_id: z.string(),
      certificate_serial: serial,
      issuer_id: z.string(),
      protocol: z.string(),
      version: z.string().optional(),
      peer: z.string(),
      connection_type: beside,
    }),
    2,
  ),
  'backend.disconnected': define(
    'backend',
    z.object({
      backend_id: uuid,
      stream_id: uuid,
      reason: z.enum([
        'closed',
        'terminated',
        'revoked',
        'expired',
        'replaced',
        'keepalive',
        'replica_lost',
        'shutdown',
      ]),
      opened_at: time,
      closed_at: time,
      connection_type: beside,
    }),
    2,
  ),
  'backend.termination.requested': define(
    'backend',
    z.object({
      request_id: uuid,
      backend_id: uuid,
      stream_id: uuid.optional(),
      termination_type: z.union([z.literal(0), z.literal(1)]),
      reason: z.string().optional(),
      requested_by: z.string(),
    }),
  ),
  'backend.terminated': define(
    'backend',
    z.object({
      request_id: uuid.optional(),
      backend_id: uuid,
      stream_id: uuid,
      termination_type: z.union([z.literal(0), z.literal(1)]),
      delivered: z.boolean(),
      closed_at: time,
    }),
  ),
  /** A run that was accepted and will not be sent, as its stream has ended. */
  'backend.run.dropped': define(
    'backend-agents',
    z.object({ backend_id: uuid, stream_id: uuid, computation_id: z.string() }),
  ),
  /** What a manager or agent answered to a run; an empty `error` means that it took it. */
  'backend.run.answered': define(
    'backend-agents',
    z.object({
      backend_id: uuid,
      stream_id: uuid,
      received_at: time,
      computation_id: z.string(),
      error: z.string(),
      agent_port: z.string(),
    }),
  ),
  /** A command waits for the replica that holds the stream of the backend. Broadcast only, among its replicas. */
  'backend.command.asked': define(
    'backend-commands',
    z.object({ command_id: uuid, backend_id: uuid }),
  ),
  /** It has been carried out, or refused. */
  'backend.command.answered': define(
    'backend-commands',
    z.object({ command_id: uuid, backend_id: uuid }),
  ),
  /** What a manager or its agents reported, for the computations service (`backends.md` 4.9). */
  'backend.agent.event': define(
    'backend-agents',
    z.object({
      backend_id: uuid,
      stream_id: uuid,
      received_at: time,
      event_type: z.string(),
      status: z.string(),
      computation_id: z.string(),
      originator: z.string(),
      timestamp: time.optional(),
      details: z.base64(),
    }),
  ),
  'backend.agent.log': define(
    'backend-agents',
    z.object({
      backend_id: uuid,
      stream_id: uuid,
      received_at: time,
      message: z.string(),
      level: z.string(),
      computation_id: z.string(),
      timestamp: time.optional(),
    }),
  ),
  'certificate.issued': define(
    'certificate',
    z.object({
      serial_number: serial,
      ...entity,
      issuer_id: z.string(),
      not_after: time,
      source: z.enum(['server', 'csr', 'est']),
    }),
  ),
  'certificate.renewed': define(
    'certificate',
    z.object({
      serial_number: serial,
      replaces: serial,
      old_revoked: z.boolean(),
      ...entity,
      not_after: time,
    }),
  ),
  'certificate.revoked': define(
    'certificate',
    z.object({
      serial_number: serial,
      ...entity,
      reason: z.number().int(),
      revoked_at: time,
      sequence: z.number().int(),
    }),
  ),
  'certificate.expiring': define(
    'certificate',
    z.object({
      serial_number: serial,
      ...entity,
      not_after: time,
      days_left: z.number(),
    }),
  ),
  'issuer.revoked': define(
    'certificate',
    z.object({
      issuer_id: z.string(),
      reason: z.number().int(),
      revoked_at: time,
      sequence: z.number().int(),
    }),
  ),
  /** An App is there: drafted, found in the cluster, or imported (`graph-apps.md` 6). */
  'app.created': define('app', z.object({ ...app, source: savedBy })),
  /** With all its versions. */
  'app.deleted': define('app', z.object(app)),
  'version.saved': define('app', z.object({ ...app, version, hash: z.string(), source: savedBy })),
  /** The cluster has taken a version to deploy, or with `deployed` false to take down. */
  'deployment.requested': define('app', z.object({ ...app, version, deployed: z.boolean() })),
  /** The operator has come to an end with it, good or bad. */
  'deployment.finished': define(
    'app',
    z.object({
      ...app,
      version,
      phase: z.enum(['Deployed', 'Undeployed', 'Failed']),
      reason: z.string().optional(),
    }),
  ),
  /** A job takes owners (`jobs.md` 4). */
  'job.created': define(
    'job',
    z.object({
      job_id: uuid,
      query_hash: z.string(),
      execution: z.enum(['local', 'mixed', 'cloud']),
      providers: z.array(z.string()),
    }),
  ),
  /** Its data has passed validation; an attempt waits for its turn. */
  'job.submitted': define('job', z.object(job)),
  'job.state_changed': define('job', z.object({ ...job, from: z.string(), to: z.string() })),
  'job.finished': define(
    'job',
    z.object({
      ...job,
      outcome: z.enum(['success', 'fail', 'cancelled']),
      failure_class: z.string().optional(),
    }),
  ),
  /** With its buckets and results. */
  'job.deleted': define('job', z.object({ job_id: uuid })),
  /** Every verifier drops the token at once; `expires_at` tells how long to remember it. */
  'token.revoked': define('token', z.object({ token_id: z.string(), expires_at: time })),
  /** Every verifier checks the signatures of all tokens again, with the keys as they are now. */
  'token.keys.rotated': define('token', z.object({ key_id: z.string() })),
} as const;

export type EventType = keyof typeof eventTypes;
export type EventData<K extends EventType> = z.infer<(typeof eventTypes)[K]['data']>;
