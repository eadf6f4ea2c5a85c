import prom from 'prom-client';
import fc from 'fast-check';
import {
  createLogger,
  formatTraceparent,
  Health,
  Metrics,
  NestLogger,
  newTraceparent,
  parseTraceparent,
  Tracing,
} from './index.js';

function recorded(level: string): {
  lines: Record<string, unknown>[];
  logger: ReturnType<typeof createLogger>;
} {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, logger: createLogger({ name: 'test', level, destination }) };
}

describe('logger', () => {
  test('one JSON object per line with name, level by name and time in RFC 3339', () => {
    const { lines, logger } = recorded('info');
    logger.info({ backend_id: 'b' }, 'backend connected');
    logger.debug('not shown');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      name: 'test',
      level: 'info',
      backend_id: 'b',
      msg: 'backend connected',
    });
    expect(lines[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('secrets are masked at the top and two levels below', () => {
    const { lines, logger } = recorded('info');
    for (const member of [
      'token',
      'authorization',
      'password',
      'private_key',
      'privateKey',
      'secret',
    ]) {
      logger.info({ [member]: 'hunter2' }, 'x');
      logger.info({ a: { [member]: 'hunter2' } }, 'x');
      logger.info({ request: { headers: { [member]: 'hunter2' } } }, 'x');
    }
    expect(lines).toHaveLength(18);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  test('an error is logged with its stack and causes', () => {
    const { lines, logger } = recorded('info');
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(lines[0]?.['err']).toMatchObject({ type: 'Error', message: 'outer: inner' });
  });

  test('what Nest says at start is debug, its warnings and errors keep their level', () => {
    const { lines, logger } = recorded('debug');
    const nest = new NestLogger(logger);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.warn('careful', 'X');
    nest.error('broken', 'the stack', 'X');
    nest.error(new Error('thrown'));
    expect(lines.map(({ level, context }) => [level, context])).toEqual([
      ['debug', 'RouterExplorer'],
      ['warn', 'X'],
      ['error', 'X'],
      ['error', undefined],
    ]);
    expect(lines.every(({ msg }) => msg === 'framework')).toBe(true);
  });
});

describe('metrics', () => {
  test('asking twice for a name gives the same metric', async () => {
    const metrics = new Metrics();
    const options = { name: 'things_total', help: 'Things.', labels: ['kind'] as const };
    metrics.counter(options).inc({ kind: 'a' });
    metrics.counter(options).inc({ kind: 'a' }, 2);
    metrics.gauge({ name: 'depth', help: 'Depth.', collect: (gauge) => gauge.set(7) });
    metrics.histogram({ name: 'seconds', help: 'Time.', buckets: [1, 2] }).observe({}, 1.5);
    const text = await metrics.text();
    expect(text).toContain('things_total{kind="a"} 3');
    expect(text).toContain('depth 7');
    expect(text).toContain('seconds_bucket{le="2"} 1');
  });

  test('histograms are shown as those of prom-client are', async () => {
    const [name, help, buckets] = ['seconds', 'Time.', [0.1, 1, 10]] as const;
    const observations = [0, 0.1, 0.2, 1, 1.5, 10, 11].flatMap((value) =>
      ['a', 'b"\\'].map((kind) => ({ kind, value: kind === 'a' ? value : value * 2 })),
    );
    const metrics = new Metrics();
    const ours = metrics.histogram({ name, help, labels: ['kind'], buckets: [...buckets] });
    const registers = [new prom.Registry()];
    const config = { name, help, labelNames: ['kind'], buckets: [...buckets], registers };
    const theirs = new prom.Histogram(config);
    for (const { kind, value } of observations) {
      ours.observe({ kind }, value);
      theirs.observe({ kind }, value);
    }
    expect(await metrics.text()).toBe(await registers[0]!.metrics());
    expect(await registers[0]!.metrics()).toContain('seconds_bucket{le="0.1",kind="a"} 2');
  });

  test('two processes in one test have nothing in common', async () => {
    new Metrics().counter({ name: 'x_total', help: 'X.' }).inc();
    expect(await new Metrics().text()).not.toContain('x_total');
  });
});

describe('health', () => {
  test('names what is down, with the reason, and keeps the rest', async () => {
    const health = new Health();
    health.add('database', () => undefined);
    health.add('key', () => {
      throw new Error('KEK missing');
    });
    expect(await health.ready()).toEqual({
      status: 'error',
      info: { database: { status: 'up' } },
      error: { key: { status: 'down', reason: 'KEK missing' } },
      details: { database: { status: 'up' }, key: { status: 'down', reason: 'KEK missing' } },
    });
    expect(health.live().status).toBe('ok');
    health.remove('key');
    expect((await health.ready()).status).toBe('ok');
  });

  test('what is not essential is reported, and the process is ready without it', async () => {
    const health = new Health();
    const away = (): never => {
      throw new Error('away');
    };
    health.add('neighbour', away, { essential: false });
    const report = await health.ready();
    expect([report.status, report.error]).toEqual([
      'ok',
      { neighbour: { status: 'down', reason: 'away' } },
    ]);
    health.add('database', away);
    expect((await health.ready()).status).toBe('error');
  });

  test('a check that does not come back counts as down', async () => {
    const health = new Health();
    health.add('stuck', () => new Promise(() => undefined));
    expect((await health.ready()).error).toEqual({
      stuck: { status: 'down', reason: 'no answer within 2000 ms' },
    });
  });
});

describe('traceparent', () => {
  const hex = (length: number): fc.Arbitrary<string> =>
    fc
      .string({
        unit: fc.constantFrom(...'0123456789abcdef'.split('')),
        minLength: length,
        maxLength: length,
      })
      .filter((text) => !/^0+$/.test(text));

  test('reads back what was written', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        const ids = { traceId, spanId, sampled };
        expect(parseTraceparent(formatTraceparent(ids))).toEqual(ids);
      }),
    );
    expect(parseTraceparent(newTraceparent())).toMatchObject({ sampled: false });
  });

  test('anything malformed is none', () => {
    fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
    const [trace, span] = ['a'.repeat(32), 'b'.repeat(16)];
    for (const text of [
      undefined,
      `ff-${trace}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `00-${trace.toUpperCase()}-${span}-01`,
      `00-${trace}-${span}-01-more`,
    ]) {
      expect(parseTraceparent(text)).toBeUndefined();
    }
    expect(parseTraceparent(`01-${trace}-${span}-01-more`)).toBeDefined();
  });
});

describe('tracing without an endpoint', () => {
  test('records nothing, and the context travels on', async () => {
    const tracing = new Tracing({ service: 'test' });
    await tracing.ready;
    expect(tracing.recording).toBe(false);
    const parent = newTraceparent();
    const seen = await tracing.span('x', parent, {}, async ({ traceparent }) => traceparent);
    expect(seen).toBe(parent);
    const fresh = await tracing.span('x', 'garbage', {}, async ({ traceparent }) => traceparent);
    expect(parseTraceparent(fresh)).toBeDefined();
    await expect(
      tracing.span('x', undefined, {}, () => Promise.reject(new Error('work failed'))),
    ).rejects.toThrow('work failed');
    await tracing.close();
  });
});
