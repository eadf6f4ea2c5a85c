import { setTimeout as delay } from 'node:timers/promises';
import { status, type DialectName, type ManagerClient } from '@glacis/grpc';
import { backoffMs, systemClock, type BackoffOptions, type Clock } from '@glacis/runtime';
import { afterEnd, type AfterEnd, type StreamEnd } from './link/after-end.js';
import { Outgoing } from './link/outgoing.js';
import type { ServerRevocation } from './link/server-revocation.js';
import { Session, silentReplacementMs } from './link/session.js';
import type { Log } from './log.js';
import { Orders } from './orders.js';
import type { Requests } from './requests.js';
import type { Saying } from './runs/run-state.js';
import { Runs } from './runs/runs.js';
import type { VmDriver } from './vms/vm-driver.js';
import { inWords } from './runs/words.js';
import { logTermination } from './termination.js';

export interface ManagerOptions {
  dialect: DialectName;
  /** Makes a client for one connection, with the certificate files as they are now. */
  client: () => Promise<ManagerClient>;
  revocation: ServerRevocation;
  driver: VmDriver;
  reconnect: boolean;
  /** Version of the guest system, told on request. */
  eosVersion: string;
  log: Log;
  requests: Requests;
  clock?: Clock;
  /** Default 1 s doubling to 60 s, with jitter. */
  backoff?: BackoffOptions;
}

/** Why a manager has ended; all but `stopped` are the server's doing. */
export type Ending = Exclude<AfterEnd, 'retry'> | 'stopped';

/** A stream that lived so long was a good one: the delays begin anew after it. */
const steadyMs = 10_000;
const defaultBackoff: BackoffOptions = { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0.2 };

/** The manager of one host: keeps a stream open, obeys it, and ends when the server says so. */
export class Manager {
  private readonly runs: Runs;
  private readonly outgoing = new Outgoing();
  private readonly stopping = new AbortController();
  private current: Session | undefined;
  /** The one that is to take the place of `current`. */
  private next: Session | undefined;
  private replacing: Promise<boolean> = Promise.resolve(false);
  private failures = 0;

  constructor(private readonly options: ManagerOptions) {
    const say = this.say.bind(this);
    this.runs = new Runs({ driver: options.driver, say });
  }

  /** Aborts when it ends, for whatever reason. */
  get ending(): AbortSignal {
    return this.stopping.signal;
  }

  /** A stream to the server is open. */
  get connected(): boolean {
    return this.current?.isOpen ?? false;
  }

  /** Connects and serves until the end; the guests are stopped then, and what a predecessor left before. */
  async serve(): Promise<Ending> {
    await this.removeLeftGuests();
    let ending: Ending | undefined;
    while (ending === undefined) ending = await this.serveOnce();
    this.current?.close();
    this.stopping.abort();
    await this.runs.stopAll();
    return ending;
  }

  /** Ends `serve`. */
  stop(): void {
    this.stopping.abort();
    this.current?.close();
    this.next?.close();
  }

  /**
   * Opens another stream with the certificate files as they are now and closes the present one when that stands; the
   * runs go on. Resolves to false when the present one stays, or when there is none: the next one reads the files anyway.
   */
  renew(): Promise<boolean> {
    this.replacing = this.replacing.then(() => this.replaceStream());
    return this.replacing;
  }

  /** Nobody knows of the computations of a killed predecessor any more. */
  private async removeLeftGuests(): Promise<void> {
    const { driver, log } = this.options;
    for (const { id } of await driver.recover(() => undefined)) {
      await driver.stop(id);
      log.warn({ id }, 'guest of a predecessor removed');
    }
  }

  private async serveOnce(): Promise<Ending | undefined> {
    if (this.stopping.signal.aborted) return 'stopped';
    const session = this.current ?? (await this.dial());
    if (!(session instanceof Session)) return this.conclude(session);
    this.current = session;
    const end = await session.ended;
    // `Backend Replaced` reaches the old stream before the new one is known to be open.
    await this.replacing;
    if (this.current !== session) return undefined;
    this.current = undefined;
    return this.stopping.signal.aborted ? 'stopped' : this.conclude(end);
  }

  private async conclude(end: StreamEnd): Promise<Ending | undefined> {
    const { log, dialect, reconnect, revocation } = this.options;
    const next = afterEnd(end, reconnect);
    if (next === 'terminated') {
      logTermination(log, dialect, end.terminated ?? '');
      return next;
    }
    if (await revocation.refresh()) return undefined;
    if (next !== 'retry') {
      log.error({ code: end.code, details: end.details }, 'stream ended');
      return next;
    }
    await this.wait(end);
    return undefined;
  }

  private async wait(end: StreamEnd): Promise<void> {
    const { log, backoff = defaultBackoff } = this.options;
    this.failures = end.livedMs >= steadyMs ? 1 : this.failures + 1;
    const delayMs = backoffMs(backoff, this.failures);
    log.warn({ code: end.code, details: end.details, delayMs }, 'stream ended, dialling again');
    await delay(delayMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  /** A session, or its end when it could not even begin. */
  private async dial(silentMs?: number): Promise<Session | StreamEnd> {
    try {
      return await this.openSession(silentMs);
    } catch (error) {
      const details = `certificate files: ${(error as Error).message}`;
      return { code: status.UNAVAILABLE, details, livedMs: 0 };
    }
  }

  private async replaceStream(): Promise<boolean> {
    if (!this.connected) return false;
    const session = await this.dial(silentReplacementMs);
    if (!(session instanceof Session)) {
      this.options.log.warn({ details: session.details }, 'stream not replaced');
      return false;
    }
    this.next = session;
    const opened = await session.opened;
    this.next = undefined;
    if (!opened) {
      return (await this.options.revocation.refresh()) ? this.replaceStream() : false;
    }
    this.current?.close();
    this.current = session;
    return true;
  }

  private async openSession(silentMs?: number): Promise<Session> {
    const { client, log } = this.options;
    const { runs, outgoing } = this;
    const orders = new Orders({
      ...this.options,
      runs,
      say: this.say.bind(this),
      tell: (message) => outgoing.push(message),
    });
    const session = new Session(await client(), (order) => orders.take(order), silentMs);
    if (this.stopping.signal.aborted) session.close();
    const send = session.send.bind(session);
    void session.opened.then((open) => {
      if (!open) return;
      log.info('stream is open');
      outgoing.attach(send);
    });
    void session.ended.then(() => outgoing.detach(send));
    return session;
  }

  private say(computationId: string, saying: Saying): void {
    const { dialect, clock = systemClock } = this.options;
    const message = inWords(dialect, computationId, saying, clock.now());
    if (message !== undefined) this.outgoing.push(message);
  }
}
