import { randomUUID } from 'node:crypto';
import { waitFor } from '@glacis/runtime';
import type { ComputeProvider, Instance, NewInstance } from '../../src/compute/compute-provider.js';
import type { CloudServer } from './cloud-server.js';

export interface Subject {
  provider: ComputeProvider;
  /** Of the listener that agents are told. */
  coordinator: string;
  /** Runs that there are, as the place knows them where they run. */
  running(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** One that can be told to fail. */
export interface FaultySubject extends Subject {
  server: CloudServer;
  /** Milliseconds in which a start asks for its machine. Default 1,000. */
  startMs?: number;
}

const call = { timeoutMs: 30_000 };

/** An instance that nobody has asked for yet. */
const wish = (
  { coordinator }: Subject,
  changes: Partial<NewInstance['tags']> = {},
): NewInstance => ({
  tags: { job: randomUUID(), party: 1, attempt: 1, expires: inAnHour(), ...changes },
  runId: randomUUID(),
  token: 'a token',
  config: { coordinator, coordinator_ca: 'none' },
});

const other = (same: NewInstance): NewInstance => ({ ...same, runId: randomUUID() });

/** To the second, as tags tell it. */
const inAnHour = (): Date => new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000);

async function endAll({ provider }: Subject): Promise<void> {
  for (const { ref, tags } of await provider.listByTag({}, call)) {
    await provider.terminate(ref, call);
    await provider.forget(tags.job, call);
  }
}

/** The rules of jobs.md 10.1 that every driver keeps. */
export function computeConformance(name: string, open: () => Promise<Subject>): void {
  describe(`compute: ${name}`, () => {
    let subject: Subject;

    beforeAll(async () => {
      subject = await open();
    });
    afterEach(() => endAll(subject));
    afterAll(() => subject?.close());

    const up = (instance: Instance): Promise<Instance> =>
      waitFor(async () => {
        const found = await subject.provider.describe(instance.ref, call);
        return found?.state === 'up' && found;
      });

    test('jobs.md 9: the same run twice is one instance, up in the end, with its tags', async () => {
      const wished = wish(subject);
      const first = await subject.provider.ensureInstance(wished, call);
      const again = await subject.provider.ensureInstance(wished, call);
      expect(again).toMatchObject({ ref: first.ref, runId: wished.runId, tags: wished.tags });
      expect(await up(first)).toMatchObject({ ref: first.ref, tags: wished.tags });
      expect(await subject.running()).toHaveLength(1);
    });

    test('jobs.md 13: never two instances of one party and attempt', async () => {
      const wished = wish(subject);
      const { ref } = await subject.provider.ensureInstance(wished, call);
      const refused = subject.provider.ensureInstance(other(wished), call);
      await expect(refused).rejects.toMatchObject({ code: 'exists', transient: false });
      expect(await subject.running()).toHaveLength(1);
      await subject.provider.terminate(ref, call);
      await subject.provider.ensureInstance(other(wished), call);
      expect(await subject.running()).toHaveLength(1);
    });

    test('jobs.md 10.1: an instance that was ended is gone when the call returns; ended twice is ended', async () => {
      const { ref } = await subject.provider.ensureInstance(wish(subject), call);
      await subject.provider.terminate(ref, call);
      expect(await subject.running()).toEqual([]);
      expect(await subject.provider.describe(ref, call)).toBeUndefined();
      expect(await subject.provider.listByTag({}, call)).toEqual([]);
      await subject.provider.terminate(ref, call);
    });

    test('jobs.md 9: a job finds all that is its own, over pages, and the reaper all there is', async () => {
      const job = randomUUID();
      const wished = [0, 1, 2, 3].map((party) => wish(subject, { job, party }));
      const foreign = await subject.provider.ensureInstance(wish(subject), call);
      for (const each of wished) await subject.provider.ensureInstance(each, call);
      const found = await subject.provider.listByTag({ job }, call);
      const byParty = found.toSorted((a, b) => a.tags.party - b.tags.party);
      expect(byParty.map(({ tags }) => tags)).toEqual(wished.map(({ tags }) => tags));
      const all = (await subject.provider.listByTag({}, call)).map(({ runId }) => runId);
      expect(all.toSorted()).toEqual([foreign, ...wished].map(({ runId }) => runId).toSorted());
    });
  });
}

/** Faults of clouds that drivers get over (jobs.md 10.4). */
export function computeFaults(name: string, open: () => Promise<FaultySubject>): void {
  describe(`compute with faults: ${name}`, () => {
    let subject: FaultySubject;
    let provider: ComputeProvider;
    let server: CloudServer;

    beforeAll(async () => {
      subject = await open();
      ({ provider, server } = subject);
    });
    afterEach(async () => {
      server.heal();
      await endAll(subject);
    });
    afterAll(() => subject?.close());

    test('jobs.md 10.4: an answer that was lost has made one machine', async () => {
      server.fail('create', 'lost');
      await provider.ensureInstance(wish(subject), call);
      expect(await server.machines()).toHaveLength(1);
    });

    test('jobs.md 13: a call that succeeds after its time-out is found again, by its run and by its tags', async () => {
      const wished = wish(subject);
      server.fail('create', 'silent');
      const timeoutMs = subject.startMs ?? 1_000;
      const late = provider.ensureInstance(wished, { timeoutMs });
      await expect(late).rejects.toMatchObject({ code: 'timeout', transient: true });
      expect(await server.machines()).toHaveLength(1);
      expect(await provider.listByTag(wished.tags, call)).toMatchObject([{ runId: wished.runId }]);
      await provider.ensureInstance(wished, call);
      expect(await server.machines()).toHaveLength(1);
    });

    test('jobs.md 9: too many calls and outages pass by themselves, if they do not last', async () => {
      server.fail('create', server.refusals.unavailable);
      server.fail('list', server.refusals.unavailable);
      const { ref } = await provider.ensureInstance(wish(subject), call);
      server.fail('delete', server.refusals.unavailable);
      await provider.terminate(ref, call);
      expect(await server.machines()).toEqual([]);
    });

    test.each([
      ['throttled', true],
      ['unavailable', true],
      ['quota', false],
      ['denied', false],
    ] as const)('jobs.md 10.1: %s is told by its code', async (code, transient) => {
      server.fail('create', server.refusals[code], 10);
      const failed = provider.ensureInstance(wish(subject), call);
      await expect(failed).rejects.toMatchObject({ name: 'ProviderError', code, transient });
    });

    test('jobs.md 10.4: what was just made is not seen yet: it is waited for, and made once', async () => {
      const wished = wish(subject);
      server.pace.seenAfter = 3;
      const made = await provider.ensureInstance(wished, call);
      expect(await provider.describe(made.ref, call)).toMatchObject({ runId: wished.runId });
      expect(await server.machines()).toHaveLength(1);
    });

    test('jobs.md 10.4: nobody else ends with us: a copy by hand carries our tags and is left alone', async () => {
      const wished = wish(subject);
      const made = await provider.ensureInstance(wished, call);
      await server.copy(wished.runId);
      expect(await provider.listByTag({}, call)).toHaveLength(1);
      expect(await provider.ensureInstance(wished, call)).toMatchObject({ ref: made.ref });
      await provider.terminate(made.ref, call);
      expect(await server.machines()).toHaveLength(1);
      expect(await provider.listByTag({}, call)).toEqual([]);
      await server.clear();
    });

    test('jobs.md 13: what a termination that was cut off has left goes with its job', async () => {
      const wished = wish(subject);
      const { ref } = await provider.ensureInstance(wished, call);
      server.fail('other', server.refusals.unavailable, 10);
      await provider.terminate(ref, call).catch(() => undefined);
      server.heal();
      await provider.forget(wished.tags.job, call);
      await provider.terminate(ref, call);
      expect(await server.leftovers()).toEqual([]);
    });

    test('jobs.md 10.1: the signal of the caller ends a call', async () => {
      server.fail('list', 'silent');
      const gone = new Error('gone');
      const signal = AbortSignal.timeout(200);
      const aborted = provider.listByTag({}, { ...call, signal });
      await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' });
      await expect(
        provider.listByTag({}, { ...call, signal: AbortSignal.abort(gone) }),
      ).rejects.toBe(gone);
    });
  });
}
