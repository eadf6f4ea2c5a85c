import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromPem, toPem } from '@glacis/pki';
import { temporaryFolder } from '@glacis/testbed';
import { findSystemPostgres, requireProgram } from '@glacis/testbed/cluster';
import type { Services } from '../src/compose.js';
import { SERVICES } from '../src/tokens.js';
import { Suite } from './suite.js';

const run = promisify(execFile);

/** Verifies a file (leaf, then what its holder sends along) as a Go client with one root would. */
const goVerifier = `package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func main() {
	rest, _ := os.ReadFile(os.Args[1])
	trust, _ := os.ReadFile(os.Args[2])
	roots, sent := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(trust)
	var leaf *x509.Certificate
	for block, next := pem.Decode(rest); block != nil; block, next = pem.Decode(next) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(err)
		}
		if leaf == nil {
			leaf = certificate
		} else {
			sent.AddCert(certificate)
		}
	}
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: sent, KeyUsages: usages})
	fmt.Println("verified:", err == nil, err)
}
`;

describe('what other programs make of our certificates', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await Suite.start();
  });
  afterAll(() => Suite.stopAll());

  it('Java opens the PKCS#12 of a download: key, chain and root', async () => {
    const keytool = await requireProgram('keytool', 'default-jre-headless');
    const { serial, token } = await suite.issued();
    const download = await suite.send('GET', `/certs/${serial}/download/token`, { token });
    const path = `/certs/${serial}/download?token=${download.json().token}`;
    const headers = { accept: 'application/x-pkcs12', 'x-key-store-password': 'correct-horse' };
    const reply = await suite.send('GET', path, { headers });
    const store = join(await temporaryFolder(), 'store.p12');
    await writeFile(store, reply.bytes);
    const list = ['-list', '-v', '-storetype', 'PKCS12', '-keystore', store, '-storepass'];
    const { stdout } = await run(keytool, [...list, 'correct-horse']);
    expect(stdout).toContain(`Alias name: ${serial}`);
    expect(stdout).toContain('Entry type: PrivateKeyEntry');
    expect(stdout).toContain('Certificate chain length: 3');
    await expect(run(keytool, [...list, 'wrong-horse'])).rejects.toMatchObject({ code: 1 });
  });

  it('certificates.md 16.8: during a root rotation Go verifies with the old root alone and with the new one alone', async () => {
    const go = await requireProgram('go', 'golang-go');
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await writeFile(at('verify.go'), goVerifier);
    await run(go, ['build', '-o', at('verify'), at('verify.go')], {
      env: { ...process.env, GOFLAGS: '-mod=mod', GO111MODULE: 'off', CGO_ENABLED: '0' },
    });
    const platform = await suite.token(null, ['platform-admin']);
    const body = { kind: 'root' };
    await suite.send('POST', '/certs/ca/rotations', { token: platform, body });
    const roots = fromPem((await suite.send('GET', '/certs/ca?only=roots')).text);
    expect(roots).toHaveLength(2);
    const { serial, token } = await suite.issued();
    await writeFile(at('cert.pem'), (await suite.files(serial, token)).certificate);
    for (const { der } of roots) {
      await writeFile(at('root.pem'), toPem('CERTIFICATE', der));
      const { stdout } = await run(at('verify'), [at('cert.pem'), at('root.pem')]);
      expect(stdout).toContain('verified: true');
    }
  });

  it('certificates.md 16.8: no private key in clear anywhere in a database dump', async () => {
    const dump = join(await findSystemPostgres(), 'pg_dump');
    const { serial, token } = await suite.issued({ key_algorithm: 'Ed25519' });
    const { private_key: pem } = await suite.files(serial, token);
    const { authority } = suite.app.get<Services>(SERVICES, { strict: false });
    const { stdout } = await run(dump, ['--inserts', suite.database.url], { maxBuffer: 256 << 20 });
    expect(stdout).toContain(`INSERT INTO certificates.certificates VALUES (${serial}`);
    // The last 32 bytes of an Ed25519 key, and the scalar of an EC key, are the secret itself.
    const secrets = [fromPem(pem ?? '')[0]!.der.subarray(-32)];
    for (const { issuer } of authority.cas.all) {
      const { d } = issuer?.privateKey.export({ format: 'jwk' }) ?? {};
      if (d !== undefined) secrets.push(Buffer.from(d, 'base64url'));
    }
    expect(secrets.length).toBeGreaterThan(2);
    for (const secret of secrets) {
      for (const form of ['hex', 'base64', 'base64url'] as const) {
        expect(stdout.includes(secret.toString(form))).toBe(false);
      }
    }
    expect(stdout).not.toContain('PRIVATE KEY');
  });
});
