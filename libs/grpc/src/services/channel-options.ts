import type { PeerCertificate } from 'node:tls';
import { credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import type { RpcName } from '@glacis/contracts';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import { namesService } from './service-identity.js';
import type { WireMethod } from './wire-method.js';

/**
 * The other side is who the URI in its certificate says. Its host is not compared: a service has many replicas, and all
 * of them are it.
 */
export function channelCredentials(
  name: RpcName,
  { ca, key, cert }: TlsCredentials,
): ChannelCredentials {
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert), {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      namesService(certificate.raw, name) ? undefined : new Error(`the server is not ${name}`),
  });
}

export function channelOptions(
  name: RpcName,
  methods: readonly WireMethod<unknown, unknown>[],
): ChannelOptions {
  return {
    'grpc.service_config': serviceConfig(methods),
    'grpc.default_authority': name,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 3_000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
  };
}

/** Calls go to the replicas in turn. Only what is idempotent is sent again, and only when nobody answered (`platform.md` 6.2). */
function serviceConfig(methods: readonly WireMethod<unknown, unknown>[]): string {
  return JSON.stringify({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [
      {
        name: methods
          .filter((method) => method.idempotent)
          .map(({ path }) => {
            const [, service, method] = path.split('/');
            return { service, method };
          }),
        retryPolicy: {
          maxAttempts: 5,
          initialBackoff: '0.1s',
          maxBackoff: '5s',
          backoffMultiplier: 2,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
    retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
  });
}
