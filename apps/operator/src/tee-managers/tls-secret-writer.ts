import { ownedBy } from '@glacis/kube';
import { ownLabels } from './tee-manager.js';
import { secretName, type Secret } from './tls-secret.js';
import type { Work } from './work.js';

export interface SecretChange {
  /** Text of files; null removes one. */
  data: Record<string, string | null>;
  annotations: Record<string, string | null>;
}

/** Changes the Secret, only if nobody has changed it since it was read; makes it where there is none. */
export function writeSecret(
  { manager, secrets }: Work,
  secret: Secret | undefined,
  { data, annotations }: SecretChange,
): Promise<Secret> {
  const entries = Object.entries(data).map(([file, text]) => [file, base64(text)] as const);
  if (secret) {
    const { uid, resourceVersion } = secret.metadata;
    const patch = {
      metadata: { uid, resourceVersion, annotations },
      data: Object.fromEntries(entries),
    };
    return secrets.patch(secret.metadata, patch);
  }
  const { namespace, name } = manager.metadata;
  const metadata = {
    name: secretName(name),
    namespace,
    labels: ownLabels,
    ownerReferences: [ownedBy(manager)],
  };
  const given = entries.filter((entry): entry is [string, string] => entry[1] !== null);
  return secrets.create({ metadata, type: 'Opaque', data: Object.fromEntries(given) });
}

const base64 = (text: string | null): string | null =>
  text === null ? null : Buffer.from(text).toString('base64');
