import {
  defineSettings,
  durationMs,
  flag,
  host,
  integer,
  json,
  list,
  optionalPort,
  optionalText,
  port,
  setting,
} from '@glacis/settings';
import type { Values } from '@glacis/settings';
import { z } from 'zod';

/** `backends.md` 4.1, 6 and 13. */
export const backendsSettings = defineSettings('GLACIS_BACKENDS_', {
  httpPort: setting(port, '9011', 'Port of the REST interface when the service runs on its own.'),
  managerHost: setting(host, '0.0.0.0', 'Address on which managers are listened for.'),
  managerPort: setting(port, '7011', 'Port of the manager stream; 0 takes a free one.'),
  agentHost: setting(
    host,
    '0.0.0.0',
    'Address on which agents of confidential VMs are listened for.',
  ),
  agentPort: setting(port, '7018', 'Port of the agent stream; 0 takes a free one.'),
  grpcHost: setting(host, '0.0.0.0', 'Address on which other services are listened for.'),
  grpcPort: setting(
    optionalPort,
    '7006',
    'Port for the calls of other services; 0 takes a free one, empty: none is opened.',
  ),
  publicNames: setting(
    list,
    'localhost,127.0.0.1,::1',
    'Host names and IP addresses under which managers, agents and other services dial us; all of them stand in our server certificate.',
  ),
  tls12: setting(flag, 'false', 'Also accept managers and agents that speak TLS 1.2 only.'),
  handshakes: setting(
    integer(1, 10_000),
    '100',
    'TLS handshakes per source address in any 10 s; above it the socket is closed at accept.',
  ),
  lease: setting(
    durationMs,
    '45s',
    'How long a stream counts as live after the last word of its replica.',
  ),
  terminateGrace: setting(
    durationMs,
    '300ms',
    'How long a client may take to end by itself after Terminate.',
  ),
  shutdownSpread: setting(durationMs, '10s', 'Time over which live streams are ended at shutdown.'),
  kbsHosts: setting(
    json(z.record(z.string(), z.array(z.string()))),
    '{}',
    'Hosts of key brokers that may be named to guests, as JSON of tenant to hosts; a tenant without any may name none.',
  ),
  kekFile: setting(
    optionalText,
    '',
    'File with the key-encryption keys for the keys by which managers are called, one of 32 bytes per line in base64 or hex; the first encrypts. Empty: no such key can be set.',
  ),
  vmConnectTimeout: setting(
    durationMs.refine((ms) => ms >= 100 && ms <= 60_000, { error: 'expected 100ms to 60s' }),
    '3s',
    'How long a manager that we call may take to be reached, 100ms to 60s; then it is 503 and nothing was sent.',
  ),
  vmTimeout: setting(
    durationMs,
    '2m',
    'How long a manager that we call may take to answer; then it is uncertain whether it has made a VM.',
  ),
  agentUrl: setting(
    optionalText,
    '',
    'host:port under which the agents of new VMs dial us. Empty: the first public name and the agent port.',
  ),
  runQueue: setting(integer(1, 1000), '16', 'Runs that may wait for one manager.'),
});

export type BackendsSettings = Values<typeof backendsSettings.shape>;
