import { waitFor } from '@glacis/runtime';
import { startKafka, type KafkaCluster } from '@glacis/testbed/cluster';
import { temporaryFolder } from '@glacis/testbed';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaBus } from '../src/kafka/kafka-bus.js';
import { newKafkaBus, ownKafka } from './kafka.js';
import { message, nameOf } from './messages.js';

const user = { username: 'glacis', password: 'p4ssw0rd-of-the-test' };
let kafka: KafkaCluster;
let secure: Record<string, string>;
let passwordFile: string;
const buses: KafkaBus[] = [];

beforeAll(async () => {
  kafka = await startKafka({ tls: true, sasl: user });
  const { ca = '', cert = '', key = '' } = kafka.tls ?? {};
  passwordFile = join(await temporaryFolder(), 'password');
  await writeFile(passwordFile, `${user.password}\n`);
  secure = {
    tls: 'true',
    tlsCaFile: ca,
    tlsCertFile: cert,
    tlsKeyFile: key,
    saslMechanism: 'scram-sha-256',
    saslUser: user.username,
    saslPassword: user.password,
  };
});
afterAll(() => kafka.stop());
afterEach(() => Promise.all(buses.splice(0).map((bus) => bus.close())));

function connect(overrides: Record<string, string>): KafkaBus {
  const bus = newKafkaBus(ownKafka(kafka.brokers, { ...secure, ...overrides }));
  buses.push(bus);
  return bus;
}

test.each([
  ['SCRAM-SHA-256 with a password', {}],
  [
    'SCRAM-SHA-512 with the password in a file',
    { saslMechanism: 'scram-sha-512', saslPassword: '', saslPasswordFile: 'file' },
  ],
])('events go over mutual TLS and %s', async (_, overrides: Record<string, string>) => {
  const bus = connect({
    ...overrides,
    ...(overrides['saslPasswordFile'] && { saslPasswordFile: passwordFile }),
  });
  const taken: string[] = [];
  await bus.subscribe('group', ['backend'], async (messages) => {
    taken.push(...messages.map(nameOf));
  });
  await bus.publish([message('a', 'over TLS')]);
  await waitFor(() => taken.length > 0, { what: 'the message' });
  expect(taken).toEqual(['over TLS']);
  await bus.check();
});

test.each([
  ['a wrong password', { saslPassword: 'wrong' }, /authentication/i],
  [
    'no certificate of its own',
    { tlsCertFile: '', tlsKeyFile: '' },
    /certificate|closed|no result/i,
  ],
  ['roots that do not know the brokers', { tlsCaFile: '' }, /certificate/i],
  ['no TLS', { tls: 'false', tlsCaFile: '', tlsCertFile: '', tlsKeyFile: '' }, /closed|no result/i],
])('with %s it is not ready, and says why', async (_, overrides, reason) => {
  await expect(connect(overrides).check()).rejects.toThrow(reason);
});

test.each([
  [{ tlsKeyFile: '' }, /GLACIS_KAFKA_TLS_KEY_FILE/],
  [{ tlsCaFile: '/nowhere/ca.pem' }, /GLACIS_KAFKA_TLS_CA_FILE.*no such file/],
  [{ tls: 'false' }, /GLACIS_KAFKA_TLS: /],
  [{ saslUser: '' }, /GLACIS_KAFKA_SASL_USER/],
  [{ saslPassword: '' }, /GLACIS_KAFKA_SASL_PASSWORD/],
])('settings that do not go together are refused by name: %j', (overrides, reason) => {
  expect(() => connect(overrides)).toThrow(reason);
});
