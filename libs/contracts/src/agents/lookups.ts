import { z } from 'zod';
import { partyNumber, rawKey, sha256 } from './common.js';
import { signedPolicy } from './signed-policy.js';

/** Answer of GET /agents/peers: the other parties. */
export const peersReply = z.object({
  peers: z.array(
    z.object({
      party: partyNumber,
      /** The URI SAN that its certificate must carry, exactly (11.10). */
      uri: z.string(),
      mac_key: rawKey,
      /** Null until that agent has done `deploy`. */
      address: z.object({ host: z.string(), port: z.int() }).nullable(),
    }),
  ),
});
export type PeersReply = z.infer<typeof peersReply>;

/** As whom a party reads an object that the coordinator may not read: by an identity of its own in that cloud (10.3). */
export const objectIdentity = z.discriminatedUnion('cloud', [
  /** A signature of version 4, for this region. */
  z.object({ cloud: z.literal('aws'), region: z.string() }),
  /** A token of a service account. */
  z.object({ cloud: z.literal('gcp') }),
  /** A token of a managed identity; the pinned version is that of this ETag. */
  z.object({ cloud: z.literal('azure'), etag: z.string() }),
]);
export type ObjectIdentity = z.infer<typeof objectIdentity>;

/** Answer of GET /agents/inputs: own pins, in the order of the owners of the facts. */
export const inputsReply = z.object({
  files: z.array(
    z.object({
      owner: z.string(),
      table: z.string().nullable(),
      set: z.int().positive(),
      /** Where the pinned version is read, relative to the listener or absolute; the answer is the object's bytes. */
      url: z.string(),
      /** Null: the certificate of the agent is enough. */
      identity: objectIdentity.nullable(),
      /** As stored. */
      bytes: z.int().positive(),
      /** The owner's declarations (2.3), where it made any: of the share file, not of its sealed form. */
      sha256: sha256.nullable(),
      rows: z.int().positive().nullable(),
    }),
  ),
  /** The document that counts, per owner and table (8.1). */
  policies: z.array(signedPolicy),
  /** Keys bound to owners, where one is bound. */
  owner_keys: z.record(z.string(), rawKey),
});
export type InputsReply = z.infer<typeof inputsReply>;

/** Answer of GET /agents/output: where the result is PUT, relative to the listener or absolute. */
export const outputReply = z.object({
  url: z.string(),
  headers: z.record(z.string(), z.string()),
});
export type OutputReply = z.infer<typeof outputReply>;
