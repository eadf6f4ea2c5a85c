import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fromPem, KeyError, readPrivateKey } from '@glacis/pki';

/**
 * The CA in `GLACIS_CERTS_CA_DIR` cannot be brought in: nothing was stored, and the service does not start when it has no
 * other. The message names the file and what is wrong with it.
 */
export class CaImportError extends Error {
  readonly code = 'CA_IMPORT_REFUSED';

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file} in GLACIS_CERTS_CA_DIR: ${reason}`, options);
    this.name = 'CaImportError';
  }
}

/** What a folder with a CA holds; the names are those of a Kubernetes TLS Secret. */
export interface CaFiles {
  /** In DER: those of `tls.crt`, the CA first, then those of `ca.crt`. */
  certificates: Buffer[];
  /** `tls.key`, of the first certificate. */
  key: KeyObject;
  /** `ca.crl`, in DER. */
  crls: Buffer[];
}

const maxPemBytes = 1 << 20;
const maxCrlBytes = 96 << 20;

/** @throws {CaImportError} */
export async function readCaFiles(folder: string): Promise<CaFiles> {
  const read = (file: string, maxBytes: number): Promise<Buffer | null> =>
    readBounded(folder, file, maxBytes);
  const certificate = await read('tls.crt', maxPemBytes);
  if (certificate === null) throw new CaImportError('tls.crt', 'is missing');
  const key = await read('tls.key', maxPemBytes);
  if (key === null) throw new CaImportError('tls.key', 'is missing');
  const roots = await read('ca.crt', maxPemBytes);
  const crls = await read('ca.crl', maxCrlBytes);
  return {
    certificates: [
      ...blocksOf('tls.crt', certificate, 'CERTIFICATE'),
      ...(roots === null ? [] : blocksOf('ca.crt', roots, 'CERTIFICATE')),
    ],
    key: keyOf(key),
    crls: crls === null ? [] : blocksOf('ca.crl', crls, 'X509 CRL'),
  };
}

/** Null when there is no such file. */
async function readBounded(folder: string, file: string, maxBytes: number): Promise<Buffer | null> {
  try {
    const handle = await open(join(folder, file));
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) throw new CaImportError(file, `is over ${maxBytes} bytes`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof CaImportError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CaImportError(file, 'cannot be read', { cause });
  }
}

/** PEM blocks of one label, or the whole file as DER. */
function blocksOf(file: string, content: Buffer, label: string): Buffer[] {
  if (!content.includes('-----BEGIN')) return [content];
  const blocks = fromPem(content.toString('latin1')).filter((block) => block.label === label);
  if (blocks.length === 0) throw new CaImportError(file, `holds no ${label}`);
  return blocks.map(({ der }) => der);
}

function keyOf(content: Buffer): KeyObject {
  try {
    return readPrivateKey(content.toString('latin1')).privateKey;
  } catch (cause) {
    if (cause instanceof KeyError) throw new CaImportError('tls.key', cause.message, { cause });
    throw cause;
  }
}
