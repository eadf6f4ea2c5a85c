import { createHash } from 'node:crypto';
import type { ComputationRun, DialectName } from '@glacis/grpc';

type Config = NonNullable<ComputationRun['agentConfig']>;
type Dataset = ComputationRun['datasets'][number];
type Json = Record<string, unknown>;

/**
 * What a guest is told of its computation, byte for byte as upstream managers write it (`backends.md` 4.10): the host
 * data of an SNP guest is the hash over it.
 */
export function manifestOf(run: ComputationRun, dialect: DialectName): Buffer {
  const { id, name, description, algorithm, agentConfig } = run;
  const party = dialect === 'seed' ? namedParty : keyedParty;
  const taker = dialect === 'seed' ? base64 : consumer;
  const manifest = {
    ...filled({ id, name, description }),
    ...filled({ datasets: run.datasets.map((dataset, index) => party(dataset, index)) }),
    algorithm: algorithm && party({ ...algorithm, filename: '' }),
    ...filled({ result_consumers: run.resultConsumers.map(({ userKey }) => taker(userKey)) }),
    agent_config: agentConfig && configOf(agentConfig, dialect),
  };
  const text = JSON.stringify(manifest).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(text);
}

/** Base64, as QEMU wants it. */
export function hostDataOf(manifest: Buffer): string {
  return createHash('sha3-256').update(manifest).digest('base64');
}

function keyedParty({ hash, userKey, filename }: Dataset): Json {
  return { hash: [...hash], ...filled({ user_key: base64(userKey), filename }) };
}

/** Guests of `seed` know parties by name and not by key, as their managers do. */
function namedParty({ hash, userKey, filename }: Dataset, index?: number): Json {
  const id = filename || (index === undefined ? 'algorithm' : String(index));
  return { ...filled({ provider: base64(userKey), id }), hash: [...hash] };
}

function consumer(userKey: Buffer): Json {
  return filled({ user_key: base64(userKey) });
}

function base64(key: Buffer): string {
  return key.toString('base64');
}

function configOf(config: Config, dialect: DialectName): Json {
  const all = {
    log_level: config.logLevel,
    host: config.host,
    port: config.port,
    cert_file: config.certFile,
    server_key: config.keyFile,
    server_ca_file: config.serverCaFile,
    client_ca_file: config.clientCaFile,
    attested_tls: config.attestedTls,
  };
  return dialect === 'v0.4' ? filled(all) : all;
}

/** Without the members that Go takes for empty. */
function filled(members: Json): Json {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : !value;
}
