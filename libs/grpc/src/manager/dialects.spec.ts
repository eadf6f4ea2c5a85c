import * as fc from 'fast-check';
import { decodeClientMessage, dialects } from './dialects.js';
import {
  dialectNames,
  UndecodableMessageError,
  UnsupportedMessageError,
  type ClientMessage,
  type ComputationRun,
  type RunReqChunks,
  type ServerMessage,
} from './messages.js';
import { decodeRun, encodeRun, maxRunBytes, RunAssembler, runPieceBytes } from './run-chunks.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));
const time = fc.option(
  fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
  { nil: undefined },
);

const agentEvent = fc.record({
  eventType: text,
  timestamp: time,
  computationId: text,
  details: bytes,
  originator: text,
  status: text,
});
const agentLog = fc.record({ message: text, computationId: text, level: text, timestamp: time });
const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  agentLog.map((value) => ({ kind: 'agentLog' as const, value })),
  agentEvent.map((value) => ({ kind: 'agentEvent' as const, value })),
  fc
    .record({ agentPort: text, computationId: text })
    .map((value) => ({ kind: 'runResponse' as const, value })),
  fc.record({ id: text, info: bytes }).map((value) => ({ kind: 'information' as const, value })),
  fc
    .record({ computationId: text, message: text })
    .map((value) => ({ kind: 'stopResponse' as const, value })),
  fc
    .record({
      id: text,
      ovmfVersion: text,
      cpuNum: fc.nat(),
      cpuType: text,
      kernelCmd: text,
      eosVersion: text,
    })
    .map((value) => ({ kind: 'svmInfo' as const, value })),
);

const agentConfig = fc.record({
  port: text,
  host: text,
  certFile: text,
  keyFile: text,
  clientCaFile: text,
  serverCaFile: text,
  logLevel: text,
  attestedTls: fc.boolean(),
});
const run: fc.Arbitrary<ComputationRun> = fc.record({
  id: text,
  name: text,
  description: text,
  datasets: fc.array(fc.record({ hash: bytes, userKey: bytes, filename: text }), { maxLength: 4 }),
  algorithm: fc.option(fc.record({ hash: bytes, userKey: bytes }), { nil: undefined }),
  resultConsumers: fc.array(fc.record({ userKey: bytes }), { maxLength: 4 }),
  agentConfig: fc.option(agentConfig, { nil: undefined }),
});
const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.record({ message: text }).map((value) => ({ kind: 'terminate' as const, value })),
  fc.record({ computationId: text }).map((value) => ({ kind: 'stop' as const, value })),
  fc
    .record({ data: bytes, id: text, isLast: fc.boolean() })
    .map((value) => ({ kind: 'runChunk' as const, value })),
  fc.record({ id: text }).map((value) => ({ kind: 'informationRequest' as const, value })),
  fc.record({ id: text }).map((value) => ({ kind: 'svmInfoRequest' as const, value })),
);

/** What is left of a run after a journey through the dialect. */
function survives(name: string, value: ComputationRun): ComputationRun {
  const datasets = value.datasets.map((dataset, index) => {
    if (name === 'v0.2') return { ...dataset, filename: '' };
    const filename = name === 'seed' && dataset.filename === '' ? String(index) : dataset.filename;
    return { ...dataset, filename };
  });
  return { ...value, datasets };
}

function reassemble(pieces: RunReqChunks[]): ComputationRun | undefined {
  const assembler = new RunAssembler();
  return pieces.map((piece) => assembler.add(piece)).findLast((whole) => whole !== undefined);
}

const terminate: ServerMessage = { kind: 'terminate', value: { message: 'Backend Closed' } };
const stop: ServerMessage = { kind: 'stop', value: { computationId: 'c1' } };
const hex = (buffer: Buffer): string => buffer.toString('hex');
const closed = Buffer.from('Backend Closed').toString('hex');

