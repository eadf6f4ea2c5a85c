import { isQuantity } from '../schema/patterns.js';
import { claimName, kafkaTopic } from '../names.js';
import { isMounted, type Flow } from '../graph.js';
import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';
import { FLOWS, type Facts } from './facts.js';
import { heldElsewhere } from './precedence.js';

type FlowRule = (facts: Facts, name: string, flow: Flow) => Iterable<Finding>;

/** Of an object of Kubernetes. */
const LONGEST_CLAIM = 253;
/** Of a topic of Kafka. */
const LONGEST_TOPIC = 249;

/** What the rules say of one flow. Empty texts count as absent, as a form sends them. */
export function* flowFindings(facts: Facts, name: string, flow: Flow): Generator<Finding> {
  for (const rule of FLOW_RULES) yield* rule(facts, name, flow);
}

export function* sizeInvalid(_: Facts, name: string, flow: Flow): Generator<Finding> {
  if (!isMounted(flow) || isQuantity(flow.config.size)) return;
  const message = 'must be a quantity above zero such as 500Mi or 10Gi';
  yield { code: 'SIZE_INVALID', path: pointer(FLOWS, name, 'config', 'size'), message };
}

export function* pvcNameLength(facts: Facts, name: string, flow: Flow): Generator<Finding> {
  const { length } = claimName(facts.name, name);
  if (!isMounted(flow) || length <= LONGEST_CLAIM) return;
  const message = `the name of its claim has ${length} characters, ${LONGEST_CLAIM} are most`;
  yield { code: 'PVC_NAME_LENGTH', path: pointer(FLOWS, name), message };
}

export function* claimTaken(facts: Facts, name: string, flow: Flow): Generator<Finding> {
  const claim = claimName(facts.name, name);
  const users = isMounted(flow) ? [...facts.cluster.claimUsers(claim)] : [];
  if (!heldElsewhere(facts, users)) return;
  const message = `another graph has a flow with the claim ${claim}; they would share one directory`;
  yield { code: 'CLAIM_TAKEN', path: pointer(FLOWS, name), message };
}

export function* topicLength(facts: Facts, name: string, flow: Flow): Generator<Finding> {
  const { length } = kafkaTopic(facts.name, name);
  if (flow.type !== 'kafka' || length <= LONGEST_TOPIC) return;
  const message = `the name of its topic has ${length} characters, ${LONGEST_TOPIC} are most`;
  yield { code: 'TOPIC_LENGTH', path: pointer(FLOWS, name), message };
}

export function* pulsarAbsent({ cluster }: Facts, name: string, flow: Flow): Generator<Finding> {
  if (flow.type !== 'pulsar' || provided(cluster.providersOf('pulsar'))) return;
  const message = 'no graph on this cluster provides pulsar';
  yield { code: 'PULSAR_ABSENT', path: pointer(FLOWS, name), message };
}

export function* kafkaAbsent({ cluster }: Facts, name: string, flow: Flow): Generator<Finding> {
  if (flow.type !== 'kafka' || cluster.kafkaConfigured) return;
  if (provided(cluster.providersOf('kafka'))) return;
  const message = 'no Kafka is configured and no graph on this cluster provides kafka';
  yield { code: 'KAFKA_ABSENT', path: pointer(FLOWS, name), message };
}

export function* dvcSecretType(_: Facts, name: string, flow: Flow): Generator<Finding> {
  if (flow.type !== 'repository' || flow.config.kind !== 'dvc') return;
  const { remote, storageSecret, storageRemote, storageSecretType } = flow.config;
  if (!remote || !storageSecret || storageRemote || storageSecretType) return;
  const path = pointer(FLOWS, name, 'config', 'storageSecretType');
  const message = 'is missing: without storageRemote it says what the storageSecret is for';
  yield { code: 'DVC_SECRET_TYPE', path, message };
}

export function* dvcRemoteScheme(_: Facts, name: string, flow: Flow): Generator<Finding> {
  if (flow.type !== 'repository' || flow.config.kind !== 'dvc') return;
  const { storageRemote } = flow.config;
  if (!storageRemote || /^s3:/i.test(storageRemote)) return;
  const path = pointer(FLOWS, name, 'config', 'storageRemote');
  yield { code: 'DVC_REMOTE_SCHEME', path, message: 'must be a URL that begins s3://' };
}

const FLOW_RULES: readonly FlowRule[] = [
  sizeInvalid,
  pvcNameLength,
  claimTaken,
  topicLength,
  pulsarAbsent,
  kafkaAbsent,
  dvcSecretType,
  dvcRemoteScheme,
];

function provided(providers: Iterable<unknown>): boolean {
  return [...providers].length > 0;
}
