import type { Empty } from '../generated/manager/vms/google/protobuf/empty.js';
import {
  ManagerServiceDefinition,
  type AttestationPolicyRes,
  type CreateReq,
  type CreateRes,
  type CVMInfoRes,
} from '../generated/manager/vms/manager.js';
import { same, wireMethod, type Wire, type WireMethod } from '../services/wire-method.js';

export type { AttestationPolicyRes, CreateReq, CreateRes, CVMInfoRes };

const { methods } = ManagerServiceDefinition;

/** A manager of generation B or C: starts VMs whose agents dial the control plane by themselves (`backends.md` 8). */
export interface VmManager {
  /** Not idempotent: each call starts another VM. */
  createVm(request: CreateReq): Promise<CreateRes>;
  removeVm(request: { cvmId: string }): Promise<Empty>;
  cvmInfo(request: { id: string }): Promise<CVMInfoRes>;
  /** `cvmInfo` of v0.5.0 and v0.5.1. */
  svmInfo(request: { id: string }): Promise<CVMInfoRes>;
  attestationPolicy(request: { id: string }): Promise<AttestationPolicyRes>;
}

/** `manager.ManagerService`, the same bytes for every version. */
export const vmManagerWire: Required<Wire<VmManager>> = {
  createVm: asItIs(methods.createVm),
  removeVm: asItIs(methods.removeVm),
  cvmInfo: asItIs(methods.cVMInfo),
  svmInfo: asItIs(methods.sVMInfo),
  attestationPolicy: asItIs(methods.attestationPolicy),
};

function asItIs<Q, R>(method: Parameters<typeof wireMethod<Q, R, Q, R>>[1]): WireMethod<Q, R> {
  const forms = { toRequest: same<Q>, fromRequest: same<Q>, toReply: same<R>, fromReply: same<R> };
  return wireMethod(ManagerServiceDefinition, method, forms);
}

/** Largest request or reply in bytes: keys, certificates and a policy document. */
export const maxVmMessageBytes = 4 * 1024 * 1024;

/** The texts by which managers tell what is wrong; all of them come with the code UNKNOWN. */
export const vmRefusals = {
  notFound: 'entity not found',
  tooMany: 'maximum number of VMs exceeded',
  unknownComputation: (id: string): string => `computationId ${id} not found`,
} as const;
