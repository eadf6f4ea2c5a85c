import { z } from 'zod';
import { partyNumber, rawKey } from './common.js';

/** Body of POST /agents/enrol (jobs.md 10.2), the one call without a client certificate. */
export const enrolRequest = z.object({
  /** 256 bits as base64url; used once. */
  token: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** PKCS#10 in PEM; its key was made in the agent. It asks for no names: the issuer sets them. */
  csr: z.string().max(8192),
  /** X25519 public key of the checks of duplicate slots (section 8). */
  mac_key: rawKey,
  /** What a confidential guest says of itself, base64. */
  evidence: z.string().max(65_536).optional(),
});
export type EnrolRequest = z.infer<typeof enrolRequest>;

/** A file that says who a process is in a cloud. */
const identityFile = z.object({
  /** Credentials of AWS (profile `default`), or the key of a Google service account. */
  file: z.string(),
  /** Address of a server in place of Cloud Storage, the only other one that a token of Google may go to. Default none. */
  endpoint: z.url().optional(),
});

/** Answer of POST /agents/enrol: 201. */
export const enrolReply = z.object({
  agent_id: z.string(),
  job_id: z.string(),
  attempt: z.int().nonnegative(),
  party: partyNumber,
  /** URI SAN of the certificate (11.10). */
  uri: z.string(),
  /** PEM, own certificate first. */
  chain: z.array(z.string()).min(1).max(4),
  /** PEM of the CA that the certificates of all parties of the job chain to. */
  ca: z.string(),
});
export type EnrolReply = z.infer<typeof enrolReply>;

/** The file `agent.json` in the directory of an agent: what it is told before it enrols. The token is not in it. */
export const agentConfig = z.object({
  /** Agents listener, `https://host:port`. */
  coordinator: z.url({ protocol: /^https$/ }),
  /** PEM of the CA of the listener. */
  coordinator_ca: z.string(),
  /** Where the agent takes links, and the host by which its peers reach it. Default 127.0.0.1 for both. */
  listen_host: z.string().default('127.0.0.1'),
  advertise_host: z.string().default('127.0.0.1'),
  /** Ends when its standard input does, which its starter holds open. Default true. */
  life_line: z.boolean().default(true),
  /** 0, the default, for any free one. */
  listen_port: z.int().min(0).max(65_535).default(0),
  /**
   * By what it reads a bucket that the coordinator may not read (10.3, isolation `account`): the identity that the cloud gave
   * its machine, or a file. Default none.
   */
  identity: z.union([z.literal('machine'), identityFile]).optional(),
});
export type AgentConfig = z.input<typeof agentConfig>;
export type AgentIdentity = NonNullable<AgentConfig['identity']>;

/** Environment variable with the one-time token. */
export const AGENT_TOKEN_VARIABLE = 'GLACIS_AGENT_TOKEN';

/** Environment variable with the host by which peers reach the agent, where only its surroundings know it. */
export const AGENT_HOST_VARIABLE = 'GLACIS_AGENT_HOST';
