import type { Tracing } from '@glacis/observability';
import type { TokenBuckets } from '@glacis/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from './caller.js';
import type { ClientAddress } from './client-address.js';
import { contentTypeGate } from './content-type.js';
import type { Access, OperationOptions } from './operation.js';
import type { Problem } from './problem.js';
import { problems } from './problems.js';
import { RequestContext } from './request-context.js';

/**
 * Verifies the value of `Authorization`. Throws `problems.unauthenticated` for anything but a good token. Answering
 * at once, and not by a promise, keeps the request on its short way.
 */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>;

export interface AdmissionOptions {
  authenticate: Authenticate;
  callers: TokenBuckets;
  clientAddress: ClientAddress;
  tracing: Tracing;
}

type Done = (error?: Error) => void;
type Admit = (context: RequestContext, request: FastifyRequest, done: Done) => void;
export type RequestHook = (request: FastifyRequest, reply: FastifyReply, done: Done) => void;

/** What a principal lacks for an access level, or nothing. */
const lacks: Record<Access, (principal: Principal) => string | undefined> = {
  public: () => undefined,
  authenticated: () => undefined,
  member: (principal) => (principal.tenant === null ? 'the token names no tenant' : undefined),
  admin: (principal) =>
    lacks.member(principal) ??
    (principal.roles.includes('admin') ? undefined : 'needs the role admin of the tenant'),
  platform: (principal) =>
    principal.roles.includes('platform-admin') ? undefined : 'needs the role platform-admin',
  administrator: (principal) => (lacks.platform(principal) ? lacks.admin(principal) : undefined),
};

/** How the pattern of a route says that its path names a tenant, which must be that of the token. */
const tenantInPath = '/:domainId/';

/** The checks that come before a body is read: 429, 401, 403, 415, in this order. */
export class Admission {
  constructor(private readonly options: AdmissionOptions) {}

  /** The hook of one route, made once at start so that a request looks nothing up. */
  hook(operation: OperationOptions, pattern: string): RequestHook {
    const admit =
      operation.access === 'public' ? this.visitor(operation) : this.caller(operation, pattern);
    const checkType = contentTypeGate(operation);
    return (request, reply, done) => {
      const context = this.open(request, reply, pattern);
      admit(context, request, (problem) => done(problem ?? checkType(request)));
    };
  }

  /** Gives the request its context: id, trace, address. Also for requests that match no route. */
  open(request: FastifyRequest, reply: FastifyReply, pattern: string): RequestContext {
    const context = new RequestContext(request.raw, this.options.clientAddress);
    request.context = context;
    reply.header('x-request-id', context.requestId);
    const { tracing } = this.options;
    if (tracing.recording) {
      const attributes = { 'http.request.method': request.method, 'http.route': pattern };
      const name = `${request.method} ${pattern}`;
      context.span = tracing.start(name, context.incomingTrace, attributes, 'server');
    }
    return context;
  }

  private visitor(operation: OperationOptions): Admit {
    return (context, _request, done) => {
      done(operation.ownLimit ? undefined : this.overLimit(`address ${context.address}`));
    };
  }

  private caller(operation: OperationOptions, pattern: string): Admit {
    const lack = lacks[operation.access];
    const foreign = pattern.startsWith(tenantInPath) ? isOfAnother : () => undefined;
    const admit = (
      context: RequestContext,
      request: FastifyRequest,
      { principal, done }: { principal: Principal; done: Done },
    ): void => {
      context.principal = principal;
      const over = this.overLimit(`subject ${principal.issuer} ${principal.subject}`);
      if (over) return done(over);
      const missing = lack(principal) ?? foreign(principal, request);
      done(missing === undefined ? undefined : problems.forbidden(missing));
    };
    const refuse = (context: RequestContext, error: Error, done: Done): void =>
      done(this.overLimit(`address ${context.address}`) ?? error);

    return (context, request, done) => {
      let principal: Principal | Promise<Principal>;
      try {
        principal = this.options.authenticate(request.raw.headers.authorization);
      } catch (error) {
        return refuse(context, error as Error, done);
      }
      if (!(principal instanceof Promise)) return admit(context, request, { principal, done });
      principal.then(
        (verified) => admit(context, request, { principal: verified, done }),
        (error: Error) => refuse(context, error, done),
      );
    };
  }

  private overLimit(key: string): Problem | undefined {
    const wait = this.options.callers.take(key);
    return wait === 0 ? undefined : problems.rateLimited(wait);
  }
}

function isOfAnother({ tenant }: Principal, { params }: FastifyRequest): string | undefined {
  const { domainId } = params as { domainId?: string };
  return domainId === tenant ? undefined : 'the token is of another tenant';
}
