import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import {
  enrolRequest,
  report as reportSchema,
  stepResults,
  type EnrolReply,
  type InputsReply,
  type Instruction,
  type InstructionStep,
  type PeersReply,
  type Report,
} from '@glacis/contracts';
import { certificate, leafExtensions, newSerial, readCsr, toPem } from '@glacis/pki';
import { Bell } from '@glacis/runtime';
import { partyUri, testCa, type TestCa } from './identities.js';

interface AgentState {
  party: number;
  macKey: string;
  address: PeersReply['peers'][number]['address'];
  waiting: Instruction[];
  /** Reports as they came, signs of life left out. */
  reports: Report[];
  inputs: InputsReply;
  objects: Map<string, Buffer>;
  result: Buffer | undefined;
}

const nothing: InputsReply = { files: [], policies: [], owner_keys: {} };

/** The agents listener of one job, with what tests make it say; every body is held to the schemas of the contract. */
export class TestCoordinator {
  readonly agents: AgentState[];
  private readonly bell = new Bell();
  private readonly ending = new AbortController();
  private readonly tokens = new Map<string, number>();
  /** Everything that agents have told: paths asked for, and bodies. */
  readonly heard: string[] = [];
  /** Requests for objects that are broken off half-way, by path. */
  readonly broken = new Map<string, number>();

  private constructor(
    readonly server: Server,
    readonly ca: TestCa,
    readonly jobId: string,
  ) {
    this.agents = [0, 1, 2].map((party) => ({
      party,
      macKey: '',
      address: null,
      waiting: [],
      reports: [],
      inputs: nothing,
      objects: new Map(),
      result: undefined,
    }));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(jobId: string): Promise<TestCoordinator> {
    const ca = await testCa();
    const { key, chain } = await ca.issue('spiffe://test/coordinator', ['127.0.0.1']);
    const options = { key, cert: chain, ca: ca.pem, requestCert: true, rejectUnauthorized: false };
    const server = createServer(options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestCoordinator(server, ca, jobId);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.ending.abort();
    this.server.close();
    this.server.closeAllConnections();
  }

  /** For the agent of a party, used once. */
  token(party: number): string {
    const token = randomBytes(32).toString('base64url');
    this.tokens.set(token, party);
    return token;
  }

  /** Gives an instruction and waits for the report that ends it. */
  async instruct(party: number, step: InstructionStep, body: object): Promise<Report> {
    return this.give(party, randomBytes(8).toString('hex'), step, body);
  }

  /** The same instruction once more, as after an acknowledgement that was lost. */
  async repeat(party: number, id: string, step: InstructionStep): Promise<Report> {
    const agent = this.agents[party]!;
    agent.reports = agent.reports.filter(({ instruction }) => instruction !== id);
    return this.give(party, id, step, {});
  }

  private async give(
    party: number,
    id: string,
    step: InstructionStep,
    body: object,
  ): Promise<Report> {
    const agent = this.agents[party]!;
    agent.waiting.push({ id, step, plan_hash: null, body } as unknown as Instruction);
    this.bell.ring();
    for (;;) {
      const { count } = this.bell;
      const last = agent.reports.find(
        ({ instruction, status }) => instruction === id && status !== 'accepted',
      );
      if (last?.status === 'done') stepResults[step].parse(last.result);
      if (last !== undefined) return last;
      if (this.ending.signal.aborted) throw new Error('the coordinator is closed');
      await this.bell.after(count, 60_000, this.ending.signal);
    }
  }

  /** The same for all three at once, in party order. */
  instructAll(step: InstructionStep, body: (party: number) => object): Promise<Report[]> {
    return Promise.all([0, 1, 2].map((party) => this.instruct(party, step, body(party))));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', this.url);
    this.heard.push(pathname);
    if (pathname === '/agents/enrol') return this.send(response, 201, await this.enrol(request));
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    const agent = this.agents[Number(subject?.CN)];
    if (agent === undefined) return this.send(response, 401);
    if (pathname === '/agents/work') return this.work(agent, response);
    if (pathname === '/agents/reports') return this.report(agent, request, response);
    if (request.method === 'PUT') return this.store(agent, request, response);
    if (pathname.startsWith('/objects/')) return this.object(agent, pathname, response);
    this.send(response, 200, this.lookUp(agent, pathname));
  }

  private lookUp(agent: AgentState, path: string): unknown {
    if (path === '/agents/inputs') return agent.inputs;
    if (path === '/agents/output') return { url: '/agents/output/result', headers: {} };
    const others = this.agents.filter((each) => each !== agent);
    const peers = others.map(({ party, macKey, address }) => ({
      party,
      uri: partyUri(party),
      mac_key: macKey,
      address,
    }));
    return { peers };
  }

  private async enrol(request: IncomingMessage): Promise<EnrolReply> {
    const body = enrolRequest.parse(await this.bodyOf(request));
    const party = this.tokens.get(body.token);
    if (party === undefined) throw new Error('no such token');
    this.tokens.delete(body.token);
    this.agents[party]!.macKey = body.mac_key;
    const { issuer, pem } = this.ca;
    const { spki } = readCsr(body.csr);
    const uri = partyUri(party);
    const leaf = certificate({
      serial: newSerial(),
      issuer,
      subject: [{ type: 'commonName', value: String(party) }],
      publicKey: spki,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      extensions: leafExtensions({
        issuer,
        publicKey: spki,
        names: { uris: [uri] },
        serverAuth: true,
      }),
    });
    const chain = [toPem('CERTIFICATE', leaf)];
    return {
      agent_id: `agent ${party}`,
      job_id: this.jobId,
      attempt: 1,
      party,
      uri,
      chain,
      ca: pem,
    };
  }

  private async bodyOf(request: IncomingMessage): Promise<unknown> {
    const text = (await buffer(request)).toString();
    this.heard.push(text);
    return JSON.parse(text);
  }

  /** Held open while there is nothing, as the real one does; tests end before the wait does. */
  private async work(agent: AgentState, response: ServerResponse): Promise<void> {
    for (;;) {
      const { count } = this.bell;
      const [next] = agent.waiting;
      if (next !== undefined) return this.send(response, 200, next);
      if (response.destroyed || this.ending.signal.aborted) return;
      await this.bell.after(count, 25_000, this.ending.signal);
    }
  }

  private async report(
    agent: AgentState,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const report = reportSchema.parse(await this.bodyOf(request));
    agent.waiting = agent.waiting.filter(({ id }) => id !== report.instruction);
    if (report.status !== 'alive') agent.reports.push(report);
    if (report.result && typeof report.result === 'object' && 'address' in report.result)
      agent.address = report.result.address as AgentState['address'];
    this.send(response, 204);
    this.bell.ring();
  }

  private object(agent: AgentState, path: string, response: ServerResponse): void {
    const object = agent.objects.get(path);
    if (object === undefined) return this.send(response, 404);
    response.writeHead(200, { 'content-length': object.length });
    const left = this.broken.get(path) ?? 0;
    if (left === 0) return void response.end(object);
    this.broken.set(path, left - 1);
    response.write(object.subarray(0, object.length / 2), () => response.destroy());
  }

  private async store(
    agent: AgentState,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    agent.result = await buffer(request);
    const digest = createHash('sha256').update(agent.result).digest('hex');
    this.send(response, 200, { sha256: `sha256:${digest}` });
  }

  private send(response: ServerResponse, status: number, body?: unknown): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }
}
