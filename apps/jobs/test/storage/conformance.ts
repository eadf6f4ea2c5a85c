import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { ManualClock } from '@glacis/runtime';
import { bucketName, inputKey, ownerDir, policyKey, resultKey } from '../../src/storage/names.js';
import type {
  BucketTags,
  SignedUpload,
  StorageProvider,
  StoredObject,
} from '../../src/storage/storage-provider.js';
import { sweep } from '../../src/storage/sweep.js';

/** A provider, and how far it can hold an upload to the rules (jobs.md 6.2). */
export interface Subject {
  provider: StorageProvider;
  /** Signs, and then uses what was signed two hours later, as the server sees it. */
  expired<T>(sign: () => Promise<T>, use: (signed: T) => Promise<void>): Promise<void>;
  /** What a good PUT is answered. */
  stored: number;
  /** Public key of in-buckets, where the provider seals to it. */
  sealKey: string | null;
  /** False: a plain link takes a second object, which is not the version that counts. */
  plainIsCreateOnly: boolean;
  /** False: what is too long is stored and then swept. */
  capsPlain: boolean;
  /** False: nor can the strict link be held to the length that was declared. */
  capsStrict: boolean;
  /** False: what is stored after the freeze is not the version that counts. */
  freezes: boolean;
  close(): Promise<void>;
}

/** For servers whose time is that of the machine, and links that are signed by another clock. */
export function signedInThePast(clock: ManualClock): Subject['expired'] {
  return async (sign, use) => {
    clock.advance(-2 * hourMs);
    const signed = await sign();
    clock.advance(2 * hourMs);
    await use(signed);
  };
}

const call = { timeoutMs: 30_000 };
const hourMs = 3_600_000;
const expiresIn = 3600;
const maxBytes = 1000;

