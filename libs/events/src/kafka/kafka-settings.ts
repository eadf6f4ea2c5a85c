import {
  choice,
  defineSettings,
  durationMs,
  flag,
  integer,
  list,
  loadSettings,
  optionalText,
  secret,
  setting,
  text,
  type LoadOptions,
  type Setting,
  type SettingsDefinition,
  type Values,
} from '@glacis/settings';

const hour = 3_600_000;
/** Inbox rows know an event for 7 days; the log may not give one back later than that, a day for its last segment included. */
const longestRetentionMs = 144 * hour;

const address = /^[\w.-]+:\d{1,5}$/;
const saslMechanisms = ['none', 'scram-sha-256', 'scram-sha-512'] as const;

/** How to reach Kafka and what to ask of it. Without brokers the events stay in the process. */
export const kafkaSettings: SettingsDefinition<{
  brokers: Setting<string[]>;
  clientId: Setting<string>;
  prefix: Setting<string>;
  partitions: Setting<number>;
  replication: Setting<number>;
  minIsr: Setting<number>;
  retention: Setting<number>;
  sessionTimeout: Setting<number>;
  tls: Setting<boolean>;
  tlsCaFile: Setting<string | undefined>;
  tlsCertFile: Setting<string | undefined>;
  tlsKeyFile: Setting<string | undefined>;
  saslMechanism: Setting<(typeof saslMechanisms)[number]>;
  saslUser: Setting<string | undefined>;
  saslPassword: Setting<string | undefined>;
  saslPasswordFile: Setting<string | undefined>;
}> = defineSettings('GLACIS_KAFKA_', {
  brokers: setting(
    list.refine((all) => all.every((each) => address.test(each)), {
      message: 'expected addresses such as kafka-1:9092,kafka-2:9092',
    }),
    '',
    'Brokers to ask first, as host:port with commas; `KAFKA_BROKERS` is read as well. Empty: no Kafka, events stay in the process.',
  ),
  clientId: setting(text, 'glacis', 'Name of this program in the logs and quotas of the brokers.'),
  prefix: setting(
    text.refine((value) => /^[\w.-]{1,64}$/.test(value), {
      message: 'expected 1 to 64 letters, digits, dots, dashes or underscores',
    }),
    'glacis.',
    'What the names of all topics and consumer groups begin with.',
  ),
  partitions: setting(
    integer(1, 1_000),
    '6',
    'Partitions of a topic that is made: as many replicas share its events at most.',
  ),
  replication: setting(
    integer(0, 15),
    '0',
    'Copies of a topic that is made; 0: three, or one per broker where there are fewer.',
  ),
  minIsr: setting(
    integer(0, 15),
    '0',
    'Copies that have to hold an event before it counts as published (`min.insync.replicas` of a topic that is made); 0: one less than there are, at least one.',
  ),
  retention: setting(
    durationMs.refine((ms) => ms >= hour && ms <= longestRetentionMs, {
      message: 'expected 1h to 144h, as consumers know an event again for 7 days',
    }),
    '72h',
    'How long a topic that is made keeps events.',
  ),
  sessionTimeout: setting(
    durationMs.refine((ms) => ms >= 1_000 && ms <= 300_000, { message: 'expected 1s to 5m' }),
    '6s',
    'Silence after which the partitions of a consumer go to others; brokers bound it (`group.min.session.timeout.ms`).',
  ),
  tls: setting(flag, 'false', 'Speak TLS to the brokers and check their names.'),
  tlsCaFile: setting(
    optionalText,
    '',
    'PEM file with the roots that brokers are checked against; empty: those of Node.',
  ),
  tlsCertFile: setting(
    optionalText,
    '',
    'PEM file with the client certificate and its chain, for brokers that ask for one.',
  ),
  tlsKeyFile: setting(optionalText, '', 'PEM file with the private key of the client certificate.'),
  saslMechanism: setting(
    choice(...saslMechanisms),
    'none',
    'How to log in: `none`, `scram-sha-256` or `scram-sha-512`. Use it with TLS.',
  ),
  saslUser: setting(optionalText, '', 'User to log in as.'),
  saslPassword: secret(optionalText, '', 'Password of the user.'),
  saslPasswordFile: setting(optionalText, '', 'File with the password, in place of the setting.'),
});

export type KafkaSettings = Values<typeof kafkaSettings.shape>;

/** The settings by environment and file; `KAFKA_BROKERS` stands in where `GLACIS_KAFKA_BROKERS` is not given. */
export function loadKafkaSettings(options: LoadOptions = {}): KafkaSettings {
  const { KAFKA_BROKERS: brokers = '' } = options.env ?? process.env;
  const overrides = { brokers, ...options.overrides };
  return loadSettings(kafkaSettings, { ...options, overrides });
}
