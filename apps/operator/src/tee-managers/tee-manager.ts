import type { KubeObject, ResourceType } from '@glacis/kube';
import type { z } from 'zod';
import type { phases, teeManagerSpec, teeManagerStatus } from './tee-manager.schema.js';

export type TeeManagerSpec = z.output<typeof teeManagerSpec>;
export type TeeManagerStatus = z.output<typeof teeManagerStatus>;
export type Phase = (typeof phases)[number];
export type Tee = TeeManagerSpec['tee'];

export interface TeeManager extends KubeObject {
  spec: TeeManagerSpec;
  status?: TeeManagerStatus;
}

const group = 'tee.glacis.dev';

export const teeManagers: ResourceType<TeeManager> = {
  group,
  version: 'v1alpha1',
  kind: 'TeeManager',
  plural: 'teemanagers',
  namespaced: true,
};

/** Keeps a TeeManager until its host is deregistered. */
export const finalizer = `${group}/deregister`;

/** What people say by annotations on a TeeManager; a new value counts, whatever it is. */
export const wishes = {
  /** Have another certificate, with another key, also after this one was revoked. */
  reissue: `${group}/reissue`,
  /** Start again, also after a termination. */
  restart: `${group}/restart`,
  /** `true`: let it go without a word to the suite. */
  forceDelete: `${group}/force-delete`,
} as const;

/** What the operator keeps in mind on the objects that it makes. */
export const notes = {
  /** Of the certificate in the Secret, and of the one that the Pod was started with. */
  serial: `${group}/certificate-serial`,
  /** On what is applied: hash of the manifest. */
  manifest: `${group}/manifest`,
  /** On the Secret: serials that are to be revoked once the new one is in use. */
  superseded: `${group}/superseded-serials`,
  /** On the Secret: the reissue wish that its certificate has fulfilled. */
  reissue: wishes.reissue,
  /** On the Pod: the restart wish that it has fulfilled. */
  restart: wishes.restart,
} as const;

/** Label of namespaces: whose hosts its TeeManagers are. */
export const tenantLabel = 'glacis.dev/tenant';

/** On everything that is made here, so that only that is watched. */
export const ownLabels = { 'app.kubernetes.io/managed-by': 'glacis-operator' } as const;
export const ownSelector = 'app.kubernetes.io/managed-by=glacis-operator';
