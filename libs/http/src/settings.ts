import {
  defineSettings,
  durationMs,
  integer,
  list,
  ratePerSecond,
  setting,
  sizeBytes,
  type Setting,
  type SettingsDefinition,
  type Values,
} from '@glacis/settings';
import { isNetwork } from './client-address.js';

/** How much one caller, one connection and one request may take. */
export const httpSettings: SettingsDefinition<{
  bodyLimit: Setting<number>;
  maxConnections: Setting<number>;
  headersTimeout: Setting<number>;
  requestTimeout: Setting<number>;
  idleTimeout: Setting<number>;
  callerRate: Setting<number>;
  callerBurst: Setting<number>;
  shutdownDelay: Setting<number>;
  trustedProxies: Setting<string[]>;
}> = defineSettings('GLACIS_HTTP_', {
  bodyLimit: setting(
    sizeBytes,
    '64kb',
    'Longest request body where an operation sets no other limit.',
  ),
  maxConnections: setting(
    integer(1, 1_000_000),
    '16384',
    'Connections open at once; further ones are closed at accept.',
  ),
  headersTimeout: setting(durationMs, '10s', 'Time to send the headers of a request.'),
  requestTimeout: setting(
    durationMs,
    '60s',
    'Time to send a whole request, but for uploads of files, which may go on while bytes come.',
  ),
  idleTimeout: setting(durationMs, '75s', 'Time that a connection is kept between two requests.'),
  callerRate: setting(
    ratePerSecond,
    '5000/s',
    'Requests of one token, or of one address without a good token, in the long run.',
  ),
  callerBurst: setting(
    integer(1, 1_000_000),
    '10000',
    'Requests that a caller who was silent may send at once.',
  ),
  shutdownDelay: setting(
    durationMs.refine((ms) => ms <= 10_000, { error: 'expected at most 10s' }),
    '0s',
    'Time between the signal to stop and the end of listening, for proxies to go elsewhere; 500ms in a service that runs by itself.',
  ),
  trustedProxies: setting(
    list.refine((items) => items.every(isNetwork), {
      error: 'expected IP addresses and networks such as 10.0.0.0/8',
    }),
    '',
    'Addresses of our own proxies, the gateway among them: only they may name the client in `X-Forwarded-For`.',
  ),
});

export type HttpSettings = Values<typeof httpSettings.shape>;