describe.each(dialectNames)(
  'backends.md 16.6: dialect %s round-trips with its own descriptor',
  (name) => {
    const dialect = dialects[name];

    it('client messages, and refuses those it does not have', () => {
      fc.assert(
        fc.property(clientMessage, (message) => {
          if (!dialect.answers.has(message.kind)) {
            expect(() => dialect.encodeClient(message)).toThrow(UnsupportedMessageError);
            return;
          }
          expect(decodeClientMessage(dialect.encodeClient(message))).toEqual(message);
        }),
      );
    });

    it('server messages, and refuses those it does not have', () => {
      fc.assert(
        fc.property(serverMessage, (message) => {
          if (!dialect.sends.has(message.kind)) {
            expect(() => dialect.encodeServer(message)).toThrow(UnsupportedMessageError);
            return;
          }
          expect(dialect.decodeServer(dialect.encodeServer(message))).toEqual(message);
        }),
      );
    });

    it('runs, whole or in pieces', () => {
      fc.assert(
        fc.property(run, (value) => {
          const received = dialect.encodeRun(value).map((piece) => dialect.decodeServer(piece));
          const whole = received.flatMap((m) => (m?.kind === 'run' ? [m.value] : []));
          const pieces = received.flatMap((m) => (m?.kind === 'runChunk' ? [m.value] : []));
          expect(whole[0] ?? reassemble(pieces)).toEqual(survives(name, value));
        }),
      );
    });

    it('never reads foreign bytes as anything but a message or UndecodableMessageError', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
          for (const decode of [decodeClientMessage, dialect.decodeServer]) {
            try {
              decode(input);
            } catch (error) {
              expect(error).toBeInstanceOf(UndecodableMessageError);
            }
          }
        }),
        { numRuns: 500 },
      );
    });
  },
);

describe('bytes on the wire', () => {
  it.each([
    ['seed', '12'],
    ['v0.2', '12'],
    ['v0.3', '1a'],
    ['v0.4', '1a'],
  ] as const)('backends.md 16.2: terminate of %s has the tag %s', (name, tag) => {
    expect(hex(dialects[name].encodeServer(terminate))).toBe(`${tag}100a0e${closed}`);
  });

  it('backends.md 4.4: stop is 3 in v0.2, 4 from v0.3, and does not exist in seed', () => {
    expect(hex(dialects['v0.2'].encodeServer(stop))).toBe('1a040a026331');
    expect(hex(dialects['v0.3'].encodeServer(stop))).toBe('22040a026331');
    expect(hex(dialects['v0.4'].encodeServer(stop))).toBe('22040a026331');
    expect(() => dialects.seed.encodeServer(stop)).toThrow(UnsupportedMessageError);
  });

  it('backends.md 4.4: information is client message 4, the stop reply 5, the VM description 6', () => {
    const info = { kind: 'information', value: { id: 'r', info: Buffer.from('{}') } } as const;
    const reply = { kind: 'stopResponse', value: { computationId: 'c', message: '' } } as const;
    expect(hex(dialects['v0.3'].encodeClient(info))).toBe('22070a027b7d120172');
    expect(hex(dialects['v0.4'].encodeClient(info))).toBe('22070a027b7d120172');
    expect(hex(dialects['v0.3'].encodeClient(reply))).toBe('2a030a0163');
  });

  it('backends.md 4.4: the client numbers 1, 2 and 3 are the same in every dialect', () => {
    const log = { message: 'm', computationId: '', level: '', timestamp: undefined };
    const response = { agentPort: '6100', computationId: 'c' };
    for (const name of dialectNames) {
      const dialect = dialects[name];
      expect(hex(dialect.encodeClient({ kind: 'agentLog', value: log }))).toBe('0a030a016d');
      expect(hex(dialect.encodeClient({ kind: 'runResponse', value: response }))).toBe(
        '1a090a0436313030120163',
      );
    }
  });

  it('backends.md 4.5: a seed run names parties, a v0.2 run carries keys', () => {
    const value: ComputationRun = {
      id: 'i',
      name: '',
      description: '',
      datasets: [],
      algorithm: { hash: Buffer.from([1]), userKey: Buffer.from([2]) },
      resultConsumers: [{ userKey: Buffer.from([3]) }],
      agentConfig: undefined,
    };
    // id, algorithm { provider "Ag==", id "algorithm", hash }, result_consumers "Aw==" as string
    expect(hex(dialects.seed.encodeServer({ kind: 'run', value }))).toBe(
      '0a1f0a01692a140a0441673d3d1209616c676f726974686d1a0101320441773d3d',
    );
    // id, algorithm { hash, userKey }, result_consumers { userKey }
    expect(hex(dialects['v0.2'].encodeServer({ kind: 'run', value }))).toBe(
      '0a100a01692a060a010112010232030a0103',
    );
  });

  it('ignores a message with an unset or unknown member', () => {
    expect(decodeClientMessage(Buffer.alloc(0))).toBeUndefined();
    expect(decodeClientMessage(Buffer.from('5a00', 'hex'))).toBeUndefined();
    expect(dialects.seed.decodeServer(Buffer.from('1a040a026331', 'hex'))).toBeUndefined();
  });

  it('refuses a truncated message and a time that no Date can hold', () => {
    expect(() => decodeClientMessage(Buffer.from('0a0a01', 'hex'))).toThrow(
      UndecodableMessageError,
    );
    expect(() => decodeClientMessage(Buffer.from('120b120908808080808080803f', 'hex'))).toThrow(
      UndecodableMessageError,
    );
  });
});

