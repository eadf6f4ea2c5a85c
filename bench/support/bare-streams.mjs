// The floor under the memory of manager streams: a mutual-TLS HTTP/2 server of Node alone that answers the headers of
// each stream and keeps it open. No gRPC, nothing of ours. Prints `host:port`.
// `node bench/support/bare-streams.mjs <key and certificate, PEM> <roots of the clients, PEM>`
import { constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

const [own, ca] = process.argv.slice(2).map((file) => readFileSync(file));
const server = http2.createSecureServer({
  key: own,
  cert: own,
  ca,
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
});
server.on('stream', (stream) => {
  stream.on('error', () => undefined);
  stream.on('data', () => undefined);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
});
server.on('sessionError', () => undefined);
server.on('tlsClientError', () => undefined);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
