import { randomUUID } from 'node:crypto';
import {
  enrolReply,
  inputsReply,
  instruction,
  outputReply,
  peersReply,
  type EnrolReply,
  type EnrolRequest,
  type InputsReply,
  type Instruction,
  type OutputReply,
  type PeersReply,
  type Report,
} from '@glacis/contracts';
import type { IncomingMessage } from 'node:http';
import { Connection, type Credentials } from './connection.js';
import { TRIES, untilAnswered, type Trying } from './retry.js';

/** Seconds that the listener holds a request for work. */
const WAIT = 25;
/** More than for transfers: without its report a step has not been done. */
const REPORT_TRIES = 20;

/** The calls of an agent (jobs.md 10.2). */
export class Coordinator {
  private connection: Connection;
  private readonly ending = new AbortController();
  /** How a transfer is tried. */
  readonly trying: Trying = { tries: TRIES, signal: this.ending.signal };

  constructor(
    private readonly base: string,
    private readonly ca: string,
  ) {
    this.connection = new Connection(base, { ca });
  }

  /** Once: the token does not count a second time, not even when the answer was lost. */
  async enrol(request: EnrolRequest): Promise<EnrolReply> {
    return enrolReply.parse(await this.connection.call('POST', '/agents/enrol', request));
  }

  /** From now on this certificate is shown. */
  identify(credentials: Omit<Credentials, 'ca'>): void {
    this.connection.close();
    this.connection = new Connection(this.base, { ca: this.ca, ...credentials });
  }

  /** The next instruction; undefined when none came in time. */
  async work(signal: AbortSignal): Promise<Instruction | undefined> {
    const silenceMs = (WAIT + 15) * 1000;
    const rest = { silenceMs, signal };
    const found = await this.connection.call('GET', `/agents/work?wait=${WAIT}`, undefined, rest);
    return found === undefined ? undefined : instruction.parse(found);
  }

  /** Until it is taken: the coordinator drops what it knows already. */
  async report(report: Omit<Report, 'id'>): Promise<void> {
    const body: Report = { id: randomUUID(), ...report };
    await untilAnswered(() => this.connection.call('POST', '/agents/reports', body), {
      tries: REPORT_TRIES,
      signal: this.ending.signal,
    });
  }

  /** Without a second try: the next one comes soon. */
  async alive(): Promise<void> {
    const body: Report = { id: randomUUID(), instruction: null, status: 'alive' };
    await this.connection.call('POST', '/agents/reports', body).catch(() => undefined);
  }

  async peers(): Promise<PeersReply> {
    return peersReply.parse(await this.get('/agents/peers'));
  }

  async inputs(): Promise<InputsReply> {
    return inputsReply.parse(await this.get('/agents/inputs'));
  }

  async output(): Promise<OutputReply> {
    return outputReply.parse(await this.get('/agents/output'));
  }

  /** An object, from its first byte; the caller tries again. */
  object(url: string): Promise<IncomingMessage> {
    return this.connection.open({ method: 'GET', url });
  }

  /** Stores an object whole; what the store says of it. */
  async put(
    url: string,
    headers: Record<string, string>,
    body: Uint8Array,
  ): Promise<IncomingMessage> {
    const length = { 'content-length': String(body.length) };
    const type = { 'content-type': 'application/octet-stream' };
    const sent = { method: 'PUT', url, headers: { ...type, ...length, ...headers }, body } as const;
    return untilAnswered(() => this.connection.open(sent), this.trying);
  }

  close(): void {
    this.ending.abort();
    this.connection.close();
  }

  private get(path: string): Promise<unknown> {
    return untilAnswered(() => this.connection.call('GET', path), this.trying);
  }
}
