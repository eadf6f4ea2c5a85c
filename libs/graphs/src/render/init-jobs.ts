import { LABELS } from '../marks.js';
import { claimName, labelValue, podName } from '../names.js';
import { FLOW_LABEL } from './claims.js';
import { flowsOf, metadataIn } from './places.js';
import { containerSecurity, podSecurity, scratch, type Variable } from './pods.js';
import { pullReferences } from './pull-secrets.js';
import { folders, repositoryOf, type RepositoryFacts } from './repository-flow.js';
import { initScript } from './scripts/init.js';
import type { Manifest, RenderSubject } from './subject.js';

const place = { flowType: 'repository' } as const;

/** A Job per repository flow with a claim, which makes what is missing in it (4.8); the label FLOW_LABEL tells them apart. */
export function initJobs(subject: RenderSubject): Manifest[] {
  return flowsOf(subject, 'repository').flatMap((flow) => {
    const facts = repositoryOf(subject, flow);
    return facts?.hasClaim ? [initJob(subject, flow, facts)] : [];
  });
}

function initJob(subject: RenderSubject, flow: string, facts: RepositoryFacts): Manifest {
  const { settings, graph } = subject;
  const { name: _, ...metadata } = metadataIn(subject, place, '');
  const labels = { ...metadata.labels, [FLOW_LABEL]: labelValue(flow) };
  const claim = claimName(graph, flow);
  const folder = `${folders.origins}/${claim}`;
  const volume = podName(`flow-volume-${flow}`);
  const pulls = pullReferences(subject, 'init');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...metadata, generateName: 'init-repo-', labels },
    spec: {
      backoffLimit: 3,
      activeDeadlineSeconds: settings.initTimeoutSeconds,
      ttlSecondsAfterFinished: 600,
      template: {
        metadata: { labels: { ...labels, [LABELS.disableEdges]: 'true' } },
        spec: {
          restartPolicy: 'OnFailure',
          automountServiceAccountToken: false,
          securityContext: podSecurity({ secrets: false }),
          ...(pulls.length > 0 && { imagePullSecrets: pulls }),
          containers: [
            {
              name: 'init-repo',
              image: settings.repositoryImage,
              command: ['/bin/sh', '-c', initScript],
              env: initVariables(facts, folder),
              securityContext: containerSecurity,
              volumeMounts: [{ name: volume, mountPath: folder }, scratch.mount],
            },
          ],
          volumes: [{ name: volume, persistentVolumeClaim: { claimName: claim } }, scratch.volume],
        },
      },
    },
  };
}

export function initVariables(facts: RepositoryFacts, folder: string): Variable[] {
  const { kind, remote, storageRemote } = facts;
  const [dvc, ours] = [kind === 'dvc', remote === undefined];
  const flags = {
    INIT_GIT: ours,
    INIT_DVC: dvc && ours,
    INIT_ARTIFACT: dvc && storageRemote === undefined,
    LINK_STORAGE: dvc && ours,
  };
  return [
    ...Object.entries(flags).map(([name, on]) => ({ name, value: on ? '1' : '0' })),
    { name: 'MOUNT_PATH', value: folder },
    { name: 'DEFAULT_BRANCH', value: facts.defaultBranch ?? 'main' },
    ...(dvc ? storageVariables(facts, folder) : []),
    { name: 'USER_NAME', value: facts.username || 'Rampart' },
    { name: 'USER_EMAIL', value: facts.useremail || 'rampart@petuum.com' },
  ];
}

function storageVariables(facts: RepositoryFacts, folder: string): Variable[] {
  const { storageRemote: url, storageRemoteName } = facts;
  const name = url === undefined ? 'rampart-local' : 'rampart-external';
  return [
    { name: 'STORAGE_REMOTE_NAME', value: storageRemoteName ?? name },
    { name: 'STORAGE_REMOTE', value: url ?? `${folder}/artifact` },
  ];
}
