// `npm run pkilint`: lints every kind of certificate, CRL and OCSP response of ours with pkilint from PyPI, which it
// installs once into a cache folder. A finding of WARNING or above fails, unless `deviations` says why it stands;
// a deviation that shows more or less often than listed fails too. Needs python3 with venv, and `npm run build` before it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeys, leafKeyAlgorithms, spkiOf } from '@glacis/pki';
import { specimens } from './pkilint/specimens.mjs';

const version = '0.13.3';
const caAlgorithms = ['ECDSA-P256', 'ECDSA-P384', 'ECDSA-P521', 'RSA-2048', 'Ed25519'];

/** Findings that stand: code and message as pkilint gives them, how many specimens show them, and why. */
const deviations = [
  {
    code: 'pkix.invalid_uri_syntax',
    message: /\.subjectAltName\..*Invalid URI syntax: "spiffe:\/\/glacis\.local[a-z0-9/-]*"$/,
    count: 65,
    reason:
      'The URIs hold by RFC 3986; the URL check of pkilint knows nine schemes, spiffe not among them.',
  },
];

const linters = {
  certificate: ['lint_pkix_cert'],
  chain: ['lint_pkix_signer_signee_cert_chain'],
  crl: ['lint_crl', '-t', 'CRL', '-p', 'PKIX'],
  arl: ['lint_crl', '-t', 'ARL', '-p', 'PKIX'],
  ocsp: ['lint_ocsp_response'],
};

// One Python process for all files: loading pkilint takes longer than a hundred lints.
const driver = `
import contextlib, importlib, io, json, sys
for tool, *args in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        importlib.import_module("pkilint.bin." + tool).main(["lint", "-s", "WARNING", "-f", "JSON", *args])
    print(json.dumps({"out": out.getvalue(), "err": err.getvalue()}))
`;

function python() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'glacis', `pkilint-${version}`);
  const binary = join(folder, 'bin/python');
  if (!existsSync(join(folder, 'bin/lint_pkix_cert'))) {
    mkdirSync(folder, { recursive: true });
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(binary, ['-m', 'pip', 'install', '--quiet', `pkilint==${version}`], {
      stdio: 'inherit',
    });
  }
  return binary;
}

function lint(files) {
  const jobs = files.map(({ name, paths }) => [...linters[name.split(' ')[0]], ...paths]);
  const { status, stdout, stderr } = spawnSync(python(), ['-c', driver], {
    input: JSON.stringify(jobs),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(`pkilint did not run: ${stderr}`);
  return stdout.trim().split('\n').map(findings);
}

function findings(line) {
  const { out, err } = JSON.parse(line);
  if (err !== '') return [{ code: 'not-readable', message: err.trim() }];
  return JSON.parse(out).results.flatMap((result) =>
    result.finding_descriptions.map(({ code, message }) => ({
      code,
      message: [result.node_path, message].filter(Boolean).join(': '),
    })),
  );
}

async function allSpecimens() {
  const keys = await Promise.all(leafKeyAlgorithms.map((name) => generateKeys(name)));
  const leafKeys = Object.fromEntries(
    leafKeyAlgorithms.map((name, i) => [name, spkiOf(keys[i].publicKey)]),
  );
  const perCa = await Promise.all(caAlgorithms.map((name) => specimens(name, leafKeys)));
  return perCa.flat();
}

const isListed = ({ code, message }) => {
  const deviation = deviations.find((d) => d.code === code && d.message.test(message));
  if (deviation !== undefined) deviation.seen = (deviation.seen ?? 0) + 1;
  return deviation !== undefined;
};

function judge(name, found) {
  const open = found.filter((finding) => !isListed(finding));
  for (const { code, message } of open) console.log(`FAIL  ${name}\n      ${code} ${message}`);
  return open.length === 0;
}

const folder = mkdtempSync(join(tmpdir(), 'glacis-pkilint-'));
try {
  const files = (await allSpecimens()).map(([name, ...ders], i) => {
    const paths = ders.map((_, part) => join(folder, `${i}.${part}.der`));
    ders.forEach((der, part) => writeFileSync(paths[part], der));
    return { name, paths };
  });
  const results = lint(files);
  const passed = files.filter(({ name }, i) => judge(name, results[i])).length;
  const wrong = deviations.filter(({ count, seen }) => count !== seen);
  for (const { code, count, seen = 0 } of wrong) {
    console.log(`FAIL  deviation ${code}: listed for ${count} findings, seen in ${seen}`);
  }
  for (const { code, count, reason } of deviations)
    console.log(`stands  ${code} (${count}): ${reason}`);
  console.log(`${passed} passed, ${files.length - passed} failed`);
  process.exitCode = passed === files.length && wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
