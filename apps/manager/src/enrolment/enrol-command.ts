import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { serialToDecimal } from '@glacis/pki';
import { loadSettings } from '@glacis/settings';
import { managerSettings } from '../settings.js';
import { enrol, type EnrolOptions } from './enrol.js';
import { RefusedError, TryAgainError } from './est-error.js';
import { IdentityStore } from './identity.js';

const usage =
  'usage: manager enrol --server <host[:9012]> --backend <id> --ca-sha256 <hex> (--token <token> | --token-file <file>)';

/** `EX_TEMPFAIL` of sysexits: the same command may succeed later. */
const tryAgain = 75;

/** `manager enrol`. Gives the exit code: 0, 1 refused with the problem's name, 75 try again. */
export async function enrolCommand(args: string[]): Promise<number> {
  try {
    const options = await optionsOf(args);
    const { stateDir } = loadSettings(managerSettings);
    const { cert } = await enrol(options, new IdentityStore(stateDir));
    const { serialNumber, validTo } = new X509Certificate(cert);
    const serial = serialToDecimal(serialNumber);
    console.log(`enrolled: certificate ${serial} until ${validTo}, files in ${stateDir}`);
    return 0;
  } catch (error) {
    console.error(`manager enrol: ${(error as Error).message}`);
    return error instanceof TryAgainError ? tryAgain : 1;
  }
}

async function optionsOf(args: string[]): Promise<EnrolOptions> {
  const text = { type: 'string' } as const;
  const { values } = parsedBy(() =>
    parseArgs({
      args,
      options: { server: text, backend: text, token: text, 'token-file': text, 'ca-sha256': text },
    }),
  );
  const { server, backend, 'ca-sha256': caSha256 } = values;
  const token = values.token ?? (await tokenIn(values['token-file']));
  if (!server || !backend || !token || !/^[0-9a-f]{64}$/i.test(caSha256 ?? '')) {
    throw new RefusedError('usage', usage);
  }
  return { server, backend, token, caSha256: caSha256 ?? '' };
}

function parsedBy<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new RefusedError('usage', `${(error as Error).message}\n${usage}`);
  }
}

async function tokenIn(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : (await readFile(file, 'utf8')).trim();
}
