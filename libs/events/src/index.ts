export { Outbox, UntellableEventError } from './outbox/outbox.js';
export type { NewEvent } from './outbox/new-event.js';
export { Broadcasts, BusBusyError } from './broadcasts.js';
export { OnBroadcast, OnEvent } from './nest/handlers.js';
export { EventContext } from './nest/event-context.js';
export {
  BusClosedError,
  type BusDriver,
  type BusMessage,
  type Deliver,
  type GroupLag,
  type Hear,
} from './bus.js';
export { chooseBus, type BusContext } from './choose-bus.js';
export { kafkaSettings, loadKafkaSettings, type KafkaSettings } from './kafka/kafka-settings.js';
export { InProcessBus, type InProcessBusOptions } from './in-process-bus.js';
export { EventsServer, type EventsServerOptions } from './nest/events-server.js';
export { EventSetupError } from './nest/handler-table.js';
export { EventsModule, type EventsModuleOptions } from './nest/events.module.js';
export { DeadLetters, type DeadLetter } from './failures/dead-letters.js';
export { UnreadableEventError } from './inbox/received.js';
export { DeadlineError } from './within.js';
export type { RetryPolicy } from './failures/retry-policy.js';
export { eventsMigrations } from './migrations.js';
