// What runs: the five services, so many replicas of each, and the environment of every one of them.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const apps = fileURLToPath(new URL('../../apps/', import.meta.url));

/** The ports of each service, by the variable that sets them. */
const ports = {
  certificates: {
    GLACIS_CERTS_HTTP_PORT: 9010,
    GLACIS_CERTS_GRPC_PORT: 7012,
    GLACIS_CERTS_EST_PORT: 9012,
  },
  backends: {
    GLACIS_BACKENDS_HTTP_PORT: 9011,
    GLACIS_BACKENDS_GRPC_PORT: 7006,
    GLACIS_BACKENDS_MANAGER_PORT: 7011,
    GLACIS_BACKENDS_AGENT_PORT: 7018,
  },
  'graph-apps': { GLACIS_GRAPH_APPS_HTTP_PORT: 9013 },
  jobs: { GLACIS_JOBS_HTTP_PORT: 5000, GLACIS_JOBS_AGENTS_PORT: 5001 },
  gateway: { GLACIS_GATEWAY_HTTP_PORT: 8080, GLACIS_GATEWAY_GRPC_PORT: 7005 },
};

/**
 * Every program to be started: `{ name, service, replica, script, env }`. Secrets that are not there yet are made.
 * @param replicas of each service
 * @param dataDir folder of the secrets that replicas share
 * @param offset added to every port; each further replica of a service has its ports 100 higher
 */
export function deployment({ replicas = 1, dataDir = '.glacis', offset = 0 } = {}) {
  const each = [...Array(replicas).keys()];
  const portOf = (service, variable, replica) => ports[service][variable] + offset + 100 * replica;
  const list = (service, variable, prefix = '') =>
    each.map((replica) => `${prefix}127.0.0.1:${portOf(service, variable, replica)}`).join(',');
  const addresses = {
    GLACIS_CERTS_GRPC_URL: list('certificates', 'GLACIS_CERTS_GRPC_PORT'),
    GLACIS_BACKENDS_GRPC_URL: list('backends', 'GLACIS_BACKENDS_GRPC_PORT'),
    GLACIS_GATEWAY_GRPC_URL: list('gateway', 'GLACIS_GATEWAY_GRPC_PORT'),
    GLACIS_GATEWAY_CERTIFICATES_URLS: list('certificates', 'GLACIS_CERTS_HTTP_PORT', 'http://'),
    GLACIS_GATEWAY_BACKENDS_URLS: list('backends', 'GLACIS_BACKENDS_HTTP_PORT', 'http://'),
    GLACIS_GATEWAY_GRAPH_APPS_URLS: list('graph-apps', 'GLACIS_GRAPH_APPS_HTTP_PORT', 'http://'),
    GLACIS_GATEWAY_JOBS_URLS: list('jobs', 'GLACIS_JOBS_HTTP_PORT', 'http://'),
    GLACIS_JOBS_PUBLIC_URL: `http://127.0.0.1:${8080 + offset}`,
    GLACIS_CERTS_PUBLIC_URL: `http://127.0.0.1:${8080 + offset}`,
  };
  const secrets = makeSecrets(resolve(dataDir));
  return Object.keys(ports).flatMap((service) =>
    each.map((replica) => ({
      name: `${service}-${replica + 1}`,
      service,
      replica,
      script: join(apps, service, 'dist', 'main.js'),
      env: {
        ...addresses,
        ...secrets,
        ...parseEnv(readFileSync(join(here, `${service}.env`), 'utf8')),
        ...Object.fromEntries(
          Object.keys(ports[service]).map((variable) => [
            variable,
            String(portOf(service, variable, replica)),
          ]),
        ),
      },
    })),
  );
}

/** Files of the secrets, made at the first start: elsewhere these are Secrets that every replica is given. */
function makeSecrets(dataDir) {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = (name) => {
    const path = join(dataDir, name);
    const text = `${randomBytes(32).toString('base64')}\n`;
    if (!existsSync(path)) writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
  return {
    GLACIS_JOIN_TOKEN_FILE: file('join.token'),
    GLACIS_CERTS_KEK_FILE: file('kek'),
    GLACIS_BACKENDS_KEK_FILE: file('backends.kek'),
    GLACIS_GATEWAY_KEK_FILE: file('gateway.kek'),
    GLACIS_JOBS_SECRET_FILE: file('jobs.secret'),
    GLACIS_JOBS_DATA_DIR: join(dataDir, 'jobs'),
    GLACIS_GATEWAY_DATA_DIR: join(dataDir, 'gateway'),
  };
}
