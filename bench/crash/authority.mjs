// The certificate authority, as the openssl program sees it.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The roots, to compare before and after. */
export async function roots(target) {
  return (await target.call('GET', '/certs/ca?only=roots', { accept: [200] })).text;
}

/**
 * Verifies certificates of the run and the complete CRL against the roots, and that the CRL names exactly the revoked
 * ones. Gives the faults.
 */
export async function authorityFaults(target, writers, folder) {
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, (await target.call('GET', '/certs/ca', { accept: [200] })).text);
  return [
    ...(await crlFaults(target, writers, { ca, folder })),
    ...(await certificateFaults(target, writers, { ca, folder })),
  ];
}

async function crlFaults(target, writers, { ca, folder }) {
  const file = join(folder, 'crl.pem');
  await writeFile(
    file,
    (await target.call('GET', '/certs/crl?format=pem', { accept: [200] })).text,
  );
  const args = ['crl', '-in', file, '-CAfile', ca, '-noout', '-text'];
  const { stdout, stderr } = await run('openssl', args, { maxBuffer: 1e9 });
  const listed = new Set(
    [...stdout.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, hex]) =>
      String(BigInt(`0x${hex}`)),
    ),
  );
  const certificates = [...writers.certificates.values()];
  const revoked = certificates.filter((each) => each.revoked);
  return [
    ...(stderr.includes('verify OK') ? [] : [`CRL: ${stderr.trim()}`]),
    ...revoked
      .filter(({ serial }) => !listed.has(serial))
      .map(({ serial }) => `${serial} unlisted`),
    ...(listed.size > revoked.length ? [`CRL lists ${listed.size} of ${revoked.length}`] : []),
  ];
}

/** The first and the last certificates of the run. */
async function certificateFaults(target, writers, { ca, folder }) {
  const all = [...writers.certificates.values()];
  const file = join(folder, 'leaf.pem');
  const faults = [];
  for (const { serial } of [...all.slice(0, 10), ...all.slice(-10)]) {
    const { text } = await target.call('GET', `/certs/${serial}`, { accept: [200] });
    await writeFile(file, JSON.parse(text).certificate);
    const args = ['verify', '-x509_strict', '-CAfile', ca, file];
    await run('openssl', args).catch((error) => faults.push(`${serial}: ${error.stderr}`));
  }
  return faults;
}
