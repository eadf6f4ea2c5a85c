import { parseArgs } from 'node:util';
import { SettingsLoader, serviceProgramSettings } from '@glacis/host';
import { Audit, identitySettings, TokenIssuer } from '@glacis/identity';
import { createLogger } from '@glacis/observability';
import { systemClock } from '@glacis/runtime';
import { durationMs } from '@glacis/settings';
import { openStore } from '@glacis/store';
import { gatewayMigrations } from './migrations.js';
import { gatewaySettings } from './settings.js';
import { KeptKeys } from './tokens/kept-keys.js';
import { firstAdministrator, makeToken } from './tokens/make-token.js';

// `node apps/gateway/dist/admin-token.js [--ttl 24h]` prints a token of the first administrator, made with the settings
// and the Secrets of a gateway beside which it is run. It is recorded, and revoked, as any other.

async function adminToken(): Promise<string> {
  const { values } = parseArgs({ options: { ttl: { type: 'string', default: '24h' } } });
  const loader = new SettingsLoader();
  const { DATABASE_URL: databaseUrl } = process.env;
  const program = loader.load(serviceProgramSettings, databaseUrl && { databaseUrl });
  const { kekFile, tokenTtlMax } = loader.load(gatewaySettings);
  const { issuer: name, audience } = loader.load(identitySettings);
  loader.check();
  const ttlMs = durationMs.safeParse(values.ttl).data;
  if (ttlMs === undefined || ttlMs < 1_000 || ttlMs > tokenTtlMax) {
    throw new Error(`--ttl: expected a duration from 1s to ${tokenTtlMax / 1000}s`);
  }
  const store = await openStore({
    service: 'gateway',
    url: program.databaseUrl,
    migrations: gatewayMigrations,
    logger: createLogger({ name: 'admin-token', level: program.logLevel }),
  });
  try {
    const issuer = new TokenIssuer({ issuer: name, audience });
    const kept = await KeptKeys.open(store, kekFile, systemClock);
    await issuer.keys.keptBy(() => kept.read());
    const parts = { store, issuer, audit: new Audit() };
    const maker = { actor: 'gateway' };
    return (await makeToken(parts, { ...firstAdministrator, ttlMs }, maker)).token;
  } finally {
    await store.close();
  }
}

try {
  console.log(await adminToken());
} catch (error) {
  console.error(`no token: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
