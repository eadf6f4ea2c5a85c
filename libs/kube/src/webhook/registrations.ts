import type { Draft } from '../api/objects.js';
import type { builtIns } from '../api/resource-type.js';
import { certificatesIn } from './serving-credentials.js';

type BuiltIns = typeof builtIns;
type Definition = NonNullable<BuiltIns['customResourceDefinitions']['of']>;

/** Where the API server reads how to call webhooks. */
export type Registration =
  NonNullable<BuiltIns['validatingWebhooks' | 'mutatingWebhooks']['of']> | Definition;

/** The `caBundle` of each webhook in it, as base64; undefined where none is set. */
export function bundlesIn(registration: Registration): (string | undefined)[] {
  if (!isDefinition(registration)) {
    return (registration.webhooks ?? []).map(({ clientConfig }) => clientConfig.caBundle);
  }
  const webhook = registration.spec.conversion?.webhook;
  return webhook ? [webhook.clientConfig?.caBundle] : [];
}

/** What is to be applied so that each webhook in it has this bundle, and nothing else of it; undefined where it is so. */
export function withBundle(
  registration: Registration,
  caBundle: string,
): Draft<Registration> | undefined {
  if (bundlesIn(registration).every((bundle) => bundle === caBundle)) return undefined;
  const { name, uid } = registration.metadata;
  const clientConfig = { caBundle };
  const change = isDefinition(registration)
    ? { spec: { conversion: { webhook: { clientConfig } } } }
    : {
        webhooks: (registration.webhooks ?? []).map((each) => ({ name: each.name, clientConfig })),
      };
  // With its uid, so that one that was deleted meanwhile is not made anew.
  return { metadata: { name, uid }, ...change };
}

/** Whether every webhook in it trusts these certificates. */
export function trusts(registration: Registration, certificates: readonly string[]): boolean {
  return bundlesIn(registration).every((bundle = '') => {
    const trusted = new Set(certificatesIn(Buffer.from(bundle, 'base64')));
    return certificates.every((certificate) => trusted.has(certificate));
  });
}

function isDefinition(registration: Registration): registration is Definition {
  return registration.kind === 'CustomResourceDefinition';
}
