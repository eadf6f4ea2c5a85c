import { backendInput, certificateNames, differs } from './backend-input.js';
import { podVerdict } from './pod-verdict.js';
import { readTlsSecret } from './tls-secret.js';
import type { Pod } from './manifests.js';
import { Refusals, refusalMs } from './refusals.js';
import { SuiteError } from '../suite/suite-error.js';
import type { TeeManager } from './tee-manager.js';
import { terminationOf } from './termination.js';

const manager = (changes: object = {}, backend: object = {}): TeeManager => ({
  apiVersion: 'tee.glacis.dev/v1alpha1',
  kind: 'TeeManager',
  metadata: { name: 'host3', namespace: 'tee', uid: 'u', resourceVersion: '1', generation: 1 },
  spec: {
    backend: { name: 'host3', ...backend },
    tee: 'none',
    protocol: 'seed',
    certificate: { ttl: '2160h', keyAlgorithm: 'ECDSA-P256' },
  },
  ...changes,
});

describe('what the suite is told', () => {
  it('backends.md 15: by default the address is the name of the Pod', () => {
    expect(backendInput(manager())).toEqual({
      name: 'host3',
      description: 'TeeManager tee/host3 u',
      address: 'host3-0.host3.tee.svc',
      protocol: 'seed',
    });
  });

  it.each([
    ['Host3.Example:7001', ['host3.example'], []],
    ['[2001:DB8::1]:7001', [], ['2001:db8::1']],
    ['192.0.2.1', [], ['192.0.2.1']],
    ['host3', [], []],
  ])('asks for the host part of %s', (address, dnsNames, ipAddresses) => {
    expect(certificateNames(manager({}, { address }))).toEqual({ dnsNames, ipAddresses });
  });

  it('tells anew what differs, and takes a trimmed name for the same', () => {
    const input = backendInput(manager({}, { name: ' host3 ' }));
    const backend = { id: 'b', ...input, name: 'host3' };
    expect(differs(backend, input)).toBe(false);
    for (const member of ['name', 'description', 'address', 'protocol']) {
      expect(differs({ ...backend, [member]: 'other' }, input)).toBe(true);
    }
  });
});

describe('terminationOf', () => {
  const seen = { id: 't1', generation: 1, restart: undefined };

  it('backends.md 15.8: counts until the spec changes or a restart is asked for', () => {
    expect(terminationOf(manager(), undefined).terminated).toBe(false);
    expect(terminationOf(manager(), 't1')).toEqual({ termination: seen, terminated: true });
    const status = { termination: seen };
    expect(terminationOf(manager({ status }), 't1').terminated).toBe(true);
    expect(terminationOf(manager({ status }), undefined).terminated).toBe(true);
    expect(terminationOf(manager({ status }), 't2')).toMatchObject({ termination: { id: 't2' } });
    const { metadata } = manager();
    const changed = manager({ status, metadata: { ...metadata, generation: 2 } });
    expect(terminationOf(changed, 't1').terminated).toBe(false);
    const annotations = { 'tee.glacis.dev/restart': '1' };
    const restarted = manager({ status, metadata: { ...metadata, annotations } });
    expect(terminationOf(restarted, 't1').terminated).toBe(false);
  });
});

describe('podVerdict', () => {
  const pod = (status: object, metadata: object = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'host3-0',
      uid: 'p',
      resourceVersion: '1',
      annotations: { 'tee.glacis.dev/certificate-serial': '1' },
      ...metadata,
    },
    status,
  });
  const unschedulable = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message: 'no node',
  };
  const crash = {
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
    lastState: { terminated: { exitCode: 1, reason: 'Error' } },
  };

  it.each<[string, Pod | undefined, string, string]>([
    ['no Pod', undefined, 'Missing', 'statefulset'],
    ['an ending one', pod({}, { deletionTimestamp: 'x' }), 'Stopping', ''],
    ['one of the former certificate', pod({}, { annotations: {} }), 'Restarting', ''],
    ['one without a node', pod({ conditions: [unschedulable] }), 'Unschedulable', 'no node'],
    [
      'one that crashes',
      pod({ containerStatuses: [crash] }),
      'CrashLoopBackOff',
      'ended with 1 (Error)',
    ],
    [
      'one without a stream',
      pod({ containerStatuses: [{ state: { running: {} } }] }),
      'NotReady',
      'stream',
    ],
    ['one that starts', pod({}), 'Starting', ''],
    ['one that is ready', pod({ conditions: [{ type: 'Ready', status: 'True' }] }), 'Ready', ''],
  ])('says of %s what those said who tried', (_, found, reason, text) => {
    const verdict = podVerdict({ pod: found, serial: '1' });
    expect(verdict.reason).toBe(reason);
    expect(verdict.message).toContain(text);
  });
});

describe('what was refused', () => {
  it('is asked again after a while, or when something else is asked', () => {
    const refusals = new Refusals();
    const now = new Date();
    const error = new SuiteError('refused', 'taken', { problem: 'backend-exists' });
    const verdict = refusals.note('a', error, now);
    expect(verdict).toEqual({ status: 'False', reason: 'NameConflict', message: 'taken' });
    expect(refusals.standing('a', now)).toBe(verdict);
    expect(refusals.standing('b', now)).toBeUndefined();
    expect(refusals.standing('a', new Date(now.getTime() + refusalMs))).toBeUndefined();
  });
});

test('a Secret that somebody has written anything into counts as empty', () => {
  const metadata = { name: 's', uid: 'x', resourceVersion: '1' };
  const data = { 'cert.pem': 'AAAA', 'key.pem': '????', 'next-request.pem': 'LS0tLS1CRUdJTg==' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data };
  expect(readTlsSecret(secret)).toEqual({ superseded: [] });
  expect(readTlsSecret(undefined)).toEqual({ superseded: [] });
});