describe('chunked runs', () => {
  const large: ComputationRun = {
    id: 'c1',
    name: 'n'.repeat(2.5 * runPieceBytes),
    description: '',
    datasets: [],
    algorithm: undefined,
    resultConsumers: [],
    agentConfig: undefined,
  };

  it('backends.md 16.6: pieces of at most 1 MiB, then an empty one with the same id and is_last', () => {
    const pieces = dialects['v0.3'].encodeRun(large).map((piece) => {
      const message = dialects['v0.3'].decodeServer(piece);
      return message?.kind === 'runChunk' ? message.value : undefined;
    });
    expect(pieces.map((piece) => [piece?.data.length, piece?.id, piece?.isLast])).toEqual([
      [runPieceBytes, 'c1', false],
      [runPieceBytes, 'c1', false],
      [encodeRun(large).length - 2 * runPieceBytes, 'c1', false],
      [0, 'c1', true],
    ]);
  });

  it('an empty piece ends a run for builds that know no flag; runs may arrive side by side', () => {
    const assembler = new RunAssembler();
    const a = encodeRun({ ...large, id: 'a', name: 'A' });
    const b = encodeRun({ ...large, id: 'b', name: 'B' });
    expect(assembler.add({ id: 'a', data: a, isLast: false })).toBeUndefined();
    expect(assembler.add({ id: 'b', data: b, isLast: true })).toMatchObject({ name: 'B' });
    expect(assembler.add({ id: 'a', data: Buffer.alloc(0), isLast: false })).toMatchObject({
      name: 'A',
    });
  });

  it('drops what got no piece for 30 s', () => {
    let now = 0;
    const assembler = new RunAssembler(() => now);
    const data = encodeRun({ ...large, name: 'x' });
    assembler.add({ id: 'c1', data: data.subarray(0, 3), isLast: false });
    now = 30_001;
    assembler.add({ id: 'c1', data, isLast: false });
    expect(assembler.add({ id: 'c1', data: Buffer.alloc(0), isLast: true })?.name).toBe('x');
  });

  it('holds less than 32 MiB in all', () => {
    const assembler = new RunAssembler();
    const half = Buffer.alloc(maxRunBytes / 2);
    assembler.add({ id: 'a', data: half, isLast: false });
    expect(() => assembler.add({ id: 'b', data: half, isLast: false })).toThrow(
      UndecodableMessageError,
    );
    expect(() => decodeRun(Buffer.from('0a0a01', 'hex'))).toThrow(UndecodableMessageError);
  });
});
