import type { AgentConfig, AgentIdentity, ObjectIdentity } from '@glacis/contracts';
import { StepFailure } from '../failure.js';
import { fileCredentials, roleCredentials } from './aws.js';
import { managedToken } from './azure.js';
import { checkAddressee, machineToken, signedToken } from './gcp.js';
import { Metadata } from './metadata.js';
import { signedGet } from './sigv4.js';

export interface OwnIdentityOptions {
  /** Default: that of this machine. */
  metadata?: Metadata;
  now?: () => Date;
}

/**
 * By what a party reads its bucket where the coordinator has no right to (jobs.md 10.3, isolation `account`). Nothing is
 * kept: metadata services keep what they have told, and a party reads few objects.
 */
export class OwnIdentity {
  private readonly metadata: Metadata;
  private readonly now: () => Date;

  constructor(
    private readonly source: AgentConfig['identity'],
    { metadata = new Metadata(), now = () => new Date() }: OwnIdentityOptions = {},
  ) {
    this.metadata = metadata;
    this.now = now;
  }

  /**
   * What a GET of an object has to carry.
   * @throws {StepFailure} where the party has no identity of this kind, and what a metadata service or a file says
   */
  async headersFor(url: URL, how: ObjectIdentity): Promise<Record<string, string>> {
    const { file, endpoint } = this.given();
    if (how.cloud === 'aws') return this.asAws(url, how.region, file);
    if (how.cloud === 'azure') return this.asAzure(url, how.etag, file);
    checkAddressee(url, endpoint);
    return bearer(await (file ? signedToken(file, this.now()) : machineToken(this.metadata)));
  }

  private async asAws(
    url: URL,
    region: string,
    file: string | undefined,
  ): Promise<Record<string, string>> {
    const credentials = await (file ? fileCredentials(file) : roleCredentials(this.metadata));
    return signedGet(url, { credentials, region, now: this.now() });
  }

  /** No file of Azure says who one is for long. */
  private async asAzure(
    url: URL,
    etag: string,
    file: string | undefined,
  ): Promise<Record<string, string>> {
    if (file !== undefined) throw noIdentity();
    const token = await managedToken(this.metadata, url.origin);
    return { ...bearer(token), 'if-match': etag, 'x-ms-version': '2023-11-03' };
  }

  /** Without a file: the machine has it. */
  private given(): Partial<Exclude<AgentIdentity, 'machine'>> {
    if (this.source === undefined) throw noIdentity();
    return this.source === 'machine' ? {} : this.source;
  }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

const noIdentity = (): StepFailure =>
  new StepFailure('infra', 'no_identity', 'this party has no identity of its own in that cloud');
