import type { ApiServer } from '@glacis/kube';
import fc from 'fast-check';
import { fingerprintOf, releaseAction, releasesBefore } from './releases.js';

test.each([
  ['none', undefined, 'install'],
  ['as wanted', { status: 'deployed', fingerprint: 'f' }, 'keep'],
  ['of another making', { status: 'deployed', fingerprint: 'g' }, 'install'],
  ['without a mark', { status: 'deployed' }, 'install'],
  ['failed', { status: 'failed', fingerprint: 'f' }, 'install'],
  ['unreadable', { status: 'unreadable', fingerprint: 'f' }, 'install'],
  ['locked by an install', { status: 'pending-install', fingerprint: 'f' }, 'unlock'],
  ['locked by an upgrade', { status: 'pending-upgrade', fingerprint: 'f' }, 'unlock'],
  ['locked by a rollback', { status: 'pending-rollback', fingerprint: 'g' }, 'unlock'],
  ['half removed', { status: 'uninstalling', fingerprint: 'f' }, 'uninstall'],
])('graph-apps.md 4.5: a release that is %s', (_, there, action) => {
  expect(releaseAction(there, 'f')).toBe(action);
});

test('a fingerprint tells one content from another, whatever the order of members', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (values) => {
      const turned = Object.fromEntries(Object.entries(values).toReversed());
      expect(fingerprintOf(turned)).toBe(fingerprintOf(values));
      expect(fingerprintOf({ ...values, another: 1 }, 2)).not.toBe(fingerprintOf(values));
      expect(fingerprintOf(values)).toMatch(/^[0-9a-f]{32}$/);
    }),
  );
});

test('a Namespace that this reconcile has made is not asked for its releases, another one is', async () => {
  const asked: string[] = [];
  const call: ApiServer['call'] = async ({ path }) => {
    asked.push(path);
    return { items: [], metadata: { resourceVersion: '1' } };
  };
  const work = { server: { call } as ApiServer, made: new Set(['new']) };
  expect(await releasesBefore(work, 'new')).toEqual([]);
  expect(await releasesBefore(work, 'old')).toEqual([]);
  expect(asked).toEqual([expect.stringMatching('^/api/v1/namespaces/old/secrets')]);
});
