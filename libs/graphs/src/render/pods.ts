/** What pods that the suite brings have in common: Pod Security `restricted`, and no rights at all. */

/** User of the image of the suite. */
const user = 65_532;

export interface Variable {
  name: string;
  value: string;
}

export interface Mount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

/** @param reads what it mounts that only its group may read, such as Secrets of mode 0400 */
export function podSecurity(reads: { secrets: boolean }): object {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    ...(reads.secrets && { fsGroup: user }),
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Of a container in a pod of the suite. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};

/** Of a container in somebody's pod: runs as the user of that pod, to whom then belongs what it writes. */
export const guestSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** The one writable folder under a root that is read-only. */
export const scratch = {
  volume: { name: 'tmp', emptyDir: {} },
  mount: { name: 'tmp', mountPath: '/tmp' },
};
