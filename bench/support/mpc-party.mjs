// One of three parties of `bench/mpc.mjs`, a process of its own with TLS links to the others. Its parent sends it who it is,
// then where its next party listens, then the names of steps; each answer is the time that the step took here.
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { LinkListener, Ring } from '../../apps/party/dist/index.js';
import { run } from '../../libs/mpc/dist/index.js';
import { stepsOf } from './mpc-steps.mjs';

const said = async () => (await once(process, 'message'))[0];

const { party, identity, uris, rows } = await said();
const listener = await LinkListener.open(identity, '127.0.0.1', 0);
process.send({ port: listener.port });
const { nextPort } = await said();
const hello = { version: 1, job: 'bench', attempt: 1, party, parties: 3, plan_hash: '', facts: '' };
const ring = await Ring.open({
  identity,
  listener,
  hello: { ...hello, rows: [[rows]], wide: [], policies: [] },
  next: { uri: uris[(party + 1) % 3], address: { host: '127.0.0.1', port: nextPort } },
  previous: { uri: uris[(party + 2) % 3] },
});
listener.close();

/** Slot i of all parties follows from i, so that copies agree. */
function words(slot, column) {
  const out = new Int32Array(rows);
  for (let at = 0; at < rows; at += 1)
    out[at] = Math.imul((at * 3 + slot + 1) * (column + 7), 0x9e3779b1);
  return out;
}
const shares = (column) => ({ own: words(party, column), next: words((party + 1) % 3, column) });
const steps = stepsOf(shares, rows);

process.send({ ready: true });
for (;;) {
  const { step } = await said();
  if (step === undefined) break;
  // All three begin together: a round that says nothing but that they are there.
  await run(steps.meet(ring.party), ring);
  const [before, cpu, sent] = [performance.now(), process.cpuUsage(), ring.bytesSent];
  await run(steps[step](ring.party), ring);
  const { user, system } = process.cpuUsage(cpu);
  process.send({
    milliseconds: performance.now() - before,
    cpu: (user + system) / 1000,
    megabytes: (ring.bytesSent - sent) / 1e6,
  });
}
await ring.settle();
process.disconnect();
