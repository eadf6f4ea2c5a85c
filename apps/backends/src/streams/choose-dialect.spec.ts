import { dialectNames, dialects, type ClientMessage } from '@glacis/grpc';
import * as fc from 'fast-check';
import { chooseDialect, dialectNamed, signOf } from './choose-dialect.js';
import { agents, managers } from './stream-family.js';

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
        const { dialect, ambiguous } = chooseDialect(managers, given);
        const named = dialectNamed(managers, given.pin) ?? dialectNamed(managers, given.protocol);
        if (named !== undefined)
          expect({ dialect, ambiguous }).toEqual({ dialect: named, ambiguous: false });
        else if (given.userAgent?.startsWith('grpc-go/1.65.0'))
          expect({ dialect, ambiguous }).toEqual({ dialect: 'v0.2', ambiguous: true });
        else if (given.userAgent?.startsWith('grpc-go/1.68.0')) expect(dialect).toBe('v0.4');
        else expect({ dialect, ambiguous }).toEqual({ dialect: 'seed', ambiguous: false });
      }),
    );
  });

  it('of an agent comes from the same signs, and is one of agents', () => {
    const of = (given: Partial<Parameters<typeof chooseDialect>[1]>): string =>
      chooseDialect(agents, { pin: null, ...given }).dialect;
    expect(of({})).toBe('v0.10');
    expect(of({ userAgent: 'grpc-go/1.71.1' })).toBe('v0.5.1');
    expect(of({ userAgent: 'grpc-go/1.79.1' })).toBe('v0.9');
    expect(of({ userAgent: 'grpc-go/1.79.1', protocol: 'v0.5.0' })).toBe('v0.5.0');
    expect(of({ pin: 'v0.5.1', protocol: 'v0.5.0' })).toBe('v0.5.1');
    expect(of({ pin: 'seed', protocol: 'v0.4', userAgent: 'grpc-go/1.68.0' })).toBe('v0.10');
  });

  it('shows a version only when it is certain, and never what a client could smuggle in', () => {
    fc.assert(
      fc.property(signs, (given) => {
        const { version } = chooseDialect(managers, given);
        if (version !== null) {
          expect(version).toMatch(
            /^(cocos v0\.4\.0|glacis-manager [0-9A-Za-z][0-9A-Za-z.+_-]{0,63})$/,
          );
        }
      }),
    );
    const agent = { userAgent: 'grpc-go/1.68.0' };
    expect(chooseDialect(managers, { pin: null, ...agent }).version).toBe('cocos v0.4.0');
    expect(chooseDialect(managers, { pin: 'seed', ...agent }).version).toBeNull();
    expect(chooseDialect(managers, { pin: null, managerVersion: '1.3.0' }).version).toBe(
      'glacis-manager 1.3.0',
    );
  });

  it('of an ambiguous client is decided by the first message that v0.2 has not, once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds)), (sent) => {
        let choice = chooseDialect(managers, { pin: null, userAgent: 'grpc-go/1.65.0' });
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
