import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openssl, temporaryFolder } from '@glacis/testbed';

/** A CA that openssl keeps: certificate and key in files. */
export interface ForeignCa {
  name: string;
  cert: string;
  key: string;
}

export interface ForeignCaOptions {
  /** As `openssl genpkey -algorithm`. */
  algorithm?: string;
  options?: string[];
  /** Lines of the certificate's extensions. */
  extensions?: string[];
  days?: number;
  signer?: ForeignCa;
}

const caExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const p256 = ['-pkeyopt', 'ec_paramgen_curve:P-256'];

async function run(args: string[]): Promise<Buffer> {
  const { code, stdout, stderr } = await openssl(args);
  if (code !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  return stdout;
}

/** A folder in which openssl plays the CA of somebody else. */
export class ForeignCas {
  private constructor(readonly folder: string) {}

  static async open(): Promise<ForeignCas> {
    return new ForeignCas(await temporaryFolder());
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  /** A root, or a CA below `signer`. */
  async make(name: string, made: ForeignCaOptions = {}): Promise<ForeignCa> {
    const { algorithm = 'EC', options = algorithm === 'EC' ? p256 : [], signer } = made;
    const ca = { name, cert: this.at(`${name}.crt`), key: this.at(`${name}.key`) };
    await run(['genpkey', '-algorithm', algorithm, ...options, '-out', ca.key]);
    const config = this.at(`${name}.cnf`);
    const lines = [...(made.extensions ?? caExtensions), 'subjectKeyIdentifier=hash'];
    if (signer !== undefined) lines.push('authorityKeyIdentifier=keyid');
    await writeFile(config, `[req]\ndistinguished_name=dn\n[dn]\n[ext]\n${lines.join('\n')}\n`);
    const by = signer === undefined ? [] : ['-CA', signer.cert, '-CAkey', signer.key];
    const what = ['-key', ca.key, '-subj', `/O=Elsewhere/CN=${name}`];
    const how = ['-config', config, '-extensions', 'ext', '-days', String(made.days ?? 700)];
    await run(['req', '-x509', '-new', ...what, ...how, ...by, '-out', ca.cert]);
    return ca;
  }

  /** A CRL with these serials (hex), revoked for keyCompromise. With number 0 it is one of version 1, which has none. */
  async crl(ca: ForeignCa, number: number, serials: string[]): Promise<string> {
    const at = (file: string): string => this.at(`${ca.name}-${file}`);
    const entries = serials.map(
      (hex) => `R\t350101000000Z\t260101000000Z,keyCompromise\t${hex}\tunknown\t/CN=x\n`,
    );
    await writeFile(at('index'), entries.join(''));
    await writeFile(at('number'), number.toString(16).padStart(2, '0').padStart(4, '0'));
    const config = at('ca.cnf');
    const second =
      number === 0
        ? ''
        : `crlnumber=${at('number')}\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n`;
    await writeFile(
      config,
      `[ca]\ndefault_ca=c\n[c]\ndatabase=${at('index')}\ndefault_md=default\n` +
        `default_crl_days=30\ncertificate=${ca.cert}\nprivate_key=${ca.key}\n${second}`,
    );
    const file = this.at(`${ca.name}-${number}.crl`);
    await run(['ca', '-gencrl', '-config', config, '-out', file]);
    return file;
  }

  /** A folder as `CA_DIR` wants it. */
  async caDir(name: string, files: Record<string, string>): Promise<string> {
    const folder = this.at(name);
    await mkdir(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    return folder;
  }
}
