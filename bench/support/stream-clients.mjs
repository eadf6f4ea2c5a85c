// A process full of managers for the streams benchmark: each with a TLS connection of its own, from a source address of
// its own, as a fleet has. Bare HTTP/2 keeps it light; the messages are those of the `seed` dialect.
// Told by IPC: { connect: { host, port, ca, key, clients: [{ name, cert, source }] } }, { check: true }.
// Tells: { opened }, { failed, name }, { terminated | cut, name, at } with `at` on the system's monotonic clock in ns.
import http2 from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { dialects } from '@glacis/grpc';

const atOnce = 16;
const live = new Map();
const now = () => process.hrtime.bigint().toString();

function open({ host, port, ca, key }, { name, cert, source }) {
  const socket = connectTls({
    host,
    port,
    localAddress: source,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
    ca,
    key,
    cert,
  });
  const session = http2.connect('https://localhost', { createConnection: () => socket });
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/manager.ManagerService/Process',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  let frames = Buffer.alloc(0);
  stream.on('data', (data) => {
    frames = Buffer.concat([frames, data]);
    if (frames.length < 5 || frames.length < 5 + frames.readUInt32BE(1)) return;
    if (dialects.seed.decodeServer(frames.subarray(5))?.kind !== 'terminate') return;
    process.send({ terminated: true, name, at: now() });
    // As managers do: they end on Terminate.
    stream.close(http2.constants.NGHTTP2_CANCEL);
  });
  return new Promise((resolve, reject) => {
    stream.on('response', (headers) => {
      const status = headers['grpc-status'];
      if (status !== undefined) return reject(new Error(`grpc-status ${String(status)}`));
      live.set(name, session);
      resolve();
    });
    stream.on('close', () => {
      reject(new Error('closed'));
      session.destroy();
      if (live.delete(name)) process.send({ cut: true, name, at: now() });
    });
  });
}

async function connectAll({ clients, ...server }) {
  const waiting = clients.values();
  const worker = async () => {
    for (const client of waiting) await open(server, client);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  process.send({ opened: live.size });
}

/** How many answer a ping. */
async function check() {
  const answers = await Promise.all(
    [...live.values()].map(
      (session) => new Promise((resolve) => session.ping((error) => resolve(error ? 0 : 1))),
    ),
  );
  process.send({ answering: answers.reduce((sum, one) => sum + one, 0) });
}

process.on('message', (message) => {
  const work = message.connect ? connectAll(message.connect) : check();
  work.catch((error) => process.send({ failed: error.message }));
});
