import { z } from 'zod';
import type { KubeObject } from '../api/objects.js';
import {
  isObject,
  type Hook,
  type HookContext,
  type RefusalCause,
  type Review,
  type ReviewAnswer,
  type ReviewStatus,
} from './hook.js';
import { jsonPatch, type JsonPatchOperation } from './json-patch.js';

/** What the API server asks (admission.k8s.io/v1). */
export interface AdmissionRequest<T extends KubeObject = KubeObject> {
  uid: string;
  /** Of the object as it is sent to this webhook, which may be another version than the client wrote. */
  kind: { group: string; version: string; kind: string };
  resource: { group: string; version: string; resource: string };
  subResource?: string;
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  /** Absent while the server has yet to make it of `generateName`. */
  name?: string;
  /** Nothing that API servers of today send: they have made the name, or it stands in the object's metadata. */
  generateName?: string;
  /** Absent for cluster-wide objects. */
  namespace?: string;
  userInfo: { username?: string; uid?: string; groups?: string[] };
  /** Of CREATE and UPDATE. Objects without a name carry none in their metadata. */
  object?: T;
  /** Of UPDATE and DELETE. */
  oldObject?: T;
  /** Nothing will be stored, so nothing may be changed elsewhere either. */
  dryRun: boolean;
}

export interface Refusal {
  allowed: false;
  status: ReviewStatus;
  warnings?: readonly string[];
}

/** `warnings` are shown by `kubectl`; the API server cuts them after 256 characters. */
export type Verdict = { allowed: true; warnings?: readonly string[] } | Refusal;

/**
 * What is to become of the object: `object`, or `patch`, which is sent as it is, also when it is empty. Default: it stays as
 * it is.
 */
export type Mutation<T> =
  | {
      allowed: true;
      object?: T;
      patch?: readonly JsonPatchOperation[];
      warnings?: readonly string[];
    }
  | Refusal;

type Handler<T extends KubeObject, V> = (
  request: AdmissionRequest<T>,
  context: HookContext,
) => V | Promise<V>;

/** A verdict against: by default `403 Forbidden`. */
export function refused(
  message: string,
  options: { code?: number; reason?: string; causes?: RefusalCause[] } = {},
): Refusal {
  const { code = 403, reason = 'Forbidden', causes } = options;
  const status = { code, reason, message, ...(causes && { details: { causes } }) };
  return { allowed: false, status };
}

/** Says whether an object may be written. A handler that throws, or is late, has it refused. */
export function validating<T extends KubeObject>(handler: Handler<T, Verdict>): Hook {
  return admission<T>(handler);
}

/** Changes an object before it is written: the answer is the JSON patch from what was sent to what the handler gives. */
export function mutating<T extends KubeObject>(handler: Handler<T, Mutation<T>>): Hook {
  return admission<T>(async (request, context) => {
    const mutation = await handler(request, context);
    if (!mutation.allowed) return mutation;
    const { object, patch, ...verdict } = mutation;
    if (patch) return { ...verdict, ...encoded(patch) };
    const changes = request.object && object ? jsonPatch(request.object, object) : [];
    return changes.length > 0 ? { ...verdict, ...encoded(changes) } : verdict;
  });
}

interface Patch {
  patchType: 'JSONPatch';
  patch: string;
}

function encoded(operations: readonly JsonPatchOperation[]): Patch {
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return { patchType: 'JSONPatch', patch };
}

const text = z.string();
const object = z
  .custom<object>(isObject)
  .nullish()
  .transform((value) => value ?? undefined);
/** API servers always say; what is written by hand need not. */
const unnamed = { group: '', version: '', kind: '', resource: '' };
const reviewSchema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: text.min(1),
    kind: z.object({ group: text, version: text, kind: text }).default(unnamed),
    resource: z.object({ group: text, version: text, resource: text }).default(unnamed),
    subResource: text.optional(),
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    name: text.optional(),
    generateName: text.optional(),
    namespace: text.optional(),
    userInfo: z
      .object({
        username: text.optional(),
        uid: text.optional(),
        groups: z.array(text).optional(),
      })
      .default({}),
    object,
    oldObject: object,
    dryRun: z.boolean().default(false),
  }),
});

function admission<T extends KubeObject>(handler: Handler<T, Verdict & Partial<Patch>>): Hook {
  return (body): Review | undefined => {
    const { data } = reviewSchema.safeParse(body);
    if (!data) return undefined;
    const request = data.request as AdmissionRequest<T>;
    const answer = (response: Verdict): object => ({
      apiVersion: data.apiVersion,
      kind: data.kind,
      response: { uid: request.uid, ...response },
    });
    return {
      subject: subjectOf(request),
      decide: async (context): Promise<ReviewAnswer> => {
        const verdict = await handler(request, context);
        return { body: answer(verdict), result: verdict.allowed ? 'allowed' : 'denied' };
      },
      failed: (status) => answer({ allowed: false, status }),
    };
  };
}

function subjectOf(request: AdmissionRequest): Record<string, string> {
  const { operation, resource, namespace = '', name = '' } = request;
  return { operation, resource: resource.resource, namespace, name };
}
