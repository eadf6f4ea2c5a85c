import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { ManualClock } from '@glacis/runtime';
import { testDatabase } from '@glacis/testbed';
import { gatewayMigrations } from '../src/migrations.js';
import { openDoor, type Door } from './door.js';
import { HttpService } from './wire.js';

/** Where the services of a door are. */
export interface Targets {
  backends?: string[];
  certificates?: string[];
  env?: Record<string, string>;
}

/** A door with two services behind it that answer `hello` until a test tells them otherwise. */
export interface Forwarding {
  door: Door;
  backends: HttpService;
  certificates: HttpService;
  identity: TestIdentity;
  /** A good token of a tenant. */
  bearer: string;
  /** Header lines that every request needs. */
  authorized: string;
  /** A door of its own for one test. */
  withDoor(targets: Targets, use: (other: Door) => Promise<void>): Promise<void>;
  /** Forgets what earlier tests did with the services. */
  reset(): void;
  close(): Promise<void>;
}

export async function startForwarding(): Promise<Forwarding> {
  const database = await testDatabase({ gateway: gatewayMigrations });
  const clock = new ManualClock(new Date());
  const identity = await testIdentity(clock);
  const bearer = await identity.token();
  const [backends, certificates] = [await HttpService.start(), await HttpService.start()];
  const open = ({ backends: b = [], certificates: c = [], env = {} }: Targets): Promise<Door> => {
    const urls = {
      GLACIS_GATEWAY_BACKENDS_URLS: b.join(','),
      GLACIS_GATEWAY_CERTIFICATES_URLS: c.join(','),
    };
    const databaseUrl = database.url;
    return openDoor({ databaseUrl, clock, identity, env: { ...urls, ...env } });
  };
  const door = await open({ backends: [backends.url], certificates: [certificates.url] });
  return {
    door,
    backends,
    certificates,
    identity,
    bearer,
    authorized: `Host: door\r\nAuthorization: Bearer ${bearer}\r\n`,
    async withDoor(targets, use) {
      const other = await open(targets);
      try {
        await use(other);
      } finally {
        await other.close();
      }
    },
    reset() {
      for (const service of [backends, certificates]) {
        service.seen.length = 0;
        service.handle = (_request, response) => void response.end('hello');
      }
    },
    async close() {
      await door.close();
      await backends.close();
      await certificates.close();
      await database.drop();
    },
  };
}
