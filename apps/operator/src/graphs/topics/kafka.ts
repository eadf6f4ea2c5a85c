import type { TopicAdmin } from '@glacis/events/bare';
import { kafkaTopic, type FlowState, type GraphName } from '@glacis/graphs';
import type { Logger } from '@glacis/observability';
import type { Judgement } from '../states.js';
import { checkMs, type TopicConfig, type TopicType } from './topic-type.js';

export interface KafkaTopicsOptions {
  /** `host:port[,host:port]` as it is now; empty: there is no Kafka. */
  bootstrap: () => string;
  /** TLS and login of the admin client, as settings of `@glacis/events`. */
  security: () => Promise<Record<string, string>>;
  logger: Logger;
}

const limitMs = 10_000;

/** Kafka flows: a topic each. The client is loaded when there is the first of them. */
export class KafkaTopics implements TopicType {
  private admin: { bootstrap: string; client: Promise<TopicAdmin> } | undefined;

  constructor(private readonly options: KafkaTopicsOptions) {}

  resourceOf(graph: GraphName, flow: string): string {
    return kafkaTopic(graph, flow);
  }

  async ensure(graph: GraphName, flow: string, config: TopicConfig): Promise<void> {
    const { partitions = 1, retentionMs } = config;
    await (await this.client()).ensure(kafkaTopic(graph, flow), { partitions, retentionMs });
  }

  async remove(topic: string): Promise<void> {
    await (await this.client()).remove(topic);
  }

  /** Its topics are removed by name. */
  async removeAll(): Promise<void> {}

  async check(
    graph: GraphName,
    flow: string,
    { partitions: wanted = 1 }: TopicConfig,
  ): Promise<Judgement<FlowState>> {
    const topic = kafkaTopic(graph, flow);
    const found = await within(checkMs, (await this.client()).partitionsOf(topic));
    if (found === undefined) return { state: 'error', message: `there is no topic ${topic}` };
    if (found === wanted) return { state: 'normal' };
    const message = `the topic ${topic} has ${found} partitions, not ${wanted}`;
    return { state: 'error', message };
  }

  async close(): Promise<void> {
    await (await this.admin?.client)?.close();
  }

  /** Another bootstrap address makes another client. */
  private client(): Promise<TopicAdmin> {
    const bootstrap = this.options.bootstrap();
    if (bootstrap === '') throw new Error('no Kafka is configured, nor provided by a graph');
    if (this.admin?.bootstrap !== bootstrap) {
      const former = this.admin?.client;
      this.admin = { bootstrap, client: this.open(bootstrap) };
      void former?.then((admin) => admin.close()).catch(() => undefined);
      this.admin.client.catch(() => (this.admin = undefined));
    }
    return this.admin.client;
  }

  private async open(brokers: string): Promise<TopicAdmin> {
    const { loadKafkaSettings, TopicAdmin } = await import('@glacis/events/bare');
    const overrides = { ...(await this.options.security()), brokers };
    const settings = loadKafkaSettings({ env: {}, overrides });
    return new TopicAdmin(settings, { logger: this.options.logger, limitMs });
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
