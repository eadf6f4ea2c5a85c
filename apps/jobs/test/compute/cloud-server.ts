import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  status: number;
  /** Text goes as it is, the rest as JSON. */
  body?: unknown;
}

/** A call as it came. */
export interface Asked {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: string;
}

/**
 * What becomes of a call instead of its answer. `lost`: it is done and the connection breaks; `silent`: it is done and nobody
 * hears of it.
 */
export type Fault = Answer | 'lost' | 'silent';

/** What a call is for, whatever its provider calls it. */
export type Purpose = 'create' | 'find' | 'list' | 'delete' | 'other';

/** Answers of a provider that refuses, in its own words. */
export type Refusals = Record<'throttled' | 'unavailable' | 'quota' | 'denied', Answer>;

/** How long things of a stand-in take. */
export interface Pace {
  /** Looks after which something new is seen. */
  seenAfter: number;
  /** Looks after which something that is being deleted is gone. */
  goneAfter: number;
}

/** Looks that something has been through, and whether they have been enough. */
export class Looks {
  private count = 0;

  /** True when this look comes after so many others. */
  past(needed: number): boolean {
    return this.count++ >= needed;
  }
}

/** The interface of a cloud on the loopback address, with faults in front of it (jobs.md 10.4). */
export abstract class CloudServer {
  abstract readonly refusals: Refusals;
  /** Objects on one page. */
  readonly pageSize = 2;
  readonly pace: Pace = { seenAfter: 0, goneAfter: 2 };
  /** Every call that came. */
  readonly heard: Asked[] = [];
  private faults: { purpose: Purpose; fault: Fault; times: number }[] = [];
  private readonly server = createServer((request, response) => {
    this.receive(request, response).catch((error: unknown) =>
      send(response, { status: 599, body: String(error) }),
    );
  });

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** The next calls of a purpose fail so; by default one. */
  fail(purpose: Purpose, fault: Fault, times = 1): void {
    this.faults.push({ purpose, fault, times });
  }

  /** No fault is left, and everything takes no time again. */
  heal(): void {
    this.faults = [];
    this.pace.seenAfter = 0;
  }

  /** Nothing is there any more. */
  abstract clear(): void | Promise<void>;
  /** Machines that are there, whoever made them. */
  abstract machines(): string[] | Promise<string[]>;
  /** Whatever else is there. */
  abstract leftovers(): string[] | Promise<string[]>;
  /** Puts a machine there that carries the tags of another, as a copy made by hand does. */
  abstract copy(runId: string): void | Promise<void>;

  protected abstract admits(asked: Asked): boolean;
  protected abstract purposeOf(asked: Asked): Purpose;
  protected abstract answer(asked: Asked): Answer | Promise<Answer>;

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = request;
    const asked = {
      method,
      headers,
      url: new URL(request.url ?? '/', this.url),
      body: await text(request),
    };
    this.heard.push(asked);
    if (!this.admits(asked)) return send(response, this.refusals.denied);
    const fault = this.faultOf(this.purposeOf(asked));
    if (typeof fault === 'object') return send(response, fault);
    const answer = await this.answer(asked);
    if (fault === 'lost') response.destroy();
    else if (fault !== 'silent') send(response, answer);
  }

  private faultOf(purpose: Purpose): Fault | undefined {
    const found = this.faults.find((each) => each.purpose === purpose && each.times > 0);
    if (found !== undefined) found.times -= 1;
    return found?.fault;
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/xml' : 'application/json' });
  response.end(isText || body === undefined ? body : JSON.stringify(body));
}
