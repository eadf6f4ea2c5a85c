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
  await make(filesIn(folder, 'ca'), '-subj', subject);
  return openCertificateAuthority(folder);
}

/** One that was made in the folder before, maybe by another process. */
export function openCertificateAuthority(folder: string): CertificateAuthority {
  const ca = filesIn(folder, 'ca');
  const byCa = ['-CA', ca.cert, '-CAkey', ca.key, '-addext', 'basicConstraints=CA:FALSE'];
  return {
    ...ca,
    issue: (name, subject, alternativeNames = []) => {
      const names =
        alternativeNames.length > 0 ? [`subjectAltName=${alternativeNames.join()}`] : [];
      const extensions = names.flatMap((value) => ['-addext', value]);
      return make(filesIn(folder, name), '-subj', subject, ...byCa, ...extensions);
    },
  };
}

function filesIn(folder: string, name: string): CertificateFiles {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

async function make(files: CertificateFiles, ...rest: string[]): Promise<CertificateFiles> {
  const openssl = await requireProgram('openssl', 'openssl');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const out = ['-keyout', files.key, '-out', files.cert, '-days', days];
  await runCommand(openssl, ['req', '-x509', ...key, ...out, ...rest]);
  return files;
}
