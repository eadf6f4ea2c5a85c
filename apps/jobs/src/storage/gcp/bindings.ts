/** As `Policy` of Cloud IAM. */
export interface Policy {
  bindings: { role: string; members: string[] }[];
}

export const roles = {
  create: 'roles/storage.objectCreator',
  read: 'roles/storage.objectViewer',
} as const;

/** The policy with one member more in a role. */
export function withMember<T extends Policy>(policy: T, role: string, member: string): T {
  const others = without(policy, role, member).bindings;
  return { ...policy, bindings: [...others, { role, members: [member] }] };
}

export function without<T extends Policy>(policy: T, role: string, member: string): T {
  const bindings = (policy.bindings ?? [])
    .map((each) =>
      each.role === role
        ? { ...each, members: each.members.filter((other) => other !== member) }
        : each,
    )
    .filter(({ members }) => members.length > 0);
  return { ...policy, bindings };
}
