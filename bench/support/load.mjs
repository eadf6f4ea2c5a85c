// A load generator for requests that differ: so many at once over kept connections, each timed.
import http from 'node:http';
import https from 'node:https';

/**
 * Keeps `connections` requests under way until `next()` gives none. A request is `{ method, path, headers, body }`;
 * any status but `expect` ends the run; `onReply` gets
 * each body.
 * @returns requests per second, and latencies in ms, ascending
 */
export async function load(url, { connections, next, expect, ca, onReply }) {
  const { request, Agent } = url.startsWith('https:') ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca });
  const latencies = [];
  const send = ({ method = 'POST', path, headers, body }) =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const call = request(url + path, { method, headers, agent }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          latencies.push(performance.now() - began);
          const body = Buffer.concat(chunks);
          if (response.statusCode !== expect) {
            return reject(
              new Error(`${method} ${path}: ${response.statusCode} ${body.toString()}`),
            );
          }
          onReply?.(body);
          resolve();
        });
      });
      call.on('error', reject);
      call.end(body);
    });
  const worker = async () => {
    for (let item = next(); item !== undefined; item = next()) await send(item);
  };
  const began = performance.now();
  try {
    await Promise.all(Array.from({ length: connections }, worker));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - began) / 1000;
  return { rate: latencies.length / seconds, latencies: latencies.toSorted((a, b) => a - b) };
}

/** The latency that this share of requests did not pass. */
export const percentile = (latencies, share) =>
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];

/** Gives each item once, then undefined. */
export function each(items) {
  let i = 0;
  return () => items[i++];
}

/** Gives `make(i)` for so many seconds, then undefined. */
export function during(seconds, make) {
  const end = performance.now() + seconds * 1000;
  let i = 0;
  return () => (performance.now() < end ? make(i++) : undefined);
}

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
