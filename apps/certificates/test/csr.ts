import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openssl, temporaryFolder } from '@glacis/testbed';

export interface CsrOptions {
  /** Arguments of `openssl genpkey`. */
  key?: string[];
  /** Lines of the request's extension section. */
  extensions?: string[];
}

/** A real PKCS#10 request, made by openssl. */
export async function makeCsr({
  key = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  extensions = [],
}: CsrOptions = {}): Promise<{ csr: string; key: string; folder: string }> {
  const folder = await temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const made = await openssl(['genpkey', ...key, '-out', at('key.pem')]);
  if (made.code !== 0) throw new Error(made.stderr);
  const config = ['[req]', 'distinguished_name=dn', 'req_extensions=ext', 'prompt=no'];
  const lines = [...config, '[dn]', 'CN=whoever', '[ext]', 'subjectKeyIdentifier=hash'];
  await writeFile(at('req.cnf'), [...lines, ...extensions, ''].join('\n'));
  const files = ['-key', at('key.pem'), '-config', at('req.cnf'), '-out', at('req.pem')];
  const request = await openssl(['req', '-new', ...files]);
  if (request.code !== 0) throw new Error(request.stderr);
  const [csr, keyText] = await Promise.all([
    readFile(at('req.pem'), 'utf8'),
    readFile(at('key.pem'), 'utf8'),
  ]);
  return { csr, key: keyText, folder };
}
