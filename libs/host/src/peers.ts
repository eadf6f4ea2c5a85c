import { readFile } from 'node:fs/promises';
import {
  certificateLoop,
  parseJoinToken,
  placesOf,
  RpcDirectory,
  ServiceCertificate,
  type TlsCredentials,
} from '@glacis/grpc';
import type { Logger } from '@glacis/observability';
import { systemClock, type Clock } from '@glacis/runtime';
import {
  optionalText,
  secret,
  setting,
  SettingsError,
  type Setting,
  type Values,
} from '@glacis/settings';

const addresses = optionalText.refine((list) => list === undefined || placesOf(list) !== null, {
  error: 'expected host:port, several of them with commas',
});

const joinToken = optionalText.transform((given, context) => {
  const token = given === undefined ? undefined : parseJoinToken(given);
  if (given === undefined || token !== undefined) return token;
  context.addIssue({
    code: 'custom',
    message: 'expected 32 random bytes or more, in hex or base64',
  });
  return undefined;
});

/** Settings of the join token, below `GLACIS_`. */
export const joinTokenShape: {
  joinToken: Setting<Buffer | undefined>;
  joinTokenFile: Setting<string | undefined>;
} = {
  joinToken: secret(
    joinToken,
    '',
    'Secret by which a service gets its certificate from `certificates`, the same there: 32 random bytes or more, in hex or base64.',
  ),
  joinTokenFile: setting(optionalText, '', 'File with the join token, in place of the setting.'),
};

/** Settings by which a program finds the services, below `GLACIS_`. */
export const peerShape: typeof joinTokenShape & {
  certsGrpcUrl: Setting<string | undefined>;
  backendsGrpcUrl: Setting<string | undefined>;
  gatewayGrpcUrl: Setting<string | undefined>;
} = {
  certsGrpcUrl: setting(
    addresses,
    '',
    'host:port of the internal port of `certificates`; several replicas with commas, or behind one name.',
  ),
  backendsGrpcUrl: setting(addresses, '', 'The same for `backends`.'),
  gatewayGrpcUrl: setting(
    addresses,
    '',
    'The same for `gateway`. Where it is set the keys of tokens and the revoked tokens are read there.',
  ),
  ...joinTokenShape,
};

export type PeerSettings = Values<typeof peerShape>;

/** Milliseconds for a call to the gateway: requests wait for its keys. */
const gatewayDeadlineMs = 5_000;

/** The certificate of a program that is identified by it. */
export interface OwnCertificate {
  /** The certificate, for serving as well. @throws {Error} while there is none */
  credentials(): TlsCredentials;
  /** For `Health`. @throws {Error} while there is no certificate */
  check(): void;
  /** It is not kept fresh any longer. */
  stop(): Promise<void>;
}

/** The peers of a program that keeps nothing itself, such as the operator; `stop` ends the connections as well. */
export interface Peers extends OwnCertificate {
  /** Calls identify the program by its certificate; until it has one they are UNAVAILABLE. */
  directory: RpcDirectory;
}

export interface JoinOptions {
  /** Host names and IP addresses under which the program is dialled. Default: it serves nothing by its certificate. */
  names?: readonly string[];
  logger: Logger;
  clock?: Clock;
}

/**
 * Finds the services and identifies this program to them (`identifyTo`).
 * @param service its name, as `GLACIS_CERTS_JOIN_SERVICES` has it
 * @throws {SettingsError} when there is no join token, or its file does not hold one
 */
export async function joinPeers(
  service: string,
  settings: PeerSettings,
  options: JoinOptions,
): Promise<Peers> {
  const token = await joinTokenOf(settings);
  if (token === undefined) {
    throw new SettingsError([{ name: 'GLACIS_JOIN_TOKEN_FILE', reason: 'is not set' }]);
  }
  const directory = findPeers(settings, token);
  const own = identifyTo(directory, service, options);
  return {
    ...own,
    directory,
    stop: async () => {
      await own.stop();
      directory.close();
    },
  };
}

/**
 * Has calls through the directory identify this program: its certificate comes by the join token as soon as
 * `certificates` answers, and is kept fresh until `stop`.
 * @param service its name, as `GLACIS_CERTS_JOIN_SERVICES` has it
 */
export function identifyTo(
  directory: RpcDirectory,
  service: string,
  { names = [], logger, clock = systemClock }: JoinOptions,
): OwnCertificate {
  const certificates = directory.client('certificates');
  const certificate = new ServiceCertificate({ service, names, certificates, clock });
  directory.identify(() => certificate.credentials());
  const onError = (err: unknown): void => logger.warn({ err }, 'no certificate of our own');
  const loop = certificateLoop({ certificate, clock, onError });
  loop.start();
  return {
    credentials: () => certificate.credentials(),
    check: () => void certificate.credentials(),
    stop: () => loop.stop(),
  };
}

/** A directory that finds the services at the addresses of the settings. */
export function findPeers(settings: PeerSettings, token: Buffer | undefined): RpcDirectory {
  const directory = new RpcDirectory();
  const { certsGrpcUrl, backendsGrpcUrl, gatewayGrpcUrl } = settings;
  if (certsGrpcUrl) directory.connect('certificates', { address: certsGrpcUrl, joinToken: token });
  if (backendsGrpcUrl) directory.connect('backends', { address: backendsGrpcUrl });
  if (gatewayGrpcUrl) {
    directory.connect('gateway', { address: gatewayGrpcUrl, deadlineMs: gatewayDeadlineMs });
  }
  return directory;
}

/** @throws {SettingsError} when the file does not hold one */
export async function joinTokenOf(
  settings: Values<typeof joinTokenShape>,
): Promise<Buffer | undefined> {
  const { joinToken: given, joinTokenFile: file } = settings;
  if (file === undefined) return given;
  const name = 'GLACIS_JOIN_TOKEN_FILE';
  const content = await readFile(file, 'utf8').catch((error: Error) => {
    throw new SettingsError([{ name, reason: error.message }]);
  });
  const token = parseJoinToken(content.trim());
  if (token !== undefined) return token;
  const reason = `${file} does not hold 32 random bytes or more, in hex or base64`;
  throw new SettingsError([{ name, reason }]);
}
