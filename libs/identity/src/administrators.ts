import { problems, type Principal } from '@glacis/http';

/** What a principal administers: the whole platform, or one tenant. */
export type AdminScope = 'all' | { tenant: string };

/** @throws {Problem} `forbidden` (403) when it is neither `platform-admin` nor `admin` of a tenant */
export function adminScope({ roles, tenant }: Principal): AdminScope {
  if (roles.includes('platform-admin')) return 'all';
  if (tenant !== null && roles.includes('admin')) return { tenant };
  throw problems.forbidden('needs the role admin of a tenant, or platform-admin');
}
