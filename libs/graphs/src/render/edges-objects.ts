import { createHash } from 'node:crypto';
import { claimsIn, flowsIn } from './claims.js';
import { edgesConfigMap } from './edges-config-map.js';
import { mutationPreset } from './mutation-preset.js';
import { metadataIn } from './places.js';
import { pullSecretsIn } from './pull-secrets.js';
import { repositoryOf } from './repository-flow.js';
import type { Manifest, RenderSubject } from './subject.js';
import { workloadObjects, type Workload } from './workload.js';

/** Release `edges` of a component (4.6). */
export function edgesObjects(subject: RenderSubject, component: string): Manifest[] {
  const place = { component };
  const claims = claimsIn(subject, place);
  const repositories = flowsIn(subject, place).flatMap((flow) => repositoryOf(subject, flow) ?? []);
  const secrets = repositories.length > 0 ? pullSecretsIn(subject, place, 'edges') : [];
  const preset = mutationPreset(subject, component);
  const own = [...claims, ...secrets, preset, edgesConfigMap(subject, component)];
  if (claims.length + secrets.length === 0) return own;
  const readsSecrets = repositories.some(({ gitSecret, dvcSecret }) => gitSecret ?? dvcSecret);
  return [
    ...own,
    ...sourceIn(subject, component),
    ...workloadObjects(subject, place, liveness(subject, preset, readsSecrets)),
  ];
}

/** Says which outputs are there; its pod gets the preset as those of the component do. */
function liveness(subject: RenderSubject, preset: Manifest, readsSecrets: boolean): Workload {
  const { livenessImage, livenessScript } = subject.settings;
  const own = { command: ['node', 'apps/flows/dist/liveness.js'], mounts: [], volumes: [] };
  const scripted = {
    mounts: [{ name: sourceName, mountPath: '/app', readOnly: true }],
    volumes: [{ name: sourceName, configMap: { name: sourceName } }],
  };
  const digest = createHash('sha256').update(JSON.stringify(preset.spec)).digest('hex');
  return {
    name: 'edges-volume-liveness-service',
    image: livenessImage,
    ...(livenessScript === undefined ? own : scripted),
    // A pod takes its preset when it is made: another preset wants another pod.
    podAnnotations: { 'glacis.dev/preset': digest },
    imagePullSecrets: [],
    readsSecrets,
  };
}

const sourceName = 'edges-source';

/** A script that the liveness image runs in place of its own. */
function sourceIn(subject: RenderSubject, component: string): Manifest[] {
  const { livenessScript } = subject.settings;
  if (livenessScript === undefined) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadataIn(subject, { component }, sourceName),
      data: { 'run_volume_liveness.py': livenessScript },
    },
  ];
}
