import { status } from '@grpc/grpc-js';
import type { IssuedService, IssueServiceRequest } from '@glacis/contracts';
import {
  CertificatesDefinition,
  IssuedService as IssuedMessage,
  IssueServiceRequest as RequestMessage,
  JoinReply,
  JoinRequest,
} from '../../generated/certs/v1/certificates.js';
import { RpcError } from '../../rpc-error.js';
import { placesOf } from '../address-list.js';
import { issuedOf } from '../certificates-wire.js';
import { connectUnverified, unaryOver } from './http2-unary.js';
import { channelBinding, isProof, replyProof, requestProof } from './join-proof.js';

export const joinPath = `/${CertificatesDefinition.fullName}/${CertificatesDefinition.methods.join.name}`;

export interface Joining {
  token: Buffer;
  request: IssueServiceRequest;
  deadlineMs: number;
}

/**
 * Joins at the first of the addresses that answers.
 * @param addresses `host:port`, comma-separated
 * @throws {RpcError} the refusal, UNAUTHENTICATED also when the other side does not prove that it holds the token
 * @throws {Error} when nobody answers
 */
export async function joinAny(addresses: string, joining: Joining): Promise<IssuedService> {
  let failure: unknown = new Error('no address to join at');
  for (const place of placesOf(addresses) ?? []) {
    try {
      return await joinAt(place, joining);
    } catch (error) {
      if (error instanceof RpcError && error.code !== status.UNAVAILABLE) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function joinAt(
  place: { host: string; port: number },
  { token, request, deadlineMs }: Joining,
): Promise<IssuedService> {
  const socket = await connectUnverified(place, AbortSignal.timeout(deadlineMs));
  try {
    const keyed = { token, binding: channelBinding(socket) };
    const wish = Buffer.from(RequestMessage.encode(request).finish());
    const asked = requestProof(keyed, wish);
    const message = JoinRequest.encode({ request: wish, proof: asked }).finish();
    const reply = JoinReply.decode(await unaryOver(socket, joinPath, Buffer.from(message)));
    if (!isProof(reply.proof, replyProof(keyed, asked, reply.issued))) {
      const text = 'the server does not prove that it holds the join token';
      throw new RpcError(status.UNAUTHENTICATED, 'unauthenticated', text);
    }
    return issuedOf(IssuedMessage.decode(reply.issued));
  } finally {
    socket.destroy();
  }
}
