import { parseArgs } from 'node:util';
import { StartError } from '@glacis/runtime';

const roles = ['operator', 'validator', 'mutator'] as const;
export type Role = (typeof roles)[number];

/** What a process is started for (graph-apps.md 4.1, 5.1). */
export interface Command {
  roles: ReadonlySet<Role>;
  webhooks: {
    host: string;
    /** 0 takes a free one. */
    port: number;
    /** Files; absent: plain HTTP, or a certificate of our own CA. */
    tls?: { cert: string; key: string };
  };
}

export const usage = `usage: operator [--role operator|validator|mutator]... [--host 0.0.0.0] [--port 8080] [--tls-crt FILE --tls-key FILE]
  --role     operator reconciles resources; validator answers /validate and /conversion; mutator answers /mutate/pod and
             /mutate/ingress. Default: operator
  --host, --port, --tls-crt, --tls-key    of the webhooks. Without the files, and without a certificate of our own CA,
             they are plain HTTP, for behind a TLS front`;

/** @throws {StartError} for what is no such command line */
export function commandOf(args: readonly string[]): Command {
  const { values } = parsed(args);
  const { role = ['operator'], host = '0.0.0.0', port = '8080' } = values;
  const chosen = role.map(roleOf);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) wrong(`--port ${port} is no port`);
  const { 'tls-crt': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    wrong('--tls-crt and --tls-key belong together');
  }
  const tls = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  return { roles: new Set(chosen), webhooks: { host, port: Number(port), tls } };
}

const text = { type: 'string' } as const;
const options = {
  role: { type: 'string', multiple: true },
  host: text,
  port: text,
  'tls-crt': text,
  'tls-key': text,
} as const;

function parsed(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ args: string[]; options: typeof options }>> {
  try {
    return parseArgs({ args: [...args], options });
  } catch (error) {
    return wrong((error as Error).message);
  }
}

function roleOf(name: string): Role {
  return roles.find((role) => role === name) ?? wrong(`--role ${name}: there is no such role`);
}

function wrong(reason: string): never {
  throw new StartError(`${reason}\n${usage}`);
}
