const group = 'rbac.authorization.k8s.io';

/** Objects that let a user do this in every namespace. */
export function grantAll(user: string, rules: object[]): object[] {
  const role = { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name: user }, rules };
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: user },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: group, kind: 'User', name: user }],
  };
  return [role, binding];
}
