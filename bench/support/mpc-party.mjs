// One of the three parties of three-parties.mjs, a process of its own with TLS links to the others. Its parent sends it who it is,
// then where its next party listens, then what to do; each answer says what that cost here.
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { LinkListener, Ring } from '../../apps/party/dist/index.js';
import { execute, run } from '../../libs/mpc/dist/index.js';
import { meet, stepsOf } from './mpc-steps.mjs';

// Links keep a process alive whose parent has gone.
const orphaned = () => process.exit();
process.on('disconnect', orphaned);

const said = async () => (await once(process, 'message'))[0];

const { party, identity, uris } = await said();
const listener = await LinkListener.open(identity, '127.0.0.1', 0);
process.send({ port: listener.port });
const { nextPort } = await said();
const hello = { version: 1, job: 'local', attempt: 1, party, parties: 3, plan_hash: '', facts: '' };
const ring = await Ring.open({
  identity,
  listener,
  hello: { ...hello, rows: [], wide: [], policies: [] },
  next: { uri: uris[(party + 1) % 3], address: { host: '127.0.0.1', port: nextPort } },
  previous: { uri: uris[(party + 2) % 3] },
});
listener.close();
process.send({ ready: true });

/** Slot i of all parties follows from i, so that copies agree. */
function words(slot, column, rows) {
  const out = new Int32Array(rows);
  for (let at = 0; at < rows; at += 1)
    out[at] = Math.imul((at * 3 + slot + 1) * (column + 7), 0x9e3779b1);
  return out;
}

function* counted(protocol, count) {
  let state = protocol.next();
  while (!state.done) {
    count();
    state = protocol.next(yield state.value);
  }
  return state.value;
}

/** Runs a protocol after all three have met, so that they begin together. */
async function measured(protocol) {
  await run(meet(), ring);
  const [before, cpu, sent] = [performance.now(), process.cpuUsage(), ring.bytesSent];
  let rounds = 0;
  const result = await run(
    counted(protocol, () => (rounds += 1)),
    ring,
  );
  const { user, system } = process.cpuUsage(cpu);
  return {
    result,
    rounds,
    milliseconds: performance.now() - before,
    cpu: (user + system) / 1000,
    megabytes: (ring.bytesSent - sent) / 1e6,
    memory: process.resourceUsage().maxRSS / 1024,
  };
}

let steps;
const TASKS = {
  rows: ({ rows }) => {
    const shares = (column) => ({
      own: words(party, column, rows),
      next: words((party + 1) % 3, column, rows),
    });
    steps = stepsOf(shares, rows);
    return {};
  },
  step: async ({ step }) => ({ ...(await measured(steps[step](ring.party))), result: undefined }),
  plan: ({ plan, inputs }) => measured(execute(plan, inputs, ring.party)),
};

for (;;) {
  const message = await said();
  const task = Object.keys(TASKS).find((name) => name in message);
  if (!task) break;
  try {
    process.send(await TASKS[task](message));
  } catch (error) {
    process.send({ error: error.stack });
  }
}
await ring.settle();
// The last frames may be on their way still.
process.off('disconnect', orphaned);
process.disconnect();
