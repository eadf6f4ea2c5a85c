import { ClientStreamMessage } from '../generated/manager/v0.4/manager.js';
import { UndecodableMessageError, type ClientMessage } from './messages.js';
import { fromBytes } from './wire.js';

type OneOf = NonNullable<ClientStreamMessage['message']>;

const kinds: Record<OneOf['$case'], ClientMessage['kind']> = {
  agentLog: 'agentLog',
  agentEvent: 'agentEvent',
  runRes: 'runResponse',
  attestationPolicy: 'information',
  stopComputationRes: 'stopResponse',
  svmInfo: 'svmInfo',
};

/**
 * Reads what a manager of any dialect sent: the numbers of the dialects never clash and those of `v0.4` are their
 * union. Undefined when no known member is set, which is to be counted and ignored. Texts may hold any character,
 * NUL as well.
 * @throws {UndecodableMessageError}
 */
export function decodeClientMessage(bytes: Uint8Array): ClientMessage | undefined {
  const { message } = fromBytes(ClientStreamMessage, bytes);
  if (message === undefined) return undefined;
  if ('timestamp' in message.value && isNoTime(message.value.timestamp)) {
    throw new UndecodableMessageError();
  }
  return { kind: kinds[message.$case], value: message.value } as ClientMessage;
}

/** A timestamp beyond what a Date can hold. */
function isNoTime(time: Date | undefined): boolean {
  return time !== undefined && Number.isNaN(time.getTime());
}
