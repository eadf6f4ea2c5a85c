import { metadataIn, type Place } from './places.js';
import type { Manifest, RenderSubject } from './subject.js';

/** Secrets to pull images with, by who uses them (4.4). */
const PULL_SECRETS = {
  /** Flow services. */
  flows: 'rampart-internal-stagingsecret',
  /** Init Jobs of repositories. */
  init: 'rampart-internal-repo-flow-secret',
  /** Clones in the pods of components. */
  edges: 'rampart-internal-repo-edge-secret',
} as const;

export type PullSecretUse = keyof typeof PULL_SECRETS;

/** The Secret in a place, where one is configured. */
export function pullSecretsIn(
  subject: RenderSubject,
  place: Place,
  use: PullSecretUse,
): Manifest[] {
  const { pullSecret } = subject.settings;
  if (pullSecret === undefined) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadataIn(subject, place, PULL_SECRETS[use]),
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(pullSecret).toString('base64') },
    },
  ];
}

/** `imagePullSecrets` of a pod; empty where none is configured. */
export function pullReferences(
  { settings }: RenderSubject,
  use: PullSecretUse,
): { name: string }[] {
  return settings.pullSecret === undefined ? [] : [{ name: PULL_SECRETS[use] }];
}
