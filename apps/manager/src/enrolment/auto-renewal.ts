import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fromPem, generateKeys, privateKeyPem, renewalCsr, serialToDecimal } from '@glacis/pki';
import { backoffMs, systemClock, type BackoffOptions, type Clock } from '@glacis/runtime';
import type { ServerRevocation } from '../link/server-revocation.js';
import type { Log } from '../log.js';
import { rootsPem } from './certificate-chain.js';
import { EstClient } from './est-client.js';
import { RefusedError } from './est-error.js';
import type { Identity, IdentityStore } from './identity.js';
import { renewalGap, renewalTime, type Validity } from './renewal-time.js';

/** Waits; ends early, with an error, at the signal. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<unknown>;

export interface AutoRenewalOptions {
  store: IdentityStore;
  revocation: ServerRevocation;
  /** True: each renewal takes a new key. */
  newKey: boolean;
  /** Has the new certificate used: the stream is replaced. */
  use: () => Promise<boolean>;
  log: Log;
  clock?: Clock;
  sleep?: Sleep;
  random?: () => number;
}

const backoff: BackoffOptions = { initialMs: 60_000, factor: 2, maxMs: 3_600_000, jitter: 0 };
/** Timers end at 24 days, and a host may be asleep meanwhile: the clock is looked at each hour. */
const longestSleepMs = 3_600_000;
/** Answers after which nothing is asked again: revoked, or not to be had under this name any more. */
const final = [403, 422];

const sleepFor: Sleep = (ms, signal) => delay(ms, undefined, { signal });

/** Renews an enrolled host's certificate by a timer, idle or connected (`backends.md` 14). */
export class AutoRenewal {
  private failures = 0;
  /** Epoch milliseconds before which nothing is asked. */
  private earliest = 0;

  constructor(private readonly options: AutoRenewalOptions) {}

  /** Runs until the signal, or until the server has refused for good. */
  async run(signal: AbortSignal): Promise<void> {
    const { random = Math.random } = this.options;
    let goesOn = true;
    while (goesOn && (await this.sleepUntilDue(random(), signal))) goesOn = await this.attempt();
  }

  /** False: at the signal. An identity that is enrolled anew meanwhile has its own time. */
  private async sleepUntilDue(chance: number, signal: AbortSignal): Promise<boolean> {
    const { clock = systemClock, sleep = sleepFor, store } = this.options;
    for (;;) {
      // A folder that cannot be read is the attempt's to tell of.
      const identity = await store.read().catch(() => undefined);
      const due = Math.max(this.earliest, dueTime(identity, chance));
      const waitMs = due - clock.now().getTime();
      if (waitMs <= 0) return !signal.aborted;
      await sleep(Math.min(waitMs, longestSleepMs), signal).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }

  /** False: never again. */
  private async attempt(): Promise<boolean> {
    const { log, revocation, use } = this.options;
    try {
      const leaf = await this.renew();
      this.failures = 0;
      this.waitAtLeast(renewalGap(validityOf(leaf)));
      const serial = serialToDecimal(leaf.serialNumber);
      log.info({ serial, replaced: await use() }, 'certificate renewed');
      return true;
    } catch (error) {
      // A revocation list that was missing is at hand now.
      if (await revocation.refresh()) return true;
      if (error instanceof RefusedError && final.includes(error.status ?? 0)) {
        log.error({ reason: error.message }, 'certificate will not be renewed');
        return false;
      }
      this.failures += 1;
      this.waitAtLeast(backoffMs(backoff, this.failures));
      log.warn({ err: error, failures: this.failures }, 'certificate not renewed, trying again');
      return true;
    }
  }

  private waitAtLeast(ms: number): void {
    const { clock = systemClock } = this.options;
    this.earliest = clock.now().getTime() + ms;
  }

  private async renew(): Promise<X509Certificate> {
    const { store, revocation, newKey } = this.options;
    const identity = await store.read();
    if (identity === undefined) throw new Error('the enrolled identity is gone');
    const { server, ca, cert, key } = identity;
    const client = new EstClient(server, {
      ca,
      cert,
      key,
      checkServer: (certificate) => revocation.check(certificate, ca),
    });
    const roots = rootsPem(await client.caCertificates());
    const next = newKey ? (await generateKeys('ECDSA-P256')).privateKey : createPrivateKey(key);
    const renewed = await client.renew(renewalCsr(leafOf(cert), next));
    const leaf = new X509Certificate(renewed);
    if (!leaf.checkPrivateKey(next)) throw new Error('the certificate is for another key');
    await store.write({ ...identity, ca: roots, cert: renewed, key: privateKeyPem(next) });
    return leaf;
  }
}

function leafOf(pem: string): Buffer {
  const [block] = fromPem(pem);
  if (block === undefined) throw new Error('the certificate file is empty');
  return block.der;
}

function dueTime(identity: Identity | undefined, chance: number): number {
  if (identity === undefined) return 0;
  return renewalTime(validityOf(new X509Certificate(identity.cert)), chance).getTime();
}

function validityOf({ validFrom, validTo }: X509Certificate): Validity {
  return { from: new Date(validFrom), to: new Date(validTo) };
}
