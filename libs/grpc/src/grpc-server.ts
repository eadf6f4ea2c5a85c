import { Server } from '@grpc/grpc-js';

/** Bounds of a gRPC server; every one has a default that suits a listener open to the internet. */
export interface GrpcServerOptions {
  /** Largest message in bytes, after decompression, in both directions. Default 4 MiB. */
  maxMessageBytes?: number;
  /** Calls open at once on one connection. Default 100. */
  maxConcurrentStreams?: number;
  /** Milliseconds between pings, sent with or without an open call. Default 30,000. */
  keepaliveMs?: number;
  /** Milliseconds without an answer to a ping until the connection is dropped. Default 10,000. */
  keepaliveTimeoutMs?: number;
  /** Milliseconds without a call until a connection is closed. Default 300,000. */
  idleMs?: number;
}

/** A `@grpc/grpc-js` server with our limits and without channelz, which costs memory per connection. */
export function createGrpcServer(options: GrpcServerOptions = {}): Server {
  const maxMessageBytes = options.maxMessageBytes ?? 4 * 1024 * 1024;
  return new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? 100,
    'grpc.keepalive_time_ms': options.keepaliveMs ?? 30_000,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? 10_000,
    'grpc.max_connection_idle_ms': options.idleMs ?? 300_000,
    'grpc.enable_channelz': 0,
  });
}
