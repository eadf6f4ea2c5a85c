import { join } from 'node:path';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

/** PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

export interface CertificateAuthority extends CertificateFiles {
  /**
   * @param name of the two files
   * @param subject in the form of openssl-req(1), such as `/CN=client`
   * @param alternativeNames such as `DNS:localhost`, of a server
   */
  issue(name: string, subject: string, alternativeNames?: string[]): Promise<CertificateFiles>;
}

/** Also of what `npm run testbed -- up` has started. */
const days = '30';

/** An authority for the programs of a test, with its files and those of whom it certifies in one folder. */
export async function makeCertificateAuthority(
  folder: string,
  subject: string,
): Promise<CertificateAuthority> {
  const openssl = await requireProgram('openssl', 'openssl');
  const make = async (name: string, ...rest: string[]): Promise<CertificateFiles> => {
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const out = ['-keyout', files.key, '-out', files.cert, '-days', days];
    await runCommand(openssl, ['req', '-x509', ...key, ...out, ...rest]);
    return files;
  };
  const ca = await make('ca', '-subj', subject);
  const byCa = ['-CA', ca.cert, '-CAkey', ca.key, '-addext', 'basicConstraints=CA:FALSE'];
  return {
    ...ca,
    issue: (name, subject, alternativeNames = []) => {
      const names =
        alternativeNames.length > 0 ? [`subjectAltName=${alternativeNames.join()}`] : [];
      const extensions = names.flatMap((value) => ['-addext', value]);
      return make(name, '-subj', subject, ...byCa, ...extensions);
    },
  };
}
