import { summarise, untilNotConnected, type Findings } from './summary.js';
import { no, unknown, yes, type Verdict, type Verdicts } from './verdict.js';

const start = new Date('2026-11-21T10:00:00Z');
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const good = yes('Good', 'good');
const findings = (verdicts: Partial<Verdicts> = {}, rest: Partial<Findings> = {}): Findings => ({
  verdicts: {
    Registered: good,
    CertificateReady: good,
    PodReady: good,
    Connected: good,
    ...verdicts,
  },
  terminated: false,
  renewing: false,
  running: true,
  facts: { backendId: 'b', certificateSerial: '1' },
  ...rest,
});
const status = (
  found: Findings,
  now = start,
  before?: ReturnType<typeof summarise>,
): ReturnType<typeof summarise> => summarise(found, { before, generation: 3, now });
const ready = (of: ReturnType<typeof summarise>): object | undefined =>
  of.conditions?.find(({ type }) => type === 'Ready');
const away = no('Disconnected', 'no stream');

describe('summarise', () => {
  it('is ready when all four are, and else says which is not', () => {
    expect(status(findings())).toMatchObject({
      phase: 'Running',
      verdict: 'claimed',
      observedGeneration: 3,
    });
    expect(ready(status(findings()))).toMatchObject({ status: 'True', reason: 'Ready' });
    expect(ready(status(findings({ PodReady: no('Unschedulable', 'no node') })))).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: 'no node',
    });
  });

  it.each<[string, Findings]>([
    ['Pending', findings({ Registered: unknown('SuiteUnreachable', '') }, { facts: {} })],
    ['Registering', findings({ Registered: unknown('Waiting', '') }, { facts: {} })],
    ['Failed', findings({ Registered: no('NameConflict', '') }, { facts: {} })],
    [
      'Issuing',
      findings({ CertificateReady: unknown('Waiting', '') }, { facts: { backendId: 'b' } }),
    ],
    ['Starting', findings({ Connected: no('NeverConnected', '') })],
    ['Renewing', findings({}, { renewing: true })],
    ['Renewing', findings({ PodReady: no('Restarting', '') }, { renewing: true })],
    ['Failed', findings({ CertificateReady: no('Revoked', '') })],
    ['Terminated', findings({ PodReady: no('Stopped', '') }, { terminated: true })],
  ])('is %s', (phase, found) => {
    expect(status(found).phase).toBe(phase);
  });

  it('moves the time of a condition with its status alone', () => {
    const first = status(findings({ Connected: away }));
    const same = status(findings({ Connected: no('NeverConnected', 'x') }), after(9), first);
    expect(same.conditions?.[3]).toMatchObject({
      reason: 'NeverConnected',
      lastTransitionTime: '2026-11-21T10:00:00Z',
    });
    const changed = status(findings(), after(10), same);
    expect(changed.conditions?.[3]).toMatchObject({ lastTransitionTime: '2026-11-21T10:00:10Z' });
  });

  it('says the same of the same, so that nothing is written', () => {
    const first = status(findings());
    expect(status(findings(), after(3600), first)).toEqual(first);
  });

  it('backends.md 15.6: not connected for 5 minutes while the manager runs', () => {
    const first = status(findings({ Connected: away }));
    const at = (seconds: number, rest: Partial<Findings> = {}, verdict: Verdict = away): object =>
      ready(status(findings({ Connected: verdict }, rest), after(seconds), first)) as object;
    expect(untilNotConnected(first, after(1))).toBe(299_000);
    expect(at(299)).toMatchObject({ reason: 'Disconnected' });
    expect(at(300)).toMatchObject({ status: 'False', reason: 'NotConnected' });
    expect(status(findings({ Connected: away }), after(300), first).phase).toBe('Failed');
    expect(at(300, { running: false })).toMatchObject({ reason: 'Disconnected' });
    expect(at(300, { terminated: true })).toMatchObject({ reason: 'Disconnected' });
    expect(at(300, {}, good)).toMatchObject({ status: 'True' });
  });
});
