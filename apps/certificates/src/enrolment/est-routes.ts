import type { TLSSocket } from 'node:tls';
import { malformedBy, Problem, problems, type Visitor } from '@glacis/http';
import { certsOnly } from '@glacis/pki';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authority } from '../authority/authority.js';
import { csrBody } from '../issuing/csr-request.js';
import { leafJson } from '../issuing/leaf-json.js';
import type { CertificatesMetrics } from '../metrics.js';
import type { AddressLimit } from '../status/address-limit.js';
import { basicCredentials } from './basic-credentials.js';
import type { Enrolment } from './enrolment.service.js';
import type { HostRenewal } from './host-renewal.service.js';
import { presentedBy } from './presented-certificate.js';

export interface EstParts {
  authority: Authority;
  enrolment: Enrolment;
  renewal: HostRenewal;
  metrics: CertificatesMetrics;
  /** Reads that everybody may make. */
  publicLimit: AddressLimit;
  /** Tries to enrol or renew. */
  attempts: AddressLimit;
}

type Request = FastifyRequest<{ Params: { tenant?: string } }>;

/**
 * EST (RFC 7030) and the renewal of our own form (`certificates.md` 3.3). The label of the path is the tenant; it may be
 * left out, as token and certificate name theirs.
 */
export function addEstRoutes(app: FastifyInstance, parts: EstParts): void {
  for (const base of ['/.well-known/est', '/.well-known/est/:tenant']) {
    app.get(`${base}/cacerts`, (request, reply) => caCertificates(parts, request, reply));
    app.get(`${base}/csrattrs`, (request, reply) => {
      parts.publicLimit.assert(visitorOf(request).address);
      return reply.code(204).send();
    });
    app.post(`${base}/simpleenroll`, (request: Request, reply) => enrol(parts, request, reply));
    app.post(`${base}/simplereenroll`, (request: Request, reply) => reenrol(parts, request, reply));
  }
  app.post('/certs/renew', (request, reply) => renew(parts, request, reply));
}

function caCertificates(
  { authority, publicLimit }: EstParts,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  publicLimit.assert(visitorOf(request).address);
  const { cas } = authority;
  const all = [...cas.roots(), ...cas.intermediates(), ...cas.crosses()];
  return sendCertificates(
    reply,
    'application/pkcs7-mime',
    all.map(({ der }) => der),
  );
}

async function enrol(
  parts: EstParts,
  request: Request,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const visitor = visitorOf(request);
  const { user, password } = basicCredentials(request.headers.authorization);
  const der = await counted(parts, 'enrolled', async () => {
    parts.attempts.assert(`address ${visitor.address}`);
    parts.attempts.assert(`entity ${user}`);
    const { tenant } = request.params;
    const csr = pkcs10(request);
    return parts.enrolment.enrol({ visitor, tenant, backendId: user, token: password, csr });
  });
  return sendCertificates(reply, certsOnlyType, [der]);
}

async function reenrol(
  parts: EstParts,
  request: Request,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const leaf = await counted(parts, 'renewed', () =>
    parts.renewal.renew({
      visitor: visitorOf(request),
      tenant: request.params.tenant,
      presented: presentedBy(request.socket as TLSSocket),
      csr: pkcs10(request),
    }),
  );
  return sendCertificates(reply, certsOnlyType, [leaf.der]);
}

async function renew(
  parts: EstParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = csrBody.safeParse(request.body ?? {});
  const leaf = await counted(parts, 'renewed', async () => {
    if (!body.success) throw malformedBy(body.error);
    return parts.renewal.renew({
      visitor: visitorOf(request),
      tenant: undefined,
      presented: presentedBy(request.socket as TLSSocket),
      csr: body.data.csr,
    });
  });
  return reply
    .code(201)
    .header('location', `/certs/${leaf.row.serial}`)
    .header('content-type', 'application/json')
    .send(`${JSON.stringify(leafJson(leaf))}\n`);
}

const certsOnlyType = 'application/pkcs7-mime; smime-type=certs-only';

/** Base64, as RFC 7030 4.1.3 and 4.2.3 have every answer. */
function sendCertificates(
  reply: FastifyReply,
  type: string,
  certificates: readonly Buffer[],
): FastifyReply {
  const lines =
    certsOnly(certificates)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return reply
    .header('content-type', type)
    .header('content-transfer-encoding', 'base64')
    .send(`${lines.join('\n')}\n`);
}

/** The body of an enrolment. @throws Problem `media-type` */
function pkcs10({ headers, body }: FastifyRequest): string {
  const type = (headers['content-type'] ?? '').replace(/;.*/s, '').trim().toLowerCase();
  if (type === 'application/pkcs10' && Buffer.isBuffer(body)) return body.toString('latin1');
  throw problems.mediaType('this operation reads application/pkcs10');
}

function visitorOf({ context }: FastifyRequest): Visitor {
  if (context === null) throw new Error('a request without context');
  return context;
}

async function counted<T>(
  { metrics }: EstParts,
  result: 'enrolled' | 'renewed',
  work: () => Promise<T>,
): Promise<T> {
  try {
    const done = await work();
    metrics.enrolments.inc({ result });
    return done;
  } catch (error) {
    metrics.enrolments.inc({ result: error instanceof Problem ? error.slug : 'failed' });
    throw error;
  }
}
