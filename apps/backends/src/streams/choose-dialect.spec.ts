import { dialectNames, dialects, type ClientMessage } from '@glacis/grpc';
import * as fc from 'fast-check';
import { chooseDialect, isDialectName, signOf } from './choose-dialect.js';

const name = fc.constantFrom(...dialectNames);
const agent = fc.oneof(
  fc.constantFrom('grpc-go/1.60.1', 'grpc-go/1.65.0', 'grpc-go/1.68.0', 'grpc-go/1.68.0 extra'),
  fc.string(),
);
const signs = fc.record({
  pin: fc.option(fc.oneof(name, fc.string())),
  protocol: fc.option(fc.oneof(name, fc.string()), { nil: undefined }),
  userAgent: fc.option(agent, { nil: undefined }),
  managerVersion: fc.option(fc.string(), { nil: undefined }),
});
const kinds: ClientMessage['kind'][] = [
  'agentLog',
  'agentEvent',
  'runResponse',
  'information',
  'stopResponse',
  'svmInfo',
];

describe('the dialect of a stream', () => {
  it('comes from the pin, else the metadata, else the user agent, else it is seed', () => {
    fc.assert(
      fc.property(signs, (given) => {
        const { dialect, ambiguous } = chooseDialect(given);
        const named = [given.pin, given.protocol].find(isDialectName);
        if (named !== undefined)
          expect({ dialect, ambiguous }).toEqual({ dialect: named, ambiguous: false });
        else if (given.userAgent?.startsWith('grpc-go/1.65.0'))
          expect({ dialect, ambiguous }).toEqual({ dialect: 'v0.2', ambiguous: true });
        else if (given.userAgent?.startsWith('grpc-go/1.68.0')) expect(dialect).toBe('v0.4');
        else expect({ dialect, ambiguous }).toEqual({ dialect: 'seed', ambiguous: false });
      }),
    );
  });

  it('shows a version only when it is certain, and never what a client could smuggle in', () => {
    fc.assert(
      fc.property(signs, (given) => {
        const { version } = chooseDialect(given);
        if (version !== null) {
          expect(version).toMatch(
            /^(cocos v0\.4\.0|glacis-manager [0-9A-Za-z][0-9A-Za-z.+_-]{0,63})$/,
          );
        }
      }),
    );
    const agent = { userAgent: 'grpc-go/1.68.0' };
    expect(chooseDialect({ pin: null, ...agent }).version).toBe('cocos v0.4.0');
    expect(chooseDialect({ pin: 'seed', ...agent }).version).toBeNull();
    expect(chooseDialect({ pin: null, managerVersion: '1.3.0' }).version).toBe(
      'glacis-manager 1.3.0',
    );
  });

  it('of an ambiguous client is decided by the first message that v0.2 has not, once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds)), (sent) => {
        let choice = chooseDialect({ pin: null, userAgent: 'grpc-go/1.65.0' });
        for (const kind of sent) {
          const sign = signOf(choice, kind);
          if (sign === 'decides') choice = { ...choice, dialect: 'v0.3', ambiguous: false };
          expect(sign === 'contradicts').toBe(kind === 'svmInfo');
        }
        const decided = sent.some((kind) => kind === 'information' || kind === 'stopResponse');
        expect(choice).toMatchObject({ dialect: decided ? 'v0.3' : 'v0.2', ambiguous: !decided });
      }),
    );
  });

  it('of everybody else is never overridden, only contradicted', () => {
    for (const dialect of dialectNames) {
      for (const kind of kinds) {
        const expected = dialects[dialect].answers.has(kind) ? 'agrees' : 'contradicts';
        expect(signOf({ dialect, ambiguous: false }, kind)).toBe(expected);
      }
    }
  });
});
