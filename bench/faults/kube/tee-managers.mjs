// The load: TeeManagers that come, want other certificates, and go, and what each of them has asked for.
import { ResourceClient } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';

const type = {
  group: 'tee.glacis.dev',
  version: 'v1alpha1',
  kind: 'TeeManager',
  plural: 'teemanagers',
  namespaced: true,
};
const reissue = 'tee.glacis.dev/reissue';
const algorithms = ['ECDSA-P256', 'Ed25519'];

export class TeeManagers {
  /** By name: how many certificates it has asked for, and whether it is to go. */
  wanted = new Map();
  #client;

  constructor(server, random) {
    this.#client = new ResourceClient(server, type);
    this.random = random;
  }

  /** Such that renew by themselves all the time, and are left alone. */
  async createShortLived(count) {
    const certificate = { ttl: '12m', renewBefore: '8m' };
    const names = Array.from({ length: count }, (_, i) => `short-${i}`);
    await Promise.all(names.map((name) => this.#create(name, { certificate, renewing: true })));
  }

  /** One round of changes, each repeated until the API server has taken it; never two of one TeeManager at once. */
  async change({ created, renewed, deleted }) {
    const chosen = this.#free(renewed + deleted);
    const made = Array.from({ length: created }, (_, i) => `tm-${this.wanted.size + i}`);
    await Promise.all([
      ...made.map((name) => this.#create(name)),
      ...chosen.slice(0, renewed).map((name) => this.#renew(name)),
      ...chosen.slice(renewed).map((name) => this.#delete(name)),
    ]);
  }

  /** Resolves when those that are to stay have the certificates that they have asked for. */
  async certified() {
    await this.#settled((wish, item) => wish.gone || this.#isSettled(item, wish));
    for (const wish of this.wanted.values()) wish.busy = wish.gone;
  }

  /** Resolves when those that are to go are gone. */
  async gone() {
    await this.#settled((wish, item) => !wish.gone || item === undefined);
  }

  async #settled(isSettled) {
    let left = [];
    const probe = async () => {
      const { items } = await this.#client.list({ namespace: 'default' });
      const found = new Map(items.map((item) => [item.metadata.name, item]));
      left = [...this.wanted].filter(([name, wish]) => !isSettled(wish, found.get(name)));
      return left.length === 0;
    };
    await waitFor(probe, { deadlineMs: 180_000, everyMs: 200 }).catch((cause) => {
      throw new Error(`not as they should be: ${JSON.stringify(left)}`, { cause });
    });
  }

  #isSettled(item, wish) {
    const { status, metadata } = item ?? {};
    const ready = status?.conditions?.find(({ type }) => type === 'CertificateReady');
    const certified = ready?.status === 'True' && status.certificateSerial !== wish.replaced;
    return certified && status.observedGeneration === metadata.generation;
  }

  async #create(name, { certificate = { ttl: '2160h' }, renewing = false } = {}) {
    this.wanted.set(name, { certificates: 1, algorithm: 0, busy: true, renewing });
    const spec = { backend: { name }, tee: 'none', certificate };
    const draft = { metadata: { namespace: 'default', name }, spec };
    await this.#taken(() => this.#client.apply(draft, { fieldManager: 'faults' }));
  }

  /** By a wish for another certificate, or another algorithm. */
  async #renew(name) {
    const wish = this.wanted.get(name);
    wish.busy = true;
    const ref = { namespace: 'default', name };
    const { status } = await this.#taken(() => this.#client.get(ref));
    wish.replaced = status.certificateSerial;
    wish.certificates += 1;
    const byWish = this.random.next() < 0.5;
    if (!byWish) wish.algorithm = 1 - wish.algorithm;
    const patch = byWish
      ? { metadata: { annotations: { [reissue]: String(wish.certificates) } } }
      : { spec: { certificate: { keyAlgorithm: algorithms[wish.algorithm] } } };
    await this.#taken(() => this.#client.patch(ref, patch));
  }

  async #delete(name) {
    Object.assign(this.wanted.get(name), { busy: true, gone: true });
    const ref = { namespace: 'default', name };
    await this.#taken(() => this.#client.delete(ref).then(() => true, ignoreGone));
  }

  #taken(call) {
    return waitFor(call, { deadlineMs: 300_000, everyMs: 500, what: 'the API server' });
  }

  #free(count) {
    const isFree = ([, { busy, gone, renewing }]) => !busy && !gone && !renewing;
    const pool = [...this.wanted].filter(isFree).map(([name]) => name);
    return Array.from({ length: Math.min(count, pool.length) }, () => {
      const [name] = pool.splice(this.random.between(0, pool.length - 1), 1);
      return name;
    });
  }
}

function ignoreGone(error) {
  if (error.code !== 'notFound') throw error;
  return true;
}
