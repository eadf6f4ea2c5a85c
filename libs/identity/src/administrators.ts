import { problems, type Principal } from '@glacis/http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** What a principal administers: the whole platform, or one tenant. */
export type AdminScope = 'all' | { tenant: string };

/** @throws {Problem} `forbidden` (403) when it is neither `platform-admin` nor `admin` of a tenant */
export function adminScope({ roles, tenant }: Principal): AdminScope {
  if (roles.includes('platform-admin')) return 'all';
  if (tenant !== null && roles.includes('admin')) return { tenant };
  throw problems.forbidden('needs the role admin of a tenant, or platform-admin');
}

/** Lets administrators of a tenant and of the platform pass, before the body is looked at. */
@Injectable()
export class AdministratorGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const principal = execution.switchToHttp().getRequest<FastifyRequest>().context?.principal;
    return principal ? adminScope(principal) !== undefined : false;
  }
}
