// The peer: step-ca with its badger store, built once into a cache folder (needs Go), its own root and intermediate by
// openssl, one JWK provisioner. Its clients send one CSR and one ES256 token per certificate.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

const version = 'v0.30.2';

function binary() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'glacis', `step-ca-${version}`);
  if (!existsSync(join(folder, 'step-ca'))) {
    mkdirSync(folder, { recursive: true });
    const target = `github.com/smallstep/certificates/cmd/step-ca@${version}`;
    console.error(`building step-ca ${version} into ${folder}`);
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: folder };
    execFileSync('go', ['install', target], { env, stdio: 'inherit' });
  }
  return join(folder, 'step-ca');
}

function makeAuthority(dir) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const ca = (constraints) => ['-addext', `basicConstraints=critical,${constraints}`];
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'root.key',
    '-out',
    'root.crt',
    '-subj',
    '/CN=R',
    ...ca('CA:TRUE'),
    ...usage,
  );
  openssl(
    'req',
    ...key,
    '-keyout',
    'int.key',
    '-out',
    'int.csr',
    '-subj',
    '/CN=I',
    ...ca('CA:TRUE,pathlen:0'),
    ...usage,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'int.csr',
    '-CA',
    'root.crt',
    '-CAkey',
    'root.key',
    '-out',
    'int.crt',
    '-days',
    '30',
    '-copy_extensions',
    'copy',
  );
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Starts the peer in an empty folder. `tokens(n, subject)` signs that many one-time tokens. */
export async function startStepCa(dir) {
  const program = binary();
  makeAuthority(dir);
  const port = await freePort();
  const provisioner = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = {
    ...provisioner.publicKey.export({ format: 'jwk' }),
    kid: 'bench',
    alg: 'ES256',
    use: 'sig',
  };
  const config = {
    root: join(dir, 'root.crt'),
    crt: join(dir, 'int.crt'),
    key: join(dir, 'int.key'),
    address: `127.0.0.1:${port}`,
    dnsNames: ['127.0.0.1'],
    db: { type: 'badgerv2', dataSource: join(dir, 'db') },
    authority: { provisioners: [{ type: 'JWK', name: 'bench', key: jwk }] },
  };
  writeFileSync(join(dir, 'ca.json'), JSON.stringify(config));
  const child = spawn(program, [join(dir, 'ca.json')], { stdio: ['ignore', 'ignore', 'ignore'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = `https://127.0.0.1:${port}`;
  const audience = `${url}/1.0/sign`;
  const header = base64url({ alg: 'ES256', typ: 'JWT', kid: 'bench' });
  const token = (subject) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'bench',
      aud: audience,
      sub: subject,
      sans: [subject],
      jti: randomUUID(),
    };
    const text = `${header}.${base64url({ ...claims, iat: now, nbf: now - 30, exp: now + 290 })}`;
    const key = { key: provisioner.privateKey, dsaEncoding: 'ieee-p1363' };
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  };
  return {
    url,
    pid: child.pid,
    ca: readFileSync(join(dir, 'root.crt')),
    tokens: (count, subject) => Array.from({ length: count }, () => token(subject)),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
