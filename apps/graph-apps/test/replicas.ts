import { waitFor } from '@glacis/runtime';
import type { TestDatabase } from '@glacis/testbed';
import { graphBody, simpleGraph } from './graphs.js';
import { Stand, type Reply, type StandOptions } from './stand.js';

/** Two replicas on one database, and what the tests ask of them. */
export class Replicas {
  private constructor(
    public one: Stand,
    public two: Stand,
    private readonly options: StandOptions & { database: TestDatabase },
  ) {}

  static async start(options: StandOptions & { database: TestDatabase }): Promise<Replicas> {
    const [one, two] = await Promise.all([Stand.start(options), Stand.start(options)]);
    return new Replicas(one, two, options);
  }

  /** Both are down while the work goes on. */
  async restart(work: () => Promise<unknown>): Promise<void> {
    await Promise.all([this.one.program.stop(), this.two.program.stop()]);
    await work();
    const { options } = this;
    [this.one, this.two] = await Promise.all([Stand.start(options), Stand.start(options)]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.one.stop(), this.two.stop()]);
    await this.options.database.drop();
  }

  create(name: string, more: object = {}): Promise<Reply> {
    return this.one.send('POST', '/graphs', { body: graphBody({ name, ...more }) });
  }

  save(name: string, config: object): Promise<Reply> {
    return this.one.send('POST', `/apps/team_${name}/graph`, {
      body: graphBody({ name, graph: simpleGraph({ ...config }) }),
    });
  }

  redeploy(name: string, version: number, more: object = {}): Promise<Reply> {
    return this.one.send('POST', `/apps/redeployment/team_${name}/${version}`, {
      body: { deployed: true, appId: 'ignored', version: 'ignored' },
      ...more,
    });
  }

  /** The App as both replicas show it, once it fits. */
  async shows(
    id: string,
    fits: (app: Reply['body']) => boolean,
    tenant?: string,
  ): Promise<Reply['body']> {
    let seen: Reply['body'];
    for (const stand of [this.one, this.two]) {
      await waitFor(
        async () => {
          seen = (await stand.send('GET', `/apps/${id}`, { tenant })).body;
          return fits(seen);
        },
        { what: `App ${id}`, deadlineMs: 30_000 },
      ).catch((error: unknown) => {
        throw new Error(`${id} shows ${JSON.stringify(seen)}`, { cause: error });
      });
    }
    return seen;
  }

  /** Events about a graph, once they fit: documents bring theirs there a moment later. */
  async told(
    type: string,
    name: string,
    fits: (events: Record<string, unknown>[]) => boolean,
  ): Promise<Record<string, unknown>[]> {
    return waitFor(
      async () => {
        const events = (await this.one.events(type)).filter((data) => data['name'] === name);
        return fits(events) && events;
      },
      { what: `${type} of ${name}`, deadlineMs: 30_000 },
    );
  }
}
