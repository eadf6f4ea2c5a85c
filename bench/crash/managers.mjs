// Managers with live streams: they come back after each restart, until their certificate is revoked.
import { setTimeout as sleep } from 'node:timers/promises';
import { ManagerClient, status } from '@glacis/grpc';

export class Manager {
  live = false;
  /** How often a stream was admitted after the revocation was acknowledged. Must stay 0. */
  admittedRevoked = 0;
  #stopped = false;
  #stream;

  /**
   * @param reportMs time between two events of a stream
   * @param retryMs time after which an ended stream is opened again
   */
  constructor(target, writers, { reportMs = 100, retryMs = () => 100 } = {}) {
    this.target = target;
    this.writers = writers;
    this.reportMs = reportMs;
    this.retryMs = retryMs;
  }

  /** Enrols a host of its own and keeps its stream open. */
  async start() {
    this.backend = await this.writers.createBackend(true);
    this.certificate = await this.writers.issue(this.backend);
    this.tls = await this.#download();
    this.#running = this.#keepOpen();
  }
  #running;

  async stop() {
    this.#stopped = true;
    this.#stream?.cancel();
    await this.#running;
  }

  async #download() {
    const path = `/certs/${this.certificate.serial}/download`;
    for (;;) {
      const { text } = await this.target.call('GET', `${path}/token`, { accept: [200] });
      const link = `${path}?token=${JSON.parse(text).token}`;
      await this.target.up();
      const reply = await fetch(this.target.door() + link, {
        headers: { accept: 'application/json' },
      }).catch(() => null);
      if (reply?.status !== 200) continue;
      const files = await reply.json();
      const pem = (base64) => Buffer.from(base64, 'base64').toString();
      return { ca: pem(files.ca), cert: pem(files.certificate), key: pem(files.private_key) };
    }
  }

  async #keepOpen() {
    while (!this.#stopped) {
      await this.target.up();
      const end = await this.#once();
      this.live = false;
      if (this.certificate.revoked && end.code === status.UNAUTHENTICATED) return;
      if (!this.#stopped) await sleep(this.retryMs());
    }
  }

  /** One event more for the suite's bus. */
  #report() {
    const value = {
      eventType: 'vm-provision',
      timestamp: new Date(),
      computationId: 'c1',
      details: Buffer.from('{}'),
      originator: 'manager',
      status: 'Ready',
    };
    void this.#stream.send({ kind: 'agentEvent', value });
  }

  #once() {
    const client = new ManagerClient({
      address: this.target.managerAddress(),
      dialect: 'v0.4',
      tls: this.tls,
      connectTimeoutMs: 3_000,
      metadata: { 'glacis-protocol': 'v0.4' },
    });
    const revokedBefore = this.certificate.revoked;
    return new Promise((resolve) => {
      let reports;
      this.#stream = client.open({
        onOpen: () => {
          this.live = true;
          if (revokedBefore) this.admittedRevoked++;
          reports = setInterval(() => this.#report(), this.reportMs);
        },
        onMessage: () => undefined,
        onEnd: (end) => {
          clearInterval(reports);
          client.close();
          resolve(end);
        },
      });
    });
  }
}
