// Loaded into the operator before it starts: kills it, as a power cut would, as soon as the answer to its n-th write since
// KILL_FILE came to be has arrived, which holds n. A write is what changes something at the API server or in the suite;
// the Lease and Events are none.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_FILE: file = '' } = process.env;
let writes = 0;

function armedAt() {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    writes = 0;
    return 0;
  }
}

/** Counts the request, and says whether it is the last one. */
function isLast(method = 'GET', path) {
  if (['GET', 'HEAD'].includes(method) || /\/(leases|events)(\/|\?|$)/.test(path)) return false;
  const at = armedAt();
  if (at === 0) return false;
  writes += 1;
  return writes === at;
}

const end = () => process.kill(process.pid, 'SIGKILL');

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
