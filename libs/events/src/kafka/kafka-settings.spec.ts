import { loadKafkaSettings } from './kafka-settings.js';

test('KAFKA_BROKERS stands in for the setting of our own', () => {
  const env = { KAFKA_BROKERS: 'kafka-1:9092, kafka-2:9092' };
  expect(loadKafkaSettings({ env }).brokers).toEqual(['kafka-1:9092', 'kafka-2:9092']);
  const own = { ...env, GLACIS_KAFKA_BROKERS: 'other:9092' };
  expect(loadKafkaSettings({ env: own }).brokers).toEqual(['other:9092']);
  expect(loadKafkaSettings({ env: {} }).brokers).toEqual([]);
});

test.each([
  ['BROKERS', 'kafka'],
  ['BROKERS', 'kafka:port'],
  ['PREFIX', 'a b'],
  ['PREFIX', 'p'.repeat(65)],
  ['PARTITIONS', '0'],
  ['RETENTION', '30m'],
  ['RETENTION', '145h'],
  ['SESSION_TIMEOUT', '0'],
  ['SASL_MECHANISM', 'plain'],
])('GLACIS_KAFKA_%s is not %s', (name, value) => {
  const variable = `GLACIS_KAFKA_${name}`;
  expect(() => loadKafkaSettings({ env: { [variable]: value } })).toThrow(variable);
});
