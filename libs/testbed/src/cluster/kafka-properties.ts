import type { TlsFiles } from './kafka-tls.js';

export interface SaslUser {
  username: string;
  password: string;
}

/** The ports of one broker. */
export interface BrokerPorts {
  /** For clients. */
  client: number;
  /** Among the brokers, without TLS and SASL. */
  internal: number;
  controller: number;
  /** For clients through a proxy: where the broker listens, and the proxy in front that it names to them. */
  proxied?: { listen: number; advertise: number };
}

export interface ClusterPlan {
  /** Address for clients that come without a proxy. */
  host: string;
  brokers: BrokerPorts[];
  sasl?: SaslUser;
  tls?: Pick<TlsFiles, 'ca' | 'keyStore'>;
}

/** `server.properties` of the broker with that index: small, and fast to notice that another one has died. */
export function brokerProperties(plan: ClusterPlan, index: number, logFolder: string): string {
  const count = plan.brokers.length;
  const ports = plan.brokers[index];
  if (!ports) throw new RangeError(`there is no broker ${index}`);
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': index + 1,
    'controller.quorum.voters': plan.brokers
      .map(({ controller }, each) => `${each + 1}@127.0.0.1:${controller}`)
      .join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    'log.dirs': logFolder,
    ...listeners(plan, ports),
    ...(plan.sasl && saslProperties),
    ...(plan.tls && tlsProperties(plan.tls)),
    ...replication(count),
    ...fastFailover,
    'auto.create.topics.enable': false,
    // The default alone is more than a small heap holds.
    'log.cleaner.dedupe.buffer.size': 8_388_608,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const loopback = '127.0.0.1';

function listeners(
  { host, sasl, tls }: ClusterPlan,
  { client, internal, controller, proxied }: BrokerPorts,
): Record<string, string> {
  const protocol = `${sasl ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`;
  const all = [
    { name: 'CLIENT', host, protocol, listen: client, advertise: client },
    ...[
      { name: 'INTERNAL', protocol: 'PLAINTEXT', listen: internal, advertise: internal },
      ...(proxied ? [{ name: 'PROXIED', protocol, ...proxied }] : []),
      { name: 'CONTROLLER', protocol: 'PLAINTEXT', listen: controller, advertise: undefined },
    ].map((listener) => ({ host: loopback, ...listener })),
  ];
  return {
    listeners: all.map(({ name, host: at, listen }) => `${name}://${at}:${listen}`).join(),
    'advertised.listeners': all
      .flatMap(({ name, host: at, advertise }) => (advertise ? `${name}://${at}:${advertise}` : []))
      .join(),
    'listener.security.protocol.map': all.map((each) => `${each.name}:${each.protocol}`).join(),
  };
}

const forClients = ['client', 'proxied'];
const scramLogin = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];

const saslProperties: Record<string, string> = {
  'sasl.enabled.mechanisms': scramMechanisms.join(),
  ...Object.fromEntries(
    forClients.flatMap((listener) =>
      scramMechanisms.map((mechanism) => [
        `listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`,
        scramLogin,
      ]),
    ),
  ),
};

/** Arguments of `StorageTool format` that make the user known from the first start on. */
export function scramArguments({ username, password }: SaslUser): string[] {
  return scramMechanisms.flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
}

function tlsProperties({
  ca,
  keyStore,
}: Pick<TlsFiles, 'ca' | 'keyStore'>): Record<string, string> {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    // Beside SASL only the form that names the listener counts.
    ...Object.fromEntries(
      forClients.map((listener) => [`listener.name.${listener}.ssl.client.auth`, 'required']),
    ),
  };
}

/** Every message outlives the loss of one broker where there are three. */
function replication(count: number): Record<string, number> {
  const inSync = count > 1 ? count - 1 : 1;
  return {
    'default.replication.factor': count,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': count,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': count,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
  };
}

const fastFailover: Record<string, number> = {
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 500,
  'broker.session.timeout.ms': 2_000,
  'broker.heartbeat.interval.ms': 500,
};
