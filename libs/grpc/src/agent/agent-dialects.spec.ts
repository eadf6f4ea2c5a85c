import * as fc from 'fast-check';
import {
  agentDialectNames,
  UndecodableMessageError,
  UnsupportedMessageError,
  type AgentDialectName,
  type ClientMessage,
  type ComputationRun,
  type ServerMessage,
} from '../manager/messages.js';
import { decodeRun, encodeRun, RunAssembler } from '../manager/run-chunks.js';
import { extrasOf } from '../manager/run-extras.js';
import { agentDialects } from './agent-dialects.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const some = fc.string({ minLength: 1, maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const timestamp = maybe(
  fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
);
const as = <K extends string, T>(
  kind: K,
  value: fc.Arbitrary<T>,
): fc.Arbitrary<{ kind: K; value: T }> => value.map((it) => ({ kind, value: it }));
const evidence = fc.record({ file: bytes, certSerialNumber: text });

const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  as('agentLog', fc.record({ message: text, computationId: text, level: text, timestamp })),
  as(
    'agentEvent',
    fc.record({
      eventType: text,
      timestamp,
      computationId: text,
      details: bytes,
      originator: text,
      status: text,
    }),
  ),
  as('runResult', fc.record({ computationId: text, error: text })),
  as('stopResponse', fc.record({ computationId: text, message: text })),
  as('agentState', fc.record({ id: text, state: text })),
  as('vtpmEvidence', evidence),
  as('azureEvidence', evidence),
  as('runResponse', fc.record({ agentPort: text, computationId: text })),
);
const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  as('runChunk', fc.record({ data: bytes, id: text, isLast: fc.boolean() })),
  as('stop', fc.record({ computationId: text })),
  as('stateRequest', fc.record({ id: text })),
  as('disconnect', fc.record({ id: text })),
  as('terminate', fc.record({ message: text })),
);

const kbs = maybe(fc.record({ url: text, enabled: fc.boolean() }));
const source = maybe(
  fc.record({
    type: fc.constantFrom('oci-image', 's3', 'gcs', 'https', 'http'),
    url: text,
    kbsResourcePath: text,
    encrypted: fc.boolean(),
  }),
);
const run: fc.Arbitrary<ComputationRun> = fc.record({
  id: text,
  name: text,
  description: text,
  datasets: fc.array(
    fc.record({
      hash: bytes,
      userKey: bytes,
      filename: text,
      source,
      decompress: fc.constantFrom(true, undefined),
      kbs,
    }),
    { maxLength: 3 },
  ),
  algorithm: maybe(
    fc.record({
      hash: bytes,
      userKey: bytes,
      source,
      algoType: maybe(some),
      algoArgs: maybe(fc.array(text, { minLength: 1, maxLength: 3 })),
      kbs,
    }),
  ),
  resultConsumers: fc.array(fc.record({ userKey: bytes }), { maxLength: 3 }),
  agentConfig: maybe(
    fc.record({
      port: text,
      host: text,
      certFile: text,
      keyFile: text,
      clientCaFile: text,
      serverCaFile: text,
      logLevel: text,
      attestedTls: fc.boolean(),
    }),
  ),
  kbs,
});

/** What is left of a run after a journey to an agent. */
function survives(
  name: AgentDialectName,
  { kbs: ofRun, ...value }: ComputationRun,
): ComputationRun {
  const sourced = name === 'v0.9' || name === 'v0.10';
  const perAsset = name === 'v0.10';
  return {
    ...value,
    ...(name === 'v0.9' && { kbs: ofRun }),
    datasets: value.datasets.map(({ hash, userKey, filename, ...extras }) => ({
      hash,
      userKey,
      filename,
      ...(sourced && { source: extras.source, decompress: extras.decompress }),
      ...(perAsset && { kbs: extras.kbs }),
    })),
    algorithm: value.algorithm && {
      hash: value.algorithm.hash,
      userKey: value.algorithm.userKey,
      ...(sourced && {
        source: value.algorithm.source,
        algoType: value.algorithm.algoType,
        algoArgs: value.algorithm.algoArgs,
      }),
      ...(perAsset && { kbs: value.algorithm.kbs }),
    },
    agentConfig: value.agentConfig && {
      ...value.agentConfig,
      host: name === 'v0.5.0' ? value.agentConfig.host : '',
    },
  };
}

