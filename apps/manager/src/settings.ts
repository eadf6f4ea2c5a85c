import { dialectNames } from '@glacis/grpc';
import {
  choice,
  defineSettings,
  durationMs,
  flag,
  host,
  integer,
  list,
  loadSettings,
  optionalText,
  optionalUrl,
  port,
  setting,
  text,
  type LoadOptions,
  type Values,
} from '@glacis/settings';
import { z } from 'zod';
import { qemuSettings } from './qemu/settings.js';

const share: z.ZodType<number> = z.coerce.number().min(0).max(1);

/** The variables of upstream managers, unchanged (`backends.md` 14). */
export const upstreamSettings = defineSettings('MANAGER_', {
  logLevel: setting(
    choice('debug', 'info', 'warn', 'error'),
    'info',
    'Least level that is logged.',
  ),
  instanceId: setting(optionalText, '', 'Name of this process; random by default.'),
  grpcUrl: setting(text, 'localhost:7001', 'Server to dial, host:port.'),
  grpcClientCert: setting(optionalText, '', 'PEM file of the client certificate.'),
  grpcClientKey: setting(optionalText, '', 'PEM file of its key.'),
  grpcServerCaCerts: setting(
    optionalText,
    '',
    'PEM file of the roots that the server must chain to.',
  ),
  grpcTimeout: setting(durationMs, '60s', 'Time for a connection to come about.'),
  grpcAttestedTls: setting(flag, 'false', 'Not supported; true refuses to start.'),
  grpcInsecure: setting(flag, 'false', 'Plaintext, for tests.'),
  grpcHost: setting(host, '0.0.0.0', 'Generation B: address on which calls are taken.'),
  grpcPort: setting(
    port,
    '7001',
    'Generation B: port on which calls are taken; 0 takes a free one.',
  ),
  grpcServerCert: setting(optionalText, '', 'Generation B: PEM file of the server certificate.'),
  grpcServerKey: setting(optionalText, '', 'Generation B: PEM file of its key.'),
  grpcClientCaCerts: setting(
    optionalText,
    '',
    'Generation B: PEM file of the roots that clients must chain to.',
  ),
  maxVms: setting(integer(1, 10_000), '10', 'Generation B: VMs at once.'),
  eosVersion: setting(optionalText, '', 'Version of the guest system, told on request.'),
});

export const traceSettings = defineSettings('COCOS_JAEGER_', {
  url: setting(optionalUrl, 'http://localhost:4318', 'OTLP collector; empty switches traces off.'),
  traceRatio: setting(share, '1.0', 'Share of runs that are traced.'),
});

export const managerSettings = defineSettings('GLACIS_MANAGER_', {
  generation: setting(
    choice('A', 'B'),
    'A',
    'A dials the server and keeps a stream open; B is called and starts VMs, for generations B and C.',
  ),
  protocol: setting(choice(...dialectNames), 'seed', 'Dialect of the stream.'),
  tee: setting(choice('none', 'snp', 'tdx'), 'none', 'Trusted execution environment of this host.'),
  reconnect: setting(flag, 'true', 'Dial again when a stream ends; false exits as upstream does.'),
  vmDriver: setting(
    choice('auto', 'qemu', 'stub'),
    'auto',
    'What starts the guests: stub simulates them; auto takes it on a host without TEE and without QEMU.',
  ),
  guestLink: setting(
    choice('vsock', 'serial'),
    'vsock',
    'How qemu reaches the agents of computations: over vsock, as stock guests expect it, or by a virtio-serial port.',
  ),
  vsockCommand: setting(
    list,
    'socat,-u,STDIN,VSOCK-CONNECT:{cid}:9999',
    'Program and arguments that hand a manifest from standard input to the guest with the context id {cid}.',
  ),
  httpPort: setting(port, '7003', 'Port of health and metrics.'),
  stateDir: setting(text, '/var/lib/glacis-manager', 'Folder for what outlives a restart.'),
  newKey: setting(flag, 'false', 'A renewal of an enrolled certificate takes a new key.'),
});

export interface ManagerSettings {
  upstream: Values<typeof upstreamSettings.shape>;
  traces: Values<typeof traceSettings.shape>;
  own: Values<typeof managerSettings.shape>;
  qemu: Values<typeof qemuSettings.shape>;
}

/** @throws {SettingsError} naming every bad value */
export function loadManagerSettings(options: LoadOptions = {}): ManagerSettings {
  const { MG_JAEGER_TRACE_RATIO: olderRatio } = options.env ?? process.env;
  const overrides: Record<string, string> = olderRatio ? { traceRatio: olderRatio } : {};
  return {
    upstream: loadSettings(upstreamSettings, options),
    traces: loadSettings(traceSettings, { ...options, overrides }),
    own: loadSettings(managerSettings, options),
    qemu: loadSettings(qemuSettings, options),
  };
}
