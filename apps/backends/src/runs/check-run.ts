import { createPublicKey } from 'node:crypto';
import { encodeRun, maxRunBytes, type ComputationRun } from '@glacis/grpc';

const HASH_BYTES = 32;
const KEY_TYPES = new Set(['rsa', 'ec', 'ed25519']);
/** P-224 to P-521: managers and agents know no other. */
const CURVES = new Set(['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1']);
const MAX_ID = 256;

interface Asset {
  hash: Buffer;
  userKey: Buffer;
}

/**
 * What is wrong with a run (`backends.md` 4.8); undefined: it may be sent. A manager or agent that gets a run without
 * algorithm or agent configuration, or with a short hash, dies of it.
 */
export function faultOf(run: ComputationRun): string | undefined {
  const fault = faultOfId(run.id);
  if (fault !== undefined) return fault;
  if (run.algorithm === undefined) return 'algorithm: missing';
  if (run.agentConfig === undefined) return 'agent_config: missing';
  const assets: [string, Asset][] = [
    ['algorithm', run.algorithm],
    ...run.datasets.map((dataset, i): [string, Asset] => [`datasets.${i}`, dataset]),
  ];
  return (
    firstFault(assets, ([name, asset]) => faultOfAsset(name, asset)) ??
    firstFault(run.resultConsumers, (consumer, i) =>
      isPublicKey(consumer.userKey) ? undefined : `result_consumers.${i}.user_key: no public key`,
    ) ??
    (encodeRun(run).length >= maxRunBytes ? 'the run is 32 MiB or longer' : undefined)
  );
}

/** What is wrong with the id of a computation. */
export function faultOfId(id: string): string | undefined {
  const fits = id !== '' && id.length <= MAX_ID && !/\p{Cc}/u.test(id);
  return fits
    ? undefined
    : `id: expected 1 to ${MAX_ID} characters, none of them a control character`;
}

function firstFault<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const fault = check(item, index);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfAsset(name: string, { hash, userKey }: Asset): string | undefined {
  if (hash.length !== HASH_BYTES) return `${name}.hash: expected ${HASH_BYTES} bytes`;
  return isPublicKey(userKey) ? undefined : `${name}.user_key: no public key`;
}

/** True of a SubjectPublicKeyInfo that managers and agents can read. */
export function isPublicKey(der: Buffer): boolean {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (!KEY_TYPES.has(key.asymmetricKeyType ?? '')) return false;
    const curve = key.asymmetricKeyDetails?.namedCurve;
    if (key.asymmetricKeyType === 'ec' && !CURVES.has(curve ?? '')) return false;
    // OpenSSL reads over bytes behind the key, at which others stumble.
    return key.export({ format: 'der', type: 'spki' }).equals(der);
  } catch {
    return false;
  }
}
