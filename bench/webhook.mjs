// The validating webhook for large graphs, through HTTPS on the loopback address: graphs of 200 components one after another
// on a kept connection, as an API server sends them, and graphs of 2,000; beside 1,000 graphs that are stored already. The
// webhook is a process of its own. `npm run bench -- webhook [reviews]`; needs openssl.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ClusterIndex } from '@glacis/graphs';
import { credentialFiles, WebhookServer } from '@glacis/kube';
import { createLogger, Metrics } from '@glacis/observability';
import { validation } from '@glacis/operator';
import { makeCertificateAuthority } from '@glacis/testbed/cluster';
import { cpuMs } from './support/cpu.mjs';

const count = Number(process.argv[2]) || 1_000;
const print = (figure, value, unit) => console.log(`${figure} ${value.toFixed(1)} ${unit}`);

const chart = { repo: 'https://charts.example.com', name: 'c', version: '1.0.0' };
/** With them a component is as large as those of large recorded graphs (conformance/fixtures): 0.7 KB. */
const values = Object.fromEntries(
  Array.from({ length: 10 }, (_, at) => [`value${at}`, 'x'.repeat(20)]),
);

/** A chain: each component reads a volume of the one before it. */
function graphOf(components) {
  const numbers = Array.from({ length: components }, (_, at) => at);
  const edge = (flow, mountPath) => ({ type: 'volume', flow: `f${flow}`, config: { mountPath } });
  return {
    components: Object.fromEntries(
      numbers.map((at) => [
        `c${at}`,
        {
          chart,
          config: values,
          inputs: at === 0 ? {} : { in: edge(at - 1, '/in') },
          outputs: { out: edge(at, '/out') },
          needs: at === 0 ? [] : [`c${at - 1}`],
        },
      ]),
    ),
    flows: Object.fromEntries(
      numbers.map((at) => [`f${at}`, { type: 'volume', config: { size: '1Gi' } }]),
    ),
  };
}

function reviewOf(graph) {
  const object = {
    apiVersion: 'rampart.petuum.com/v1beta2',
    kind: 'RampartGraph',
    metadata: { name: 'g', namespace: 'team' },
    spec: { graph },
  };
  const named = { operation: 'CREATE', namespace: 'team', name: 'g' };
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { uid: 'u', ...named, object, oldObject: null },
    }),
  );
}

/** @returns milliseconds of each review */
async function measured(post, components, reviews) {
  const body = reviewOf(graphOf(components));
  const times = [];
  for (let at = 0; at < reviews; at += 1) {
    const begun = performance.now();
    const { response } = JSON.parse(await post(body));
    times.push(performance.now() - begun);
    if (!response.allowed) throw new Error(`refused: ${response.status.message.slice(0, 200)}`);
  }
  return times.toSorted((one, other) => one - other);
}

const quantile = (times, share) =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))];

/** The other process: tells its port, and serves until it is let go. */
async function serve(certificate) {
  const cluster = new ClusterIndex({ kafkaConfigured: true });
  for (let at = 0; at < 1_000; at += 1) {
    cluster.setGraph({ namespace: 'other', name: `g${at}` }, { graph: graphOf(10) });
    cluster.setNamespace(`other-g${at}-c0`, {});
  }
  cluster.ready = true;
  const hook = validation({
    cluster,
    synced: Promise.resolve(),
    denied: () => undefined,
    report: (error) => {
      throw error;
    },
  });
  const server = new WebhookServer({
    host: '127.0.0.1',
    port: 0,
    hooks: { '/validate': hook },
    certificate: credentialFiles(certificate),
    drainMs: 0,
    logger: createLogger({ name: 'bench', level: 'warn' }),
    metrics: new Metrics(),
  });
  await server.start();
  process.send(server.port);
  process.once('disconnect', () => void server.stop());
}

async function measure() {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let server;
  try {
    const authority = await makeCertificateAuthority(folder, '/CN=bench');
    const { cert, key } = await authority.issue('webhook', '/CN=webhook', ['IP:127.0.0.1']);
    server = fork(fileURLToPath(import.meta.url), ['--serve', cert, key]);
    const [port] = await once(server, 'message');
    const ca = await readFile(authority.cert);
    const post = async (body) => {
      const options = { host: '127.0.0.1', port, ca, agent, method: 'POST', path: '/validate' };
      const sent = request({ ...options, headers: { 'content-length': body.length } });
      sent.end(body);
      const [answer] = await once(sent, 'response');
      return text(answer);
    };
    await measured(post, 200, 100);
    const before = cpuMs(server.pid);
    const times = await measured(post, 200, count);
    print('webhook_200_cpu', (cpuMs(server.pid) - before) / count, 'ms');
    print('webhook_200_p50', quantile(times, 0.5), 'ms');
    print('webhook_200_p99', quantile(times, 0.99), 'ms');
    const [longest] = (await measured(post, 2_000, 20)).toReversed();
    print('webhook_2000_max', longest, 'ms');
  } finally {
    agent.destroy();
    if (server?.connected) {
      server.disconnect();
      await once(server, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
}

const [mode, cert, key] = process.argv.slice(2);
await (mode === '--serve' ? serve({ cert, key }) : measure());
