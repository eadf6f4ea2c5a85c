#!/usr/bin/env node
// Stands in for QEMU where a test is not about guests: it offers the same sockets in the same order, writes to the
// console, and behaves as the words of the kernel's command line (`-append`) say.
//   fails    says so on standard error and exits 1 at once
//   mute     its agent never speaks
//   stubborn does not end at SIGTERM
//   powersoff ends by itself once its agent has the manifest
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';

const args = process.argv.slice(2);
const valueOf = (flag) => args[args.indexOf(flag) + 1] ?? '';
const words = valueOf('-append').split(' ');

/** Listens at the socket of a character device and waits for its first listener, as QEMU does. */
async function device(id) {
  const option = args.find((arg) => arg.startsWith(`socket,id=${id},`));
  if (option === undefined) return undefined;
  const path = /path=([^,]+)/.exec(option)[1];
  rmSync(path, { force: true });
  const server = createServer();
  server.listen(path);
  const device = { write: (data) => device.socket?.write(data), onData: () => undefined };
  server.on('connection', (socket) => {
    device.socket = socket;
    socket.on('data', (data) => device.onData(data));
    socket.on('error', () => undefined);
  });
  await once(server, 'connection');
  return device;
}

if (words.includes('fails')) {
  console.error('char device redirected to /dev/pts/0 (label compat_monitor0)');
  console.error('qemu: could not open kernel');
  process.exit(1);
}
process.on('SIGTERM', () => {
  if (!words.includes('stubborn')) process.exit(0);
});

/** `AgentEvent` of the manager stream within its envelope, by hand: fields 1, 5 and 6 are texts. */
function event(type, status) {
  const text = (number, value) => [(number << 3) | 2, value.length, ...Buffer.from(value)];
  const body = [...text(1, type), ...text(5, 'agent'), ...text(6, status)];
  const message = Buffer.from([(2 << 3) | 2, body.length, ...body]);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(message.length);
  return Buffer.concat([header, message]);
}

const terminal = await device('console');
const agent = await device('agent');
setInterval(() => terminal.write('tick\r\n'), 20);
terminal.write('\u001b[2Jguest is up\r\n');
if (agent !== undefined && !words.includes('mute')) {
  agent.onData = (data) => {
    terminal.write(`manifest: ${data.subarray(4)}\r\n`);
    agent.write(event('Running', 'InProgress'));
    if (words.includes('powersoff')) setTimeout(() => process.exit(0), 20);
  };
  agent.write(event('ReceivingManifest', 'InProgress'));
}
