// The suite that is killed and started again, and calls that are repeated until it has answered them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOn } from '../support/suite.mjs';
import { request } from './request.mjs';

export class Target {
  /** Ports stay as the first start chose them, as they would for real clients. */
  #env = {};
  #up;
  #opened;
  unexpected = [];

  constructor(dataDir) {
    this.dataDir = dataDir;
    this.#close();
  }

  /** The Postgres of the suite, as an onlooker connects to it. */
  get databaseUrl() {
    return `postgresql://glacis@${encodeURIComponent(join(this.dataDir, 'run'))}/glacis`;
  }

  /** Starts it, callers still waiting. Gives the milliseconds until it was ready. */
  async start() {
    this.suite = await startOn(this.dataDir, this.#env);
    const port = (address) => new URL(address.includes('//') ? address : `http://${address}`).port;
    this.#env = {
      GLACIS_PORT: port(this.suite.door),
      GLACIS_BACKENDS_MANAGER_PORT: port(this.suite.managers),
    };
    return this.suite.readyMs;
  }

  /** Lets the callers go on. */
  open() {
    this.#opened();
  }

  /** kill -9 of the suite, and of its Postgres if told so. */
  async kill({ database }) {
    this.#close();
    if (database) {
      const file = await readFile(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8');
      process.kill(Number.parseInt(file, 10), 'SIGKILL');
    }
    this.suite.child.kill('SIGKILL');
    await this.suite.exited;
  }

  async stop() {
    this.suite?.child.kill('SIGTERM');
    await this.suite?.exited;
  }

  door() {
    return this.suite.door;
  }

  /** `host:port` for a manager. */
  managerAddress() {
    return this.suite.managers;
  }

  /** Resolves while callers may go on. */
  up() {
    return this.#up;
  }

  /**
   * Repeats a call, with the same idempotency key, until the suite has answered it.
   * @param accept statuses that are an answer; `again` further ones from the second attempt on
   */
  async call(method, path, { body, key, accept, again = [] }) {
    for (let attempt = 1; ; attempt++) {
      await this.up();
      const reply = await request(this.suite, method, path, { body, key }).catch(() => null);
      const answers = attempt > 1 ? [...accept, ...again] : accept;
      if (reply && answers.includes(reply.status)) return reply;
      if (reply && reply.status !== 503) {
        this.unexpected.push(`${method} ${path}: ${reply.status} ${reply.text}`);
        if (this.unexpected.length > 100) throw new Error(this.unexpected.at(-1));
      }
      await sleep(20);
    }
  }

  #close() {
    this.#up = new Promise((resolve) => (this.#opened = resolve));
  }
}
