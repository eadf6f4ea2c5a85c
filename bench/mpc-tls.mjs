// `npm run bench -- mpc-tls [rows]`: steps of libs/mpc over three processes of this machine with the TLS links of apps/party,
// beside their targets (jobs.md 11.9). A figure is the time of the slowest party; the second of two runs counts.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  certificate,
  generateKeys,
  leafExtensions,
  newSerial,
  privateKeyPem,
  rootExtensions,
  selfIssuer,
  toPem,
} from '../libs/pki/dist/index.js';

const rows = Number(process.argv[2] ?? 65_536);
const uris = [0, 1, 2].map((party) => `spiffe://bench/tenant/default/party/${party}`);

/** Identities of three parties, of one authority. */
async function identities() {
  const root = await generateKeys('ECDSA-P256');
  const subject = [{ type: 'commonName', value: 'bench' }];
  const issuer = selfIssuer(subject, root);
  const times = {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  };
  const sign = (publicKey, extensions) =>
    toPem(
      'CERTIFICATE',
      certificate({ serial: newSerial(), issuer, subject, publicKey, ...times, extensions }),
    );
  const ca = sign(
    root.publicKey,
    rootExtensions({ publicKey: root.publicKey, uri: 'spiffe://bench' }),
  );
  return Promise.all(
    uris.map(async (uri) => {
      const { privateKey, publicKey } = await generateKeys('Ed25519');
      const profile = { issuer, publicKey, names: { uris: [uri] }, serverAuth: true };
      return {
        key: privateKeyPem(privateKey),
        chain: sign(publicKey, leafExtensions(profile)),
        ca,
      };
    }),
  );
}

const parties = (await identities()).map((identity, party) => {
  const child = fork(new URL('support/mpc-party.mjs', import.meta.url));
  child.send({ party, identity, uris, rows });
  return child;
});
const answers = async () =>
  Promise.all(parties.map(async (child) => (await once(child, 'message'))[0]));
const ports = await answers();
parties.forEach((child, party) => child.send({ nextPort: ports[(party + 1) % 3].port }));
await answers();

async function measure(step) {
  parties.forEach((child) => child.send({ step }));
  const told = await answers();
  const most = (figure) => Math.max(...told.map((each) => each[figure]));
  return { milliseconds: most('milliseconds'), cpu: most('cpu'), megabytes: most('megabytes') };
}

/** Milliseconds that jobs.md 11.9 aims at, on two cores. */
const targets = {
  and: { 65_536: 15, 1_048_576: 60 },
  equal: { 1_048_576: 1000 },
  greater: { 1_048_576: 1000 },
  sort: { 65_536: 2000, 262_144: 9000 },
  group_sum: { 65_536: 800 },
};

console.log(`rows ${rows} rows`);
const totals = { milliseconds: 0 };
for (const step of ['and', 'multiply', 'equal', 'greater', 'sort', 'group_sum']) {
  await measure(step);
  const { milliseconds, cpu, megabytes } = await measure(step);
  const target = targets[step]?.[rows];
  console.log(`${step}_tls ${milliseconds.toFixed(1)} ms`);
  console.log(`${step}_tls_cpu ${cpu.toFixed(1)} ms`);
  console.log(`${step}_tls_sent ${megabytes.toFixed(2)} MB`);
  if (target) console.log(`  target of ${step}: ${target} ms`);
  if (step === 'sort' || step === 'group_sum') totals.milliseconds += milliseconds;
}
console.log(`sort_and_group_sum_tls ${totals.milliseconds.toFixed(1)} ms`);
if (rows === 65_536) console.log('  first bar 2800 ms, aim 1500 ms');

for (const child of parties) child.send({});
await Promise.all(parties.map((child) => once(child, 'exit')));
