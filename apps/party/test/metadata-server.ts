import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it tells; `null`: the machine is nobody there. */
export type Told = Readonly<Record<string, string | null>>;

/** A stand-in for metadata services of machines: EC2 (IMDSv2), Compute Engine and Azure (IMDS), each with what it insists on. */
export class MetadataServer {
  private constructor(
    private readonly server: Server,
    /** Calls that were answered, in order. */
    readonly answered: string[],
  ) {}

  static async start(told: Told): Promise<MetadataServer> {
    const answered: string[] = [];
    const server = createServer((request, response) => {
      const { method = '', url = '' } = request;
      const text = isAllowed(request) ? told[`${method} ${url}`] : null;
      if (typeof text === 'string') answered.push(`${method} ${url}`);
      response.statusCode = typeof text === 'string' ? 200 : 404;
      response.end(text ?? undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new MetadataServer(server, answered);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** The headers by which each of them tells a program of the machine from a page or a proxy. */
function isAllowed({ method, url = '', headers }: IncomingMessage): boolean {
  if (url.startsWith('/computeMetadata/')) return headers['metadata-flavor'] === 'Google';
  if (url.startsWith('/metadata/')) return headers.metadata === 'true';
  if (method === 'PUT') return Number(headers['x-aws-ec2-metadata-token-ttl-seconds']) > 0;
  return headers['x-aws-ec2-metadata-token'] === 'a session';
}
