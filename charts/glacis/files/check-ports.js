// Of `helm test`: each host:port given shows a certificate with that name in it. Its issuer is not looked at.
const tls = require('node:tls');

for (const address of process.argv.slice(1)) {
  const [host, port] = address.split(':');
  const options = { host, port, servername: host, ALPNProtocols: ['h2', 'http/1.1'] };
  const socket = tls.connect({ ...options, rejectUnauthorized: false }, () => {
    tell(address, tls.checkServerIdentity(host, socket.getPeerCertificate()));
    socket.destroy();
  });
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
  socket.on('error', (error) => tell(address, error));
}

function tell(address, error) {
  console.log(`${address} ${error ? error.message : 'ok'}`);
  if (error) process.exitCode = 1;
}
