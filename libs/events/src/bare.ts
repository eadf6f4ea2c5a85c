// For programs without Nest and without a database that look after topics of others.
export { kafkaSettings, loadKafkaSettings, type KafkaSettings } from './kafka/kafka-settings.js';
export { FewerPartitionsError, TopicAdmin, type TopicWish } from './kafka/topic-admin.js';
