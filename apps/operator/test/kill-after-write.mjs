// Loaded into the operator before it starts: kills it, as a power cut would, as soon as the answer to its n-th write has
// arrived. KILL_FILE holds n and what it is about; it counts from there when it comes to be or changes. Who removes the
// file decides: a process that is about to end, or the test that needs no end any more. A write is what changes something
// at the API server or in the suite; the Lease and Events are none.
import { readFileSync, unlinkSync } from 'node:fs';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_FILE: file = '' } = process.env;
let armed = '';
let writes = 0;

function lastOne() {
  let order = '';
  try {
    order = readFileSync(file, 'utf8');
  } catch {
    // Not armed.
  }
  if (order !== armed) writes = 0;
  armed = order;
  return Number(order.split(' ')[0]);
}

/** Counts the request, and says whether it is the last one. */
function isLast(method = 'GET', path) {
  if (['GET', 'HEAD'].includes(method) || /\/(leases|events)(\/|\?|$)/.test(path)) return false;
  const last = lastOne();
  writes += 1;
  return writes === last;
}

function end() {
  try {
    unlinkSync(file);
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
}

const request = https.request;
https.request = (url, options, ...rest) => {
  const sent = request(url, options, ...rest);
  if (isLast(options?.method, new URL(url).pathname)) sent.prependListener('response', end);
  return sent;
};
syncBuiltinESMExports();

const realFetch = globalThis.fetch;
globalThis.fetch = async (url, init) => {
  const last = isLast(init?.method, new URL(url).pathname);
  const answer = await realFetch(url, init);
  if (last) end();
  return answer;
};
