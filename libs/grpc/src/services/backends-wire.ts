import {
  backendEventTypes,
  type BackendEvent,
  type BackendsRpc,
  type NameHolder,
} from '@glacis/contracts';
import { BackendsDefinition } from '../generated/backends/v1/backends.js';
import { malformed, same, wireMethod, type Wire } from './wire-method.js';

const { methods } = BackendsDefinition;

/** `glacis.backends.v1.Backends` (`backends.md` 11). */
export const backendsWire: Wire<BackendsRpc> = {
  get: wireMethod(BackendsDefinition, methods.get, {
    toRequest: same,
    fromRequest: same,
    toReply: same,
    fromReply: same,
  }),
  run: wireMethod(BackendsDefinition, methods.run, {
    toRequest: same,
    fromRequest: same,
    toReply: same,
    fromReply: same,
  }),
  stop: wireMethod(BackendsDefinition, methods.stop, {
    toRequest: same,
    fromRequest: same,
    toReply: same,
    fromReply: () => ({}),
  }),
  terminate: wireMethod(BackendsDefinition, methods.terminate, {
    toRequest: ({ backendId, type, reason }) => ({ backendId, type, reason }),
    fromRequest: ({ backendId, type, reason }, caller) => ({
      backendId,
      type: terminationType(type),
      reason,
      requestedBy: `service:${caller}`,
    }),
    toReply: same,
    fromReply: same,
  }),
  watch: wireMethod(BackendsDefinition, methods.watch, {
    toRequest: same,
    fromRequest: ({ tenant }) => ({ tenant: tenant || missing('tenant') }),
    toReply: ({ data, ...event }) => ({ ...event, data: JSON.stringify(data) }),
    fromReply: ({ type, time, data, ...event }) => ({
      ...event,
      type: eventType(type),
      time: time ?? missing('time'),
      data: JSON.parse(data) as unknown,
    }),
  }),
  checkNames: wireMethod(BackendsDefinition, methods.checkNames, {
    toRequest: ({ names, ...rest }) => ({ ...rest, name: names }),
    fromRequest: ({ tenant, backendId, entityType, name }) => ({
      tenant,
      backendId,
      entityType: backendType(entityType),
      names: name,
    }),
    toReply: ({ exists, addressIsOurs, holders }) => ({ exists, addressIsOurs, holder: holders }),
    fromReply: ({ exists, addressIsOurs, holder }) => ({
      exists,
      addressIsOurs,
      holders: holder.map(nameHolder),
    }),
  }),
};

function terminationType(type: number): 0 | 1 {
  if (type === 0 || type === 1) return type;
  throw malformed('type is 0 or 1');
}

function missing(member: string): never {
  throw malformed(`${member} is missing`);
}

function eventType(text: string): BackendEvent['type'] {
  const known = backendEventTypes.find((type) => type === text);
  if (known === undefined) throw new Error(`unknown event type ${text}`);
  return known;
}

/** Callers that know of hosts alone name no type. */
function backendType(type: string): 'backend' | 'cvm' {
  if (type === '' || type === 'backend') return 'backend';
  if (type === 'cvm') return type;
  throw malformed('entity_type is backend or cvm');
}

function nameHolder(holder: number): NameHolder {
  if (holder === 0 || holder === 1 || holder === 2 || holder === 3) return holder;
  throw new Error(`unknown holder ${holder}`);
}
