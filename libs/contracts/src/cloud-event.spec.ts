import { eventTypes, isEventType, parseEvent } from './index.js';

const envelope = {
  specversion: '1.0',
  id: '0199aa51-7d2a-7c52-b1f5-7d5c2f6f0a11',
  source: '/gateway',
  type: 'token.revoked',
  subject: 't1',
  time: '2026-11-21T10:15:35.123Z',
  tenant: 'acme',
  dataversion: 1,
  datacontenttype: 'application/json',
  data: { token_id: 't1', expires_at: '2026-11-22T00:00:00Z' },
};

describe('an event', () => {
  it('is read with its data', () => {
    expect(parseEvent(envelope)).toEqual(envelope);
  });

  it('of a newer version is read without the members that this build does not know', () => {
    const newer = { ...envelope, dataversion: 2, data: { ...envelope.data, added: 1 } };
    expect(parseEvent(newer).data).toEqual(envelope.data);
  });

  it.each([
    ['no id', { id: '' }],
    ['another CloudEvents version', { specversion: '0.3' }],
    ['no RFC 3339 time', { time: 'yesterday' }],
    ['an unknown type', { type: 'token.invented' }],
    ['a type that only looks like one', { type: 'toString' }],
    ['data without a member', { data: { token_id: 't1' } }],
    ['data of another type', { data: { token_id: 1, expires_at: '2026-11-22T00:00:00Z' } }],
  ])('with %s is refused', (_, change) => {
    expect(() => parseEvent({ ...envelope, ...change })).toThrow(/./);
  });

  it('type names its aggregate first, and every aggregate has one topic', () => {
    for (const [type, { topic, version }] of Object.entries(eventTypes)) {
      expect(isEventType(type)).toBe(true);
      expect(version).toBeGreaterThan(0);
      expect(topic).toMatch(/^[a-z][a-z-]*$/);
    }
  });
});