describe.each(agentDialectNames)(
  'backends.md 16.6: agents of %s round-trip with their own descriptor',
  (name) => {
    const dialect = agentDialects[name];

    it('what agents say, and refuses what they do not know', () => {
      fc.assert(
        fc.property(clientMessage, (message) => {
          if (!dialect.answers.has(message.kind)) {
            expect(() => dialect.encodeClient(message)).toThrow(UnsupportedMessageError);
            return;
          }
          expect(dialect.decodeClient(dialect.encodeClient(message))).toEqual(message);
        }),
      );
    });

    it('what we say, and refuses what they do not know', () => {
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

    it('runs, always in pieces, of which nothing is lost that the version has', () => {
      fc.assert(
        fc.property(run, (value) => {
          const assembler = new RunAssembler(undefined, dialect.decodeRun);
          const whole = dialect.encodeRun(value).map((piece) => {
            const message = dialect.decodeServer(piece);
            return message?.kind === 'runChunk' ? assembler.add(message.value) : 'no piece';
          });
          expect(whole.pop()).toEqual(survives(name, value));
          expect(whole.every((one) => one === undefined)).toBe(true);
          const keepsAll = extrasOf(value).every((extra) => dialect.runExtras.has(extra));
          expect(extrasOf(survives(name, value)).length === extrasOf(value).length).toBe(
            keepsAll || onlyTypes(name, value),
          );
        }),
      );
    });

    it('never reads foreign bytes as anything but a message or UndecodableMessageError', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
          for (const decode of [dialect.decodeClient, dialect.decodeServer, dialect.decodeRun]) {
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

/** A v0.9 agent is given other types of sources on the wire, and knows only one of them. */
function onlyTypes(name: AgentDialectName, value: ComputationRun): boolean {
  const rest = extrasOf(value).filter((extra) => extra !== 'source.type');
  return name === 'v0.9' && rest.every((extra) => agentDialects[name].runExtras.has(extra));
}

describe('bytes on the wire', () => {
  const hex = (buffer: Buffer): string => buffer.toString('hex');

  it('backends.md 9: stop is 3, state 4, disconnect 5, which v0.5.0 has not', () => {
    for (const name of agentDialectNames) {
      const dialect = agentDialects[name];
      expect(hex(dialect.encodeServer({ kind: 'stop', value: { computationId: 'c1' } }))).toBe(
        '1a040a026331',
      );
      expect(hex(dialect.encodeServer({ kind: 'stateRequest', value: { id: 'c1' } }))).toBe(
        '22040a026331',
      );
      const disconnect = (): Buffer =>
        dialect.encodeServer({ kind: 'disconnect', value: { id: 'c1' } });
      if (name === 'v0.5.0') expect(disconnect).toThrow(UnsupportedMessageError);
      else expect(hex(disconnect())).toBe('2a040a026331');
    }
  });

  it('backends.md 9: the agent configuration was renumbered after v0.5.0', () => {
    const value: ComputationRun = {
      id: '',
      name: '',
      description: '',
      datasets: [],
      algorithm: undefined,
      resultConsumers: [],
      agentConfig: {
        port: 'p',
        host: 'h',
        certFile: 'c',
        keyFile: 'k',
        clientCaFile: 'a',
        serverCaFile: 's',
        logLevel: 'l',
        attestedTls: true,
      },
    };
    const config = (name: AgentDialectName): string => {
      const [piece] = agentDialects[name].encodeRun(value);
      const message = piece && agentDialects[name].decodeServer(piece);
      return message?.kind === 'runChunk' ? hex(message.value.data) : '';
    };
    expect(config('v0.5.0')).toBe('3a170a01701201681a016322016b2a01613201733a016c4001');
    for (const name of ['v0.5.1', 'v0.9', 'v0.10'] as const) {
      expect(config(name)).toBe('3a140a01701201631a016b2201612a017332016c3801');
    }
  });
});

it('a run keeps every member in the form that our services exchange, of which v0.3 is a part', () => {
  fc.assert(fc.property(run, (value) => expect(decodeRun(encodeRun(value))).toEqual(value)));
});
