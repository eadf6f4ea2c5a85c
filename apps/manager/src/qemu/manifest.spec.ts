import { createHash } from 'node:crypto';
import type { ComputationRun } from '@glacis/grpc';
import { hostDataOf, manifestOf } from './manifest.js';

const hash = Buffer.alloc(32, 1);
const ones = `[${Array.from({ length: 32 }, () => 1).join(',')}]`;
const key = Buffer.from('key');
const run: ComputationRun = {
  id: '1',
  name: '<a & b>\u2028',
  description: '',
  datasets: [{ hash, userKey: key, filename: 'd.csv' }],
  algorithm: { hash, userKey: key },
  resultConsumers: [{ userKey: key }],
  agentConfig: {
    port: '7002',
    host: '',
    certFile: '',
    keyFile: 'k.pem',
    clientCaFile: '',
    serverCaFile: '',
    logLevel: 'info',
    attestedTls: false,
  },
};
const name = String.raw`\u003ca \u0026 b\u003e\u2028`;
const config =
  '{"log_level":"info","host":"","port":"7002","cert_file":"","server_key":"k.pem","server_ca_file":"","client_ca_file":"","attested_tls":false}';

describe('backends.md 4.10: manifest', () => {
  it.each(['v0.2', 'v0.3'] as const)('%s prints all of agent_config', (dialect) => {
    expect(manifestOf(run, dialect).toString()).toBe(
      `{"id":"1","name":"${name}","datasets":[{"hash":${ones},"user_key":"a2V5","filename":"d.csv"}],` +
        `"algorithm":{"hash":${ones},"user_key":"a2V5"},"result_consumers":[{"user_key":"a2V5"}],` +
        `"agent_config":${config}}`,
    );
  });

  it('v0.4 leaves out what is empty', () => {
    expect(manifestOf(run, 'v0.4').toString()).toContain(
      '"agent_config":{"log_level":"info","port":"7002","server_key":"k.pem"}}',
    );
    const bare = { ...run, datasets: [], resultConsumers: [], name: '', description: 'd' };
    expect(manifestOf(bare, 'v0.4').toString()).toMatch(/^{"id":"1","description":"d","algorithm"/);
  });

  it('seed names parties as its managers do', () => {
    const manifest = JSON.parse(manifestOf(run, 'seed').toString()) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      datasets: [{ provider: 'a2V5', id: 'd.csv' }],
      algorithm: { provider: 'a2V5', id: 'algorithm' },
      result_consumers: ['a2V5'],
    });
  });

  it('host data is the base64 of SHA3-256 over its bytes', () => {
    const manifest = manifestOf(run, 'v0.4');
    expect(hostDataOf(manifest)).toBe(createHash('sha3-256').update(manifest).digest('base64'));
    expect(Buffer.from(hostDataOf(manifest), 'base64')).toHaveLength(32);
  });
});
