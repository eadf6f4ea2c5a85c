// The load: callers who create, change and delete backends, issue and revoke certificates, and remember what was
// acknowledged. A record is `busy` from the first attempt until the answer; only then its state is known for sure.
import { randomUUID } from 'node:crypto';

const addressOf = (number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;

export class Writers {
  backends = new Map();
  certificates = new Map();
  acknowledged = 0;
  #stopped = false;
  #hosts = 0;

  constructor(target, random) {
    this.target = target;
    this.random = random;
  }

  /** Works with so many callers at once until `stop`; rejects when one of them gives up. */
  run(callers) {
    this.#running = Promise.all(Array.from({ length: callers }, () => this.#caller()));
    return this.#running;
  }
  #running;

  /** Resolves when every call under way is answered. */
  async stop() {
    this.#stopped = true;
    await this.#running;
  }

  async #caller() {
    while (!this.#stopped) {
      const dice = this.random.next();
      if (dice < 0.25) await this.createBackend();
      else if (dice < 0.5) await this.#on(this.backends, (backend) => this.#change(backend));
      else if (dice < 0.75) await this.#on(this.backends, (backend) => this.issue(backend));
      else if (dice < 0.9) await this.#on(this.certificates, (each) => this.revoke(each));
      else await this.#on(this.backends, (backend) => this.#remove(backend));
    }
  }

  /** Does something to a record that nobody is at and that still exists; makes a backend when there is none. */
  async #on(records, act) {
    const free = [...records.values()].slice(-200).filter((each) => !each.busy && !each.ended);
    const chosen = free.filter((each) => !each.kept && !this.backends.get(each.backendId)?.busy);
    if (chosen.length === 0) await this.createBackend();
    else await this.#claimed(this.random.pick(chosen), act);
  }

  async #claimed(record, act) {
    record.busy = true;
    await act(record);
    record.busy = false;
    this.acknowledged++;
  }

  /** @param kept the load leaves it alone */
  async createBackend(kept = false) {
    const number = ++this.#hosts;
    const body = { name: `host-${number}`, address: addressOf(number), description: '0' };
    const reply = await this.target.call('POST', '/backends', {
      body,
      key: randomUUID(),
      accept: [201],
    });
    const id = reply.location.slice('/backends/'.length);
    const backend = { ...body, id, version: 0, kept };
    this.backends.set(id, backend);
    this.acknowledged++;
    return backend;
  }

  async #change(backend) {
    const version = backend.version + 1;
    const { name, address } = backend;
    const body = { name, address, description: String(version) };
    await this.target.call('PUT', `/backends/${backend.id}`, { body, accept: [200] });
    backend.version = version;
  }

  async issue(backend) {
    const reply = await this.target.call('POST', `/certs/issue/backend/${backend.id}`, {
      body: { ip_addresses: [backend.address] },
      key: randomUUID(),
      accept: [201],
    });
    const { serial_number: serial } = JSON.parse(reply.text);
    const certificate = { serial, backendId: backend.id, kept: backend.kept };
    this.certificates.set(serial, certificate);
    return certificate;
  }

  async revoke(certificate) {
    const path = `/certs/${certificate.serial}/revoke`;
    await this.target.call('PATCH', path, { body: { reason: 'superseded' }, accept: [200] });
    certificate.revoked = certificate.ended = true;
  }

  async #remove(backend) {
    const path = `/backends/${backend.id}`;
    await this.target.call('DELETE', path, { accept: [204], again: [404] });
    backend.ended = true;
    for (const certificate of this.certificates.values()) {
      if (certificate.backendId === backend.id) certificate.revoked = certificate.ended = true;
    }
  }
}
