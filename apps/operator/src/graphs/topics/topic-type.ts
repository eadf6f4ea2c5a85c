import type { FlowState, GraphName } from '@glacis/graphs';
import type { Judgement } from '../states.js';

/** Of the `config` of a topic flow, what is used. */
export interface TopicConfig {
  partitions?: number;
  retentionMs?: number;
}

/** Where topic flows live: in the brokers of one type (4.9). */
export interface TopicType {
  /** Name of the topic there, as the status records it. */
  resourceOf(graph: GraphName, flow: string): string;
  /** Makes the topic, or brings it to its config. @throws {Error} with what a user should know */
  ensure(graph: GraphName, flow: string, config: TopicConfig): Promise<void>;
  /** One that is gone already counts as removed. */
  remove(resource: string): Promise<void>;
  /** What is left of a graph that is deleted. */
  removeAll(graph: GraphName): Promise<void>;
  /** Whether messages can pass, within 5 s. */
  check(graph: GraphName, flow: string, config: TopicConfig): Promise<Judgement<FlowState>>;
}

export interface TopicTypes {
  kafka: TopicType;
  pulsar: TopicType;
}

/** Milliseconds of a check. */
export const checkMs = 5_000;
