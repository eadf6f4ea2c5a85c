import { isDeepStrictEqual } from 'node:util';
import type { ClusterView } from '../cluster-view.js';
import type { JsonObject } from '../graph.js';
import { isObject, member } from '../json.js';
import { V1BETA2 } from '../resources.js';
import { admit, internal, type ReportFault } from '../rules/admit.js';
import { textOf, type Finding, type Verdict } from '../verdict.js';
import { convertGraph } from './graph-conversion.js';

/** What the verdict depends on of an admission request (admission.k8s.io/v1). Any input is answered. */
export interface GraphRequest {
  operation: string;
  namespace?: string;
  name?: string;
  generateName?: string;
  /** In any version. */
  object?: unknown;
  oldObject?: unknown;
}

/** `response` of the review without its uid; warnings where there are some. */
export type GraphResponse = { allowed: true; warnings?: string[] } | GraphRefusal;

export interface GraphRefusal {
  allowed: false;
  status: {
    code: 403;
    reason: string;
    message: string;
    details: { causes: { reason: string; field: string; message: string }[] };
  };
  warnings?: string[];
}

/** Whether a graph may be written as it is (5.2): every rule that needs no chart. Never throws, as `admit`. */
export function validateReview(
  request: GraphRequest,
  cluster: ClusterView,
  report: ReportFault,
): GraphResponse {
  try {
    return judge(request, cluster, report);
  } catch (error) {
    return responseTo(internal(report(error)));
  }
}

function judge(request: GraphRequest, cluster: ClusterView, report: ReportFault): GraphResponse {
  const object = asStored(request.object);
  if (!isChecked(request.operation, object)) return { allowed: true };
  if (request.operation === 'UPDATE' && isKept(object['spec'], asStored(request.oldObject)['spec']))
    return { allowed: true };
  const { namespace, name } = request;
  const metadata = object['metadata'];
  const generateName = request.generateName ?? textIn(metadata, 'generateName');
  const uid = textIn(metadata, 'uid');
  const { spec } = object;
  return responseTo(admit({ namespace, name, generateName, uid, spec }, cluster, report));
}

function responseTo({ errors, warnings }: Verdict): GraphResponse {
  const told = warnings.length > 0 && { warnings };
  return errors.length === 0
    ? { allowed: true, ...told }
    : { allowed: false, status: statusOf(errors), ...told };
}

function isChecked(operation: string, object: JsonObject): boolean {
  const isWrite = operation === 'CREATE' || operation === 'UPDATE';
  return isWrite && !member(object['metadata'], 'deletionTimestamp');
}

/** Graphs stored before a rule existed can still be labelled, finalised and undeployed. */
function isKept(spec: unknown, before: unknown): boolean {
  if (!isObject(spec) || !isObject(before) || !isObject(before['graph'])) return false;
  const { deploy = true } = spec;
  const { deploy: deployed = true } = before;
  return (
    isDeepStrictEqual(spec['graph'], before['graph']) && (deploy === false || deploy === deployed)
  );
}

function statusOf(errors: readonly Finding[]): GraphRefusal['status'] {
  const message = textOf(errors);
  const nameless = errors.some(
    ({ code }) => code === 'NAME_MISSING' || code === 'NAMESPACE_MISSING',
  );
  return {
    code: 403,
    reason: nameless ? 'Invalid graph' : `Invalid: ${message}`,
    message,
    details: {
      causes: errors.map(({ code, path, message: text }) => ({
        reason: code,
        field: path,
        message: text,
      })),
    },
  };
}

/** API servers send the stored version; whoever sends another has it read as they would convert it. */
function asStored(object: unknown): JsonObject {
  if (!isObject(object)) return {};
  return convertGraph(object, V1BETA2) ?? object;
}

function textIn(map: unknown, key: string): string | undefined {
  const value = member(map, key);
  return typeof value === 'string' ? value : undefined;
}
