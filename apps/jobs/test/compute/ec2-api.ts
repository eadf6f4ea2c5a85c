import { createHash, createHmac } from 'node:crypto';
import { CloudServer, type Answer, type Asked, type Purpose } from './cloud-server.js';

export const errorOf = (status: number, code: string): Answer => ({
  status,
  body: `<Response><Errors><Error><Code>${code}</Code><Message>${code}</Message></Error></Errors><RequestID>1</RequestID></Response>`,
});

export const done = (action: string, inner: string): Answer => ({
  status: 200,
  body: `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>${inner}</${action}Response>`,
});

/** The Query API of EC2 (version 2016-11-15): words of its errors, signatures recomputed (SigV4). */
export abstract class Ec2Api extends CloudServer {
  readonly refusals = {
    throttled: errorOf(503, 'RequestLimitExceeded'),
    unavailable: errorOf(503, 'Unavailable'),
    quota: errorOf(400, 'VcpuLimitExceeded'),
    denied: errorOf(403, 'UnauthorizedOperation'),
  };

  constructor(private readonly key: { accessKeyId: string; secretAccessKey: string }) {
    super();
  }

  protected admits(asked: Asked): boolean {
    return signatureOf(asked, this.key.secretAccessKey) === asked.headers.authorization;
  }

  protected purposeOf({ body }: Asked): Purpose {
    const parameters = new URLSearchParams(body);
    const purposes: Record<string, Purpose> = {
      RunInstances: 'create',
      TerminateInstances: 'delete',
      DescribeInstances: isById(parameters) ? 'find' : 'list',
    };
    return purposes[parameters.get('Action') ?? ''] ?? 'other';
  }
}

const isById = (parameters: URLSearchParams): boolean =>
  parameters.get('Filter.1.Name') === 'instance-id';

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: Uint8Array | string, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/** The header `Authorization` as it has to be (AWS Signature Version 4). */
function signatureOf({ method, url, headers, body }: Asked, secret: string): string {
  const given = headers.authorization ?? '';
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(given) ?? [];
  const [date = '', region = '', service = '', end = ''] = scope.split('/');
  const signed = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, url.pathname, '', signed.join(''), names, sha256(body)].join('\n');
  const time = String(headers['x-amz-date']);
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [region, service, end].reduce(hmac, hmac(`AWS4${secret}`, date));
  const [before] = given.split('Signature=');
  return `${before}Signature=${hmac(key, toSign).toString('hex')}`;
}
