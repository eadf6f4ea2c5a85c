import type { ComputationRun } from '@glacis/grpc';
import { freeText, plainText } from '@glacis/http';
import { z } from 'zod';
import { isPublicKey } from './check-run.js';

const userKey = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine(isPublicKey, 'expected the SubjectPublicKeyInfo of an RSA, ECDSA or Ed25519 key');
/** As in the manifest: an array of numbers. */
const hash = z
  .array(z.number().int().min(0).max(255))
  .length(32)
  .transform((numbers) => Buffer.from(numbers));
const short = plainText(1024).default('');
const flag = z.boolean().default(false);

const kbs = z.object({ url: plainText(2048), enabled: z.boolean().default(true) });
const source = z.object({
  type: z.enum(['oci-image', 's3', 'gcs', 'https', 'http']),
  url: plainText(2048),
  kbs_resource_path: short,
  encrypted: flag,
});
const asset = z.object({
  hash,
  user_key: userKey,
  source: source.optional(),
  kbs: kbs.optional(),
});

/** Body of a run: the manifest of `backends.md` 4.10, and what agents from v0.9 on know beside it (9). */
export const runBody = z.object({
  id: plainText(256).min(1),
  name: plainText(1024).default(''),
  description: freeText(4096).default(''),
  datasets: z
    .array(asset.extend({ filename: short, decompress: flag }))
    .max(256)
    .default([]),
  algorithm: asset.extend({
    algo_type: short,
    algo_args: z.array(plainText(4096)).max(256).default([]),
  }),
  result_consumers: z
    .array(z.object({ user_key: userKey }))
    .max(256)
    .default([]),
  agent_config: z.object({
    log_level: short,
    host: short,
    port: short,
    cert_file: short,
    server_key: short,
    server_ca_file: short,
    client_ca_file: short,
    attested_tls: flag,
  }),
  kbs: kbs.optional(),
});

export type RunBody = z.output<typeof runBody>;

/** What the body asks for, in the form in which the suite keeps it: what is empty is absent. */
export function runOf(body: RunBody): ComputationRun {
  const { datasets, algorithm, result_consumers: consumers, agent_config: agent, ...rest } = body;
  return {
    ...rest,
    datasets: datasets.map(({ filename, decompress, ...each }) => ({
      ...assetOf(each),
      filename,
      decompress: decompress || undefined,
    })),
    algorithm: {
      ...assetOf(algorithm),
      algoType: algorithm.algo_type || undefined,
      algoArgs: algorithm.algo_args.length > 0 ? algorithm.algo_args : undefined,
    },
    resultConsumers: consumers.map((consumer) => ({ userKey: consumer.user_key })),
    agentConfig: {
      port: agent.port,
      host: agent.host,
      certFile: agent.cert_file,
      keyFile: agent.server_key,
      clientCaFile: agent.client_ca_file,
      serverCaFile: agent.server_ca_file,
      logLevel: agent.log_level,
      attestedTls: agent.attested_tls,
    },
  };
}

type Asset = Pick<RunBody['algorithm'], 'hash' | 'user_key' | 'source' | 'kbs'>;
type RunAsset = Pick<
  NonNullable<ComputationRun['algorithm']>,
  'hash' | 'userKey' | 'source' | 'kbs'
>;

function assetOf({ hash: digest, user_key: key, source: from, kbs: broker }: Asset): RunAsset {
  return {
    hash: digest,
    userKey: key,
    kbs: broker,
    source: from && {
      type: from.type,
      url: from.url,
      kbsResourcePath: from.kbs_resource_path,
      encrypted: from.encrypted,
    },
  };
}
