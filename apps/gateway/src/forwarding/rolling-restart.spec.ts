import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpApp, httpSettings, Operation } from '@glacis/http';
import { createLogger, Health, Metrics, Tracing } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { Controller, Get, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startForwarding, type Forwarding } from '../../test/forwarding.js';

let written = 0;

@Controller('backends')
class WritesController {
  @Get()
  @Operation({ access: 'member', summary: 'Reads' })
  read(): object {
    return { written };
  }

  @Post()
  @Operation({ access: 'member', summary: 'Writes' })
  write(): object {
    written += 1;
    return { written };
  }
}

@Module({ controllers: [WritesController] })
class WritesModule {}

let forwarding: Forwarding;
beforeAll(async () => (forwarding = await startForwarding()));
afterAll(() => forwarding.close());

/** A replica of a service, as it runs apart. */
async function replica(port = 0): Promise<NestFastifyApplication> {
  const { verifier } = forwarding.identity;
  const app = await createHttpApp(WritesModule, {
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: new Metrics(),
    health: new Health(),
    tracing: new Tracing({ service: 'test' }),
    authenticate: (authorization) => verifier.verify(authorization),
    about: { version: '', commit: '', description: '', buildTime: '', instanceId: '' },
    settings: loadSettings(httpSettings, { env: { GLACIS_HTTP_SHUTDOWN_DELAY: '500ms' } }),
  });
  await app.listen(port, '127.0.0.1');
  return app;
}

const portOf = (app: NestFastifyApplication) => (app.getHttpServer().address() as AddressInfo).port;

/** Clients that read and write one after the other, each over a connection of its own. */
class Load {
  readonly answers: Record<string, number> = {};
  private going = true;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly clients: Promise<void>[];

  constructor(
    private readonly url: string,
    clients: number,
  ) {
    this.clients = Array.from({ length: clients }, (_, i) => this.run(i % 2 ? 'POST' : 'GET'));
  }

  get total(): number {
    return Object.values(this.answers).reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.going = false;
    await Promise.all(this.clients);
    this.agent.destroy();
  }

  private async run(method: string): Promise<void> {
    while (this.going) {
      const answer = await this.call(method);
      this.answers[answer] = (this.answers[answer] ?? 0) + 1;
    }
  }

  private call(method: string): Promise<string> {
    const headers = {
      authorization: `Bearer ${forwarding.bearer}`,
      'content-type': 'application/json',
    };
    return new Promise((resolve) => {
      const sent = request(`${this.url}/backends`, { method, headers, agent: this.agent });
      sent.on('error', (error) => resolve(`${method} ${error.message}`));
      sent.on('response', (response) => {
        response.resume().once('close', () => resolve(`${method} ${response.statusCode}`));
      });
      sent.end(method === 'POST' ? '{}' : undefined);
    });
  }
}

async function restartAllUnderLoad(count: number): Promise<Record<string, number>> {
  const replicas = await Promise.all(Array.from({ length: count }, () => replica()));
  const urls = replicas.map((app) => `http://127.0.0.1:${portOf(app)}`);
  let answers = {};
  await forwarding.withDoor({ backends: urls }, async (door) => {
    const load = new Load(door.url, 16);
    const more = (answered: number) => {
      const goal = load.total + answered;
      return waitFor(() => load.total >= goal, { deadlineMs: 30_000 });
    };
    for (const [i, app] of replicas.entries()) {
      await more(100);
      const port = portOf(app);
      await app.close();
      replicas[i] = await replica(port);
    }
    await more(100);
    await load.stop();
    answers = load.answers;
  });
  await Promise.all(replicas.map((app) => app.close()));
  return answers;
}

test('of two replicas under load: every request is answered, every write done once', async () => {
  written = 0;
  const answers = await restartAllUnderLoad(2);
  expect(Object.keys(answers).toSorted()).toEqual(['GET 200', 'POST 201']);
  expect(answers['POST 201']).toBe(written);
});

test('of the only replica: reads and writes wait until it is back', async () => {
  written = 0;
  const answers = await restartAllUnderLoad(1);
  expect(Object.keys(answers).toSorted()).toEqual(['GET 200', 'POST 201']);
  expect(answers['POST 201']).toBe(written);
});
