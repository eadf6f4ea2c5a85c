/** One event on its way, as every driver carries it. */
export interface BusMessage {
  /** Aggregate type of the event (`contracts`). */
  topic: string;
  /** Id of the event. A redelivery has the same, so the inbox recognises it. */
  id: string;
  /** Id of the aggregate: messages of one topic and key keep their order. */
  key: string;
  /** Event type, so that a consumer passes over what it has no handler for without reading it. */
  type: string;
  /** The CloudEvent as JSON text. */
  value: string;
}

/**
 * Takes messages for a consumer group. When it resolves they are taken for good; when it rejects, all of them are
 * delivered again, with a growing delay, before later messages of their keys.
 */
export type Deliver = (messages: readonly BusMessage[]) => Promise<void>;

/** Hears one broadcast message. Returns at once and does not throw; nothing is delivered again. */
export type Hear = (message: BusMessage) => void;

/** What a consumer group of this process has not taken yet. */
export interface GroupLag {
  group: string;
  topic: string;
  messages: number;
}

/**
 * Carries messages from relays to consumer groups. The contract test `busContract` (in `test/`) holds every driver
 * to what is said here.
 */
export interface BusDriver {
  /**
   * Resolves when the bus has the messages for good, so that the outbox may forget them. Messages keep the order of
   * the calls per topic and key, also while earlier calls are still under way. The driver itself tries again until
   * it succeeds.
   * @throws {BusClosedError} when the driver was closed first; the messages may have been delivered or not
   */
  publish(messages: readonly BusMessage[]): Promise<void>;
  /** Joins a consumer group: each message of the topics goes to one member of every group, at least once. */
  subscribe(group: string, topics: readonly string[], deliver: Deliver): Promise<void>;
  /** Hears every message of the topics published from now on, in this process whatever other processes do. */
  listen(topics: readonly string[], hear: Hear): Promise<void>;
  /** @throws {Error} with the reason, while messages can be neither published nor received; within 2 s */
  check(): Promise<void>;
  /** How much the groups have not taken yet. Rejects while that cannot be told; within 2 s. */
  lags(): Promise<GroupLag[]>;
  /** Delivers nothing new, waits for the deliveries under way (2 s at most) and leaves its groups. */
  close(): Promise<void>;
}

/** The bus was closed before it had the messages for good. The outbox still has them: they go out after the restart. */
export class BusClosedError extends Error {
  readonly code = 'bus_closed';

  constructor() {
    super('the bus is closed');
  }
}