/** A browser's or QueryShield's PUT, with a body of one letter so many times. */
async function put(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<number> {
  const answer = await fetch(url, { method: 'PUT', headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

const plainHeaders = { 'content-type': 'text/csv', 'x-ms-blob-type': 'BlockBlob' };
const plain = ({ plainUrl }: SignedUpload, body: string): Promise<number> =>
  put(plainUrl, plainHeaders, body);
const strict = ({ url, headers }: SignedUpload, body: string): Promise<number> =>
  put(url, headers, body);

/** A page cannot name the length itself: it is that of the body. */
const without = (headers: Readonly<Record<string, string>>): Record<string, string> => {
  const { 'content-length': _, ...others } = headers;
  return others;
};

const isRefused = (status: number): boolean => status >= 400 && status < 500;

/** The rules of jobs.md 6 that every driver keeps, in front of a real server or a stand-in. */
export function storageConformance(name: string, open: () => Promise<Subject>): void {
  describe(`storage: ${name}`, () => {
    let subject: Subject;
    let provider: StorageProvider;
    const job = randomUUID();
    const dir = ownerDir(job, 'an owner');
    let party = 0;
    const tags = (): BucketTags => ({
      job,
      party,
      attempt: 1,
      expires: new Date(Math.ceil(Date.now() / 1000) * 1000 + 24 * hourMs),
    });

    /** A bucket of its own for a test. */
    async function bucket(direction: 'in' | 'out' = 'in'): Promise<string> {
      party += 1;
      const name = bucketName('glacis', direction, job, party);
      const sealKey = direction === 'in' ? subject.sealKey : null;
      await provider.createBucket({ name, tags: tags(), sealKey }, call);
      return name;
    }

    const sign = (name: string, key: string, bytes?: number): Promise<SignedUpload> =>
      provider.signUpload({ bucket: name, key, expiresIn, maxBytes, bytes }, call);
    const list = (name: string): Promise<StoredObject[]> => provider.list(name, '', call);

    beforeAll(async () => {
      subject = await open();
      ({ provider } = subject);
    });

    afterAll(async () => {
      await subject?.close();
    });

    test('jobs.md 9: a bucket that exists with equal tags counts as made, another is refused', async () => {
      party += 1;
      const made = {
        name: bucketName('glacis', 'in', job, party),
        tags: tags(),
        sealKey: subject.sealKey,
      };
      await provider.createBucket(made, call);
      await provider.createBucket(made, call);
      const foreign = { ...made, tags: { ...made.tags, job: randomUUID() } };
      await expect(provider.createBucket(foreign, call)).rejects.toMatchObject({ code: 'exists' });
    });

    test('jobs.md 6.2: a plain link takes a PUT of text/csv, and the object is listed with its size', async () => {
      const name = await bucket();
      const key = inputKey(dir, 1, 'data');
      expect(await plain(await sign(name, key), 'a,b\n1,2\n')).toBe(subject.stored);
      const [object, ...others] = await list(name);
      expect(others).toEqual([]);
      expect(object).toMatchObject({ bucket: name, key, size: 8 });
      expect(object?.version).toMatch(/./);
      expect(await provider.list(name, ownerDir(job, 'another'), call)).toEqual([]);
    });

    test('jobs.md 6.2: names of tables with spaces, dots and dashes are keys', async () => {
      const name = await bucket();
      const keys = ['a table', 'a.b', 'A-b_c', `t${'x'.repeat(63)}`].map((table) =>
        inputKey(dir, 1, table),
      );
      for (const key of keys) expect(await plain(await sign(name, key), 'x')).toBe(subject.stored);
      expect((await list(name)).map(({ key }) => key)).toEqual(keys.toSorted());
    });

    test('jobs.md 6.2: create-only: the strict link stores once, and of two at once one', async () => {
      const name = await bucket();
      const key = inputKey(dir, 1, 'data');
      const upload = await sign(name, key, 5);
      const statuses = await Promise.all([strict(upload, 'first'), strict(upload, 'other')]);
      expect(statuses.filter((status) => status === subject.stored)).toHaveLength(1);
      expect(statuses.filter(isRefused)).toHaveLength(1);
      const before = await list(name);
      expect(isRefused(await strict(upload, 'later'))).toBe(true);
      expect(await list(name)).toEqual(before);
    });

    test('jobs.md 6.2: create-only: what comes later by the plain link never counts', async () => {
      const name = await bucket();
      const upload = await sign(name, inputKey(dir, 1, 'data'));
      expect(await plain(upload, 'first')).toBe(subject.stored);
      const before = await list(name);
      const again = await plain(upload, 'the second one');
      if (subject.plainIsCreateOnly) expect(isRefused(again)).toBe(true);
      expect(await list(name)).toEqual(before);
    });

    test('jobs.md 13: a link to write cannot read, and nothing of it can be changed', async () => {
      const name = await bucket();
      const { plainUrl } = await sign(name, inputKey(dir, 1, 'data'));
      expect(await put(plainUrl, plainHeaders, 'x')).toBe(subject.stored);
      const { plainUrl: fresh } = await sign(name, inputKey(dir, 2, 'data'));
      const changed = [
        fresh.replace('/0002/', '/0003/'),
        fresh.replace(
          /(ature=|sig=)(.)/,
          (_, start: string, c: string) => start + (c === 'a' ? 'b' : 'a'),
        ),
        fresh.replace(/((Expires|se)=)[^&]*/, '$12099-01-01T00%3A00%3A00Z'),
      ];
      for (const url of changed) {
        expect(url).not.toBe(fresh);
        expect(isRefused(await put(url, plainHeaders, 'x'))).toBe(true);
      }
      const read = await fetch(plainUrl);
      expect(isRefused(read.status)).toBe(true);
      expect(await read.text()).not.toBe('x');
      expect(await list(name)).toHaveLength(1);
    });

    test('jobs.md 6.2: a link is good for its time and no longer', async () => {
      const name = await bucket();
      await subject.expired(
        () => sign(name, inputKey(dir, 1, 'data')),
        async (upload) => {
          expect(isRefused(await plain(upload, 'x'))).toBe(true);
          expect(isRefused(await strict(upload, 'x'))).toBe(true);
        },
      );
      expect(await list(name)).toEqual([]);
    });

    test('jobs.md 6.2: what is too long is refused or swept, and the link stays usable', async () => {
      const name = await bucket();
      const upload = await sign(name, inputKey(dir, 1, 'data'));
      const status = await plain(upload, 'x'.repeat(maxBytes + 1));
      if (subject.capsPlain) expect(isRefused(status)).toBe(true);
      const gone = await sweep(provider, name, maxBytes, call);
      expect(gone).toHaveLength(subject.capsPlain ? 0 : 1);
      expect(await list(name)).toEqual([]);
      expect(await plain(upload, 'x'.repeat(maxBytes))).toBe(subject.stored);
      expect(await list(name)).toMatchObject([{ size: maxBytes }]);
    });

    test('jobs.md 6.2: a declared length is signed where the provider can', async () => {
      const name = await bucket();
      const upload = await sign(name, inputKey(dir, 1, 'data'), 5);
      const tooLong = await strict({ ...upload, headers: without(upload.headers) }, '123456');
      expect(isRefused(tooLong)).toBe(subject.capsStrict);
      if (subject.capsStrict) expect(await strict(upload, '12345')).toBe(subject.stored);
    });

    test('jobs.md 6.2: after the freeze nothing is added to what counts, until it is lifted', async () => {
      const name = await bucket();
      const first = await sign(name, inputKey(dir, 1, 'data'));
      const second = await sign(name, inputKey(dir, 2, 'data'));
      expect(await plain(first, 'first')).toBe(subject.stored);
      await provider.freeze(name, call);
      await provider.freeze(name, call);
      const pins = await list(name);
      expect(pins).toHaveLength(1);
      if (subject.freezes) {
        expect(isRefused(await plain(second, 'late'))).toBe(true);
        expect(await list(name)).toEqual(pins);
      }
      await provider.unfreeze(name, call);
      await provider.unfreeze(name, call);
      expect(await plain(await sign(name, inputKey(dir, 3, 'data')), 'x')).toBe(subject.stored);
      expect(await list(name)).toContainEqual(pins[0]);
    });

    test('jobs.md 6.2: the pinned version is read and no other, where the coordinator may read', async () => {
      const name = await bucket();
      const upload = await sign(name, inputKey(dir, 1, 'data'));
      await plain(upload, 'first');
      const [pin] = await list(name);
      await plain(upload, 'other');
      const reading = provider.read(pin!, call);
      if (provider.isolation === 'account') {
        await expect(reading).rejects.toMatchObject({ code: 'denied' });
        return;
      }
      const { size, stream } = await reading;
      const bytes = await buffer(stream);
      expect(bytes).toHaveLength(size);
      if (subject.sealKey === null) expect(bytes.toString()).toBe('first');
      await provider.deleteObject(pin!, call);
      await expect(provider.read(pin!, call)).rejects.toMatchObject({ name: 'ProviderError' });
    });

    test('jobs.md 8.1: the coordinator stores a policy once', async () => {
      const name = await bucket();
      const own = { body: [Buffer.from('{}')], maxBytes: 2 };
      const object = { bucket: name, key: policyKey(dir, 1), ...own };
      await provider.put(object, call);
      await expect(provider.put(object, call)).rejects.toMatchObject({ code: 'exists' });
      expect(await list(name)).toMatchObject([{ key: object.key, size: 2 }]);
    });

    test('jobs.md 6.3: a result is read by its link, and by no other verb', async () => {
      const name = await bucket('out');
      const key = resultKey(1);
      const body = [Buffer.from('[n]_0\n'), Buffer.from('5\n')];
      await provider.put({ bucket: name, key, body, maxBytes: 100 }, call);
      const url = await provider.signRead({ bucket: name, key, expiresIn }, call);
      const input = { bucket: await bucket(), key, expiresIn };
      await expect(provider.signRead(input, call)).rejects.toMatchObject({ code: 'invalid' });
      expect(await (await fetch(url)).text()).toBe('[n]_0\n5\n');
      expect(isRefused(await put(url, plainHeaders, 'x'))).toBe(true);
      await subject.expired(
        () => provider.signRead({ bucket: name, key, expiresIn }, call),
        async (old) => expect(isRefused((await fetch(old)).status)).toBe(true),
      );
    });

    test('jobs.md 3: an object is deleted with all its versions, and one that is not there counts as deleted', async () => {
      const name = await bucket();
      const object = { bucket: name, key: inputKey(dir, 1, 'data') };
      const upload = await sign(name, object.key);
      await plain(upload, 'one');
      if (!subject.plainIsCreateOnly) await plain(upload, 'two');
      await provider.deleteObject(object, call);
      await provider.deleteObject(object, call);
      expect(await list(name)).toEqual([]);
    });

    test('jobs.md 9: buckets are found by their tags and deleted with what is in them', async () => {
      const name = await bucket();
      const upload = await sign(name, inputKey(dir, 1, 'data'));
      await plain(upload, 'x');
      if (!subject.plainIsCreateOnly) await plain(upload, 'y');
      const found = await provider.listByTag({ job }, call);
      const own = found.find((each) => each.name === name);
      expect(own?.tags).toMatchObject({ job, party, attempt: 1 });
      expect(own?.tags.expires.getTime()).toBeGreaterThan(Date.now());
      expect(await provider.listByTag({ job: randomUUID() }, call)).toEqual([]);
      for (const each of found) await provider.deleteBucket(each.name, call);
      await provider.deleteBucket(name, call);
      expect(await provider.listByTag({ job }, call)).toEqual([]);
      expect(isRefused(await plain(upload, 'z'))).toBe(true);
    });

    test('jobs.md 10.1: failures have a code, a call ends when it is told to, and neither names a secret', async () => {
      const missing = bucketName('glacis', 'in', randomUUID(), 0);
      const failed = list(missing);
      await expect(failed).rejects.toMatchObject({ name: 'ProviderError', code: 'not_found' });
      await expect(failed).rejects.not.toThrow(/http|Signature|AKIA|sig=/);
      const stopped = { ...call, signal: AbortSignal.abort() };
      await expect(provider.listByTag({}, stopped)).rejects.toThrow(/./);
      await provider.deleteBucket(missing, call);
    });
  });
}
