import type { AdminScope } from '@glacis/identity';
import type { RoleName } from './token.entity.js';

/** Why an administrator of this scope may not make a token with these powers; null when that is allowed. */
export function grantFault(
  scope: AdminScope,
  wanted: { tenant: string | null; roles: readonly RoleName[] },
): string | null {
  if (scope === 'all') return null;
  if (wanted.tenant !== scope.tenant) return 'tokens may be made for the own tenant only';
  if (wanted.roles.includes('platform-admin')) return 'the role platform-admin is above your own';
  return null;
}
