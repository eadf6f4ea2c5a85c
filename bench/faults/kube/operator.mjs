// One of the two operators: its own user, its own network to the API server, and a clock that can be wrong.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon, faultProxy, freePort } from '@glacis/testbed/cluster';

const skewedClock = new URL('skewed-clock.mjs', import.meta.url).href;
const program = new URL('../../../apps/operator/dist/main.js', import.meta.url).pathname;

/** What both may do is bound to it. */
export const operatorGroup = 'glacis-operators';

export class Operator {
  #env;
  #folder;

  /**
   * @param user its identity of the cluster
   * @param env what it is told of the suite
   */
  static async open(name, { cluster, env, folder }) {
    const operator = new Operator();
    operator.name = name;
    operator.user = `operator-${name}`;
    operator.proxy = await faultProxy({ port: Number(new URL(cluster.url).port) });
    operator.port = await freePort();
    const { file } = await cluster.user(operator.user, [operatorGroup]);
    const proxied = join(folder, `${operator.user}.kubeconfig`);
    const url = `https://127.0.0.1:${operator.proxy.port}`;
    await writeFile(proxied, (await readFile(file, 'utf8')).replaceAll(cluster.url, url));
    operator.#folder = folder;
    operator.#env = {
      ...env,
      KUBECONFIG: proxied,
      GLACIS_OPERATOR_HTTP_PORT: String(operator.port),
    };
    return operator;
  }

  /** @param skewMs by which its clock is ahead */
  async start({ skewMs = 0 } = {}) {
    const skew = skewMs === 0 ? {} : { CLOCK_SKEW_MS: String(skewMs) };
    this.daemon = new Daemon({
      name: this.user,
      file: process.execPath,
      args: [...(skewMs === 0 ? [] : ['--import', skewedClock]), program],
      env: { ...process.env, NODE_ENV: 'production', ...this.#env, ...skew },
      logFile: join(this.#folder, `${this.user}.log`),
      ready: () => this.#ask('/health/ready').then((answer) => answer !== undefined),
    });
    await this.daemon.start();
  }

  async leads() {
    const metrics = await this.#ask('/metrics');
    return /^glacis_kube_leader\{.*\} 1$/m.test(metrics ?? '');
  }

  async close() {
    await this.daemon?.kill();
    await this.proxy.close();
  }

  /** The text of a good answer; a process that is paused gives none. */
  async #ask(path) {
    try {
      const signal = AbortSignal.timeout(1_000);
      const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, { signal });
      return answer.ok ? await answer.text() : undefined;
    } catch {
      return undefined;
    }
  }
}
