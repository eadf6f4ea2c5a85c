import { Looks, type Answer, type Asked } from './cloud-server.js';
import { done, Ec2Api, errorOf } from './ec2-api.js';

interface Made {
  token: string;
  request: URLSearchParams;
  /** As it was given when the machine was made. */
  answer: Answer;
  seen: Looks;
  /** Set while its end goes on, which moto is not told of before it is over. */
  ending?: Looks;
}

/**
 * moto, with what it does not do done in front of it (jobs.md 10.4): signatures are verified, client tokens count, what
 * was just made is not seen yet, an end takes its time, pages are short; and the faults of every stand-in.
 */
export class MotoFront extends Ec2Api {
  private readonly made = new Map<string, Made>();

  constructor(
    private readonly moto: { url: string; reset(): Promise<void> },
    private readonly credentials: { accessKeyId: string; secretAccessKey: string },
    private readonly region: string,
  ) {
    super(credentials);
  }

  async machines(): Promise<string[]> {
    const query = { 'Filter.1.Name': 'instance-state-name', 'Filter.1.Value.1': 'running' };
    return idsIn(await this.ask({ Action: 'DescribeInstances', ...query }));
  }

  async leftovers(): Promise<string[]> {
    const { body } = await this.ask({ Action: 'DescribeSecurityGroups' });
    const names = String(body).matchAll(/<groupName>(.*?)<\/groupName>/g);
    return [...names].flatMap(([, name = '']) => (name === 'default' ? [] : name));
  }

  async clear(): Promise<void> {
    this.made.clear();
    await this.moto.reset();
  }

  async copy(runId: string): Promise<void> {
    const found = [...this.made.values()].find(({ token }) => token === runId);
    if (found === undefined) throw new Error('there is no such machine');
    const { ClientToken: _, ...request } = Object.fromEntries(found.request);
    await this.ask(request);
  }

  protected async answer({ body }: Asked): Promise<Answer> {
    const parameters = new URLSearchParams(body);
    switch (parameters.get('Action')) {
      case 'RunInstances':
        return this.run(parameters);
      case 'DescribeInstances':
        return this.describe(parameters);
      case 'TerminateInstances':
        return this.terminate(parameters);
      default:
        return this.ask(parameters);
    }
  }

  private async run(request: URLSearchParams): Promise<Answer> {
    const token = request.get('ClientToken') ?? '';
    const known = [...this.made.values()].find((each) => each.token === token);
    if (known !== undefined)
      return known.request.toString() === request.toString()
        ? known.answer
        : errorOf(400, 'IdempotentParameterMismatch');
    const answer = await this.ask(request);
    for (const id of idsIn(answer))
      this.made.set(id, { token, request, answer, seen: new Looks() });
    return answer;
  }

  private async describe(parameters: URLSearchParams): Promise<Answer> {
    await this.endDue();
    parameters.set('MaxResults', String(this.pageSize));
    const answer = await this.ask(parameters);
    const ids = idsIn(answer);
    const seen = ids.filter((id) => this.made.get(id)?.seen.past(this.pace.seenAfter) ?? true);
    if (seen.length === ids.length) return answer;
    if (seen.length === 0) return done('DescribeInstances', '<reservationSet/>');
    parameters.set('Filter.9.Name', 'instance-id');
    seen.forEach((id, i) => parameters.set(`Filter.9.Value.${i + 1}`, id));
    return this.ask(parameters);
  }

  private async terminate(parameters: URLSearchParams): Promise<Answer> {
    const found = this.made.get(parameters.get('InstanceId.1') ?? '');
    if (found === undefined) return this.ask(parameters);
    found.ending ??= new Looks();
    return done('TerminateInstances', '<instancesSet/>');
  }

  private async endDue(): Promise<void> {
    const due = [...this.made].filter(([, { ending }]) => ending?.past(this.pace.goneAfter));
    for (const [id] of due) {
      await this.ask({ Action: 'TerminateInstances', 'InstanceId.1': id });
      this.made.delete(id);
    }
  }

  private async ask(parameters: URLSearchParams | Record<string, string>): Promise<Answer> {
    const { accessKeyId } = this.credentials;
    const body = new URLSearchParams(parameters);
    body.set('Version', '2016-11-15');
    // moto reads which service and region are meant, and nothing else.
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261122/${this.region}/ec2/aws4_request, SignedHeaders=host, Signature=none`;
    const reply = await fetch(this.moto.url, { method: 'POST', headers: { authorization }, body });
    return { status: reply.status, body: await reply.text() };
  }
}

const idsIn = ({ body }: Answer): string[] =>
  [...String(body).matchAll(/<instanceId>(.*?)<\/instanceId>/g)].map(([, id = '']) => id);
