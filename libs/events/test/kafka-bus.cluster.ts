import { sharedKafka, startKafka, type KafkaCluster } from '@glacis/testbed/cluster';
import { busContract } from './bus-contract.js';
import { newKafkaBus, ownKafka } from './kafka.js';

let three: KafkaCluster;
beforeAll(async () => {
  three = await startKafka({ brokers: 3 });
});
afterAll(() => three.stop());

const clusters: [string, () => string[]][] = [
  ['one broker', sharedKafka],
  ['three brokers', () => three.brokers],
];
for (const [name, brokers] of clusters) {
  busContract(`the Kafka bus on ${name}`, async () => {
    const settings = ownKafka(brokers());
    return {
      topics: ['backend', 'certificate'],
      connect: async () => newKafkaBus(settings),
      stop: async () => undefined,
    };
  });
}
