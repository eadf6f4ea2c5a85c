import { status } from '@grpc/grpc-js';
import type { IssuedService, IssueServiceRequest } from '@glacis/contracts';
import {
  IssuedService as IssuedMessage,
  IssueServiceRequest as RequestMessage,
  JoinReply,
  JoinRequest,
} from '../../generated/certs/v1/certificates.js';
import { RpcError } from '../../rpc-error.js';
import type { PeerConnection } from '../../tls/connection.js';
import { issuedMessage } from '../certificates-wire.js';
import { malformed } from '../wire-method.js';
import { channelBinding, isProof, replyProof, requestProof } from './join-proof.js';

/** Lets services in that hold the join token and no certificate. */
export interface JoinDoor {
  token: Buffer;
  /**
   * Issues for who has proved to hold the token, or refuses.
   * @param request null: it was not proved
   * @param address of the client
   */
  admit: (request: IssueServiceRequest | null, address: string) => Promise<IssuedService>;
}

/** Answers one `Join`. */
export async function answerJoin(
  { token, admit }: JoinDoor,
  { socket, address }: PeerConnection,
  bytes: Buffer,
): Promise<Buffer> {
  const { request, proof } = decoded(JoinRequest, bytes);
  const keyed = { token, binding: channelBinding(socket) };
  const proved = isProof(proof, requestProof(keyed, request));
  const issued = await admit(proved ? decoded(RequestMessage, request) : null, address);
  const message = Buffer.from(IssuedMessage.encode(issuedMessage(issued)).finish());
  const reply = { issued: message, proof: replyProof(keyed, proof, message) };
  return Buffer.from(JoinReply.encode(reply).finish());
}

/** What is told to who does not prove that he holds the token. */
export const notProved = (): RpcError =>
  new RpcError(status.UNAUTHENTICATED, 'unauthenticated', 'the join token is not proved');

function decoded<T>(codec: { decode(bytes: Uint8Array): T }, bytes: Buffer): T {
  try {
    return codec.decode(bytes);
  } catch {
    throw malformed('the request cannot be decoded');
  }
}
