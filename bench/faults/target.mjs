// The suite apart, two replicas of each service, as its callers see it: they try again, at another replica, until they
// are answered.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../crash/request.mjs';

/** No answers: a service is away, the request came too slowly, or the attempt before is still under way behind the door. */
const away = new Set([408, 502, 503, 504]);
const isAnswer = ({ status, text }) =>
  Number.isInteger(status) && !away.has(status) && !text.includes('"request-under-way"');

export class Target {
  /** Answers that no caller should have to understand. */
  unexpected = [];
  /** How often a caller had to try again, by status or kind of error. */
  retries = new Map();
  /** The call that took longest until it was answered, tries and all, and its milliseconds. */
  slowest = { ms: 0, what: '' };

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
      const at = { door: this.door(), token: this.suite.token };
      const reply = await request(at, method, path, { body, key }).catch((error) => ({
        status: error.cause?.code ?? error.name,
      }));
      const answers = attempt > 1 ? [...accept, ...again] : accept;
      if (answers.includes(reply.status)) {
        const ms = Math.round(performance.now() - began);
        if (ms > this.slowest.ms)
          this.slowest = { ms, what: `${method} ${path}, attempt ${attempt}` };
        return reply;
      }
      if (isAnswer(reply)) {
        this.unexpected.push(`${method} ${path}: ${reply.status} ${reply.text}`);
        if (this.unexpected.length > 100) throw new Error(this.unexpected.at(-1));
      }
      this.retries.set(reply.status, (this.retries.get(reply.status) ?? 0) + 1);
      await sleep(Math.min(20 * 2 ** attempt, 500));
    }
  }
}

function pick(items) {
  return items[randomInt(items.length)];
}
