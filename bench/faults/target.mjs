// The suite apart, two replicas of each service, as its callers see it: they try again, at another replica, until they
// are answered.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a caller may try again without having been answered: the door's own answers for a service that is away. */
const away = new Set([502, 503, 504]);

export class Target {
  /** Answers that no caller should have to understand. */
  unexpected = [];
  /** How often a caller had to try again, by status or kind of error. */
  retries = new Map();
  /** Milliseconds that the slowest call took until it was answered, tries and all. */
  slowestMs = 0;

  constructor(suite, databaseUrl) {
    this.suite = suite;
    this.databaseUrl = databaseUrl;
  }

  /** Callers need not wait: they find another replica. */
  async up() {}

  door() {
    return pick(this.suite.urls.gateway);
  }

  managerAddress() {
    return pick(this.suite.managers);
  }

  /**
   * Repeats a call, with the same idempotency key, until it is answered.
   * @param accept statuses that are an answer; `again` further ones from the second attempt on
   */
  async call(method, path, { body, key, accept, again = [] }) {
    const began = performance.now();
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#once(method, path, { body, key }).catch((error) => ({
        status: error.cause?.code ?? error.name,
      }));
      const answers = attempt > 1 ? [...accept, ...again] : accept;
      if (answers.includes(reply.status)) {
        this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
        return reply;
      }
      if (Number.isInteger(reply.status) && !away.has(reply.status)) {
        this.unexpected.push(`${method} ${path}: ${reply.status} ${reply.text}`);
        if (this.unexpected.length > 100) throw new Error(this.unexpected.at(-1));
      }
      this.retries.set(reply.status, (this.retries.get(reply.status) ?? 0) + 1);
      await sleep(Math.min(20 * 2 ** attempt, 500));
    }
  }

  async #once(method, path, { body, key }) {
    const response = await fetch(this.door() + path, {
      method,
      headers: {
        authorization: `Bearer ${this.suite.token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    return {
      status: response.status,
      location: response.headers.get('location'),
      text: await response.text(),
    };
  }
}

function pick(items) {
  return items[randomInt(items.length)];
}
