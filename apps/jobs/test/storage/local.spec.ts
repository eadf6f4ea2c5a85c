import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { seal, unseal, x25519KeyPair } from '@glacis/shares';
import { bucketName, inputKey, ownerDir } from '../../src/storage/names.js';
import type { StoredObject } from '../../src/storage/storage-provider.js';
import { signedInThePast, storageConformance } from './conformance.js';
import { openLocal, type LocalStand } from './local-stand.js';

const pair = await x25519KeyPair();
const call = { timeoutMs: 10_000 };
const csv = { 'content-type': 'text/csv' };

storageConformance('local', async () => {
  const stand = await openLocal();
  return {
    provider: stand.providers.of('aws'),
    expired: signedInThePast(stand.clock),
    stored: 200,
    sealKey: pair.publicKey,
    plainIsCreateOnly: true,
    capsPlain: true,
    capsStrict: true,
    freezes: true,
    close: () => stand.close(),
  };
});

storageConformance('local, in the name of azure, without a key', async () => {
  const stand = await openLocal();
  return {
    provider: stand.providers.of('azure'),
    expired: signedInThePast(stand.clock),
    stored: 201,
    sealKey: null,
    plainIsCreateOnly: true,
    capsPlain: true,
    capsStrict: true,
    freezes: true,
    close: () => stand.close(),
  };
});

describe('local buckets', () => {
  let stand: LocalStand;
  const job = randomUUID();
  let party = 0;

  beforeAll(async () => {
    stand = await openLocal();
  });

  afterAll(() => stand.close());

  async function bucket(): Promise<string> {
    party += 1;
    const name = bucketName('glacis', 'in', job, party);
    const expires = new Date(Date.now() + 86_400_000);
    const tags = { job, party, attempt: 1, expires };
    await stand.providers.of('gcp').createBucket({ name, tags, sealKey: pair.publicKey }, call);
    return name;
  }

  const keyOf = (set: number): string => inputKey(ownerDir(job, 'o'), set, 'data');

  async function link(name: string, { key = keyOf(1), maxBytes = 1 << 20 } = {}): Promise<string> {
    const upload = { bucket: name, key, maxBytes, expiresIn: 3600 };
    return (await stand.providers.of('gcp').signUpload(upload, call)).plainUrl;
  }

  const list = (name: string): Promise<StoredObject[]> =>
    stand.providers.of('gcp').list(name, '', call);

  /** The object as the agent of the party reads it. */
  async function opened(name: string, object: StoredObject): Promise<Buffer> {
    const handle = await stand.buckets.openObject(name, object.key, object.version);
    const parts: Uint8Array[] = [];
    for await (const part of unseal(pair.privateKey)(handle.createReadStream())) parts.push(part);
    return Buffer.concat(parts);
  }

  const incoming = (name: string): Promise<string[]> =>
    readdir(join(stand.folder, name, 'incoming'));

  test('jobs.md 6.3: what lies in an in-bucket is sealed, and its agent opens it', async () => {
    const name = await bucket();
    const body = Buffer.alloc(200_000, 'secret,');
    const answer = await fetch(await link(name), { method: 'PUT', headers: csv, body });
    expect(answer.status).toBe(200);
    const [object] = await list(name);
    expect(answer.headers.get('etag')).toBe(object!.etag);
    expect(object!.size).toBe(body.length);
    expect(await opened(name, object!)).toEqual(body);
    const files = await readdir(join(stand.folder, name), { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) {
      const bytes = await readFile(join(file.parentPath, file.name));
      expect(bytes.includes('secret,')).toBe(false);
    }
  });

  test('jobs.md 6.3: an object that its owner has sealed is kept as it came', async () => {
    const name = await bucket();
    const parts: Uint8Array[] = [];
    for await (const part of seal(pair.publicKey)([Buffer.alloc(1000, 'y')])) parts.push(part);
    const headers = { 'content-type': 'application/vnd.glacis.sealed' };
    const url = await link(name, { maxBytes: 1000 });
    const body = Buffer.concat(parts);
    expect((await fetch(url, { method: 'PUT', headers, body })).status).toBe(200);
    const [object] = await list(name);
    expect(object!.size).toBe(1000);
    expect(await opened(name, object!)).toEqual(Buffer.alloc(1000, 'y'));
    const other = await link(name, { key: keyOf(2) });
    const plain = await fetch(other, { method: 'PUT', headers, body: 'not sealed' });
    expect(plain.status).toBe(409);
    expect(await incoming(name)).toEqual([]);
  });

  test('jobs.md 6.3: 412, 409, 413 and one 403', async () => {
    const name = await bucket();
    const url = await link(name, { maxBytes: 4 });
    const put = (to: string, body: string): Promise<Response> =>
      fetch(to, { method: 'PUT', headers: csv, body });
    expect((await put(url, '12345')).status).toBe(413);
    expect((await put(url, '1234')).status).toBe(200);
    expect((await put(url, '1234')).status).toBe(412);
    await stand.buckets.freeze(name);
    expect((await put(await link(name, { key: keyOf(2) }), 'x')).status).toBe(409);
    await stand.buckets.unfreeze(name);

    const unknown = await link(bucketName('glacis', 'in', randomUUID(), 0));
    const bad = [
      url.replace('X-Glacis-Op=put', 'X-Glacis-Op=get'),
      url.replace('MaxBytes=4', 'MaxBytes=5'),
      url.replace(/Signature=.*/, `Signature=${'0'.repeat(64)}`),
      url.replace(/&X-Glacis-Signature=.*/, ''),
      `${url}&more=1`,
      `${url}&X-Glacis-Signature=${'0'.repeat(64)}`,
      url.replace('/0001/', '/%30001/'),
      `${stand.url}/storage/x`,
      `${stand.url}/storage/../x/y`,
      unknown,
    ];
    const told = new Set<string>();
    for (const to of bad) {
      const answer = await put(to, 'x');
      const { code, title, status, detail } = (await answer.json()) as Record<string, unknown>;
      told.add(JSON.stringify([answer.status, code, title, status, detail]));
    }
    expect([...told].filter((each) => !each.startsWith('[404'))).toHaveLength(1);
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(405);
  });

  test('jobs.md 6.3: counted over the cap, or cut off: nothing is left behind, and the link stays usable', async () => {
    const name = await bucket();
    const url = await link(name, { maxBytes: 100_000 });
    const counted = request(url, { method: 'PUT', headers: csv });
    counted.on('error', () => undefined);
    counted.write(Buffer.alloc(60_000));
    counted.end(Buffer.alloc(60_000));
    const [answer] = (await once(counted, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBe(413);

    const headers = { ...csv, 'content-length': '90000' };
    const cut = request(url, { method: 'PUT', headers });
    cut.on('error', () => undefined);
    cut.write(Buffer.alloc(50_000));
    await waitFor(async () => (await incoming(name)).length === 1);
    cut.destroy();
    await waitFor(async () => (await incoming(name)).length === 0);
    expect(await list(name)).toEqual([]);
    expect((await fetch(url, { method: 'PUT', headers: csv, body: 'x' })).status).toBe(200);
    expect(/"level":"(warn|error)"/.test(stand.log())).toBe(false);
  });

  test('jobs.md 6.3: of ten uploads of one file at once exactly one is stored, and it is whole', async () => {
    const name = await bucket();
    const url = await link(name);
    const bodies = Array.from({ length: 10 }, (_, i) => Buffer.alloc(300_000, String(i)));
    const statuses = await Promise.all(
      bodies.map(async (body) => {
        const answer = await fetch(url, { method: 'PUT', headers: csv, body });
        return answer.status;
      }),
    );
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array<number>(9).fill(412)]);
    const [object] = await list(name);
    expect(await opened(name, object!)).toEqual(bodies[statuses.indexOf(200)]);
    expect(await incoming(name)).toEqual([]);
  });

  test('jobs.md 6.3: kill -9 in an upload leaves no object, and what it leaves goes after a while', async () => {
    const name = await bucket();
    const script = fileURLToPath(new URL('endless-upload.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, stand.folder, name, keyOf(1)]);
    const written = async (): Promise<boolean> => {
      const [file] = await incoming(name);
      if (file === undefined) return false;
      return (await stat(join(stand.folder, name, 'incoming', file))).size > 1_000_000;
    };
    await waitFor(written, { deadlineMs: 30_000 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await list(name)).toEqual([]);
    await stand.buckets.removeLeftovers(3_600_000);
    expect(await incoming(name)).toHaveLength(1);
    await stand.buckets.removeLeftovers(-1);
    expect(await incoming(name)).toEqual([]);
    const again = await fetch(await link(name), { method: 'PUT', headers: csv, body: 'x' });
    expect(again.status).toBe(200);
  });

  test('an upload that ends after the freeze is refused, however early it began', async () => {
    const name = await bucket();
    const slow = request(await link(name), { method: 'PUT', headers: csv });
    slow.write('the beginning');
    await waitFor(async () => (await incoming(name)).length === 1);
    await stand.buckets.freeze(name);
    slow.end('the end');
    const [answer] = (await once(slow, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBe(409);
    expect(await list(name)).toEqual([]);
  });

  test('an upload over a slow line is not cut off while bytes come', async () => {
    const hasty = await openLocal(200);
    try {
      const name = bucketName('glacis', 'in', job, 99);
      const tags = { job, party: 99, attempt: 1, expires: new Date() };
      const provider = hasty.providers.of('aws');
      await provider.createBucket({ name, tags, sealKey: null }, call);
      const upload = { bucket: name, key: 'x', maxBytes: 100, expiresIn: 60 };
      const { url } = await provider.signUpload(upload, call);
      const slow = request(url, { method: 'PUT', headers: csv });
      const begun = performance.now();
      slow.write('the beginning');
      await waitFor(() => performance.now() > begun + 600);
      slow.end('the end');
      const [answer] = (await once(slow, 'response')) as [{ statusCode: number; resume(): void }];
      answer.resume();
      expect(answer.statusCode).toBe(200);
    } finally {
      await hasty.close();
    }
  });

  test('jobs.md 6.1: any page may ask and put', async () => {
    const name = await bucket();
    const url = await link(name);
    const asked = await fetch(url, { method: 'OPTIONS' });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe('*');
    expect(asked.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(asked.headers.get('access-control-max-age')).toBe('3600');
    const done = await fetch(url, { method: 'PUT', headers: csv, body: 'x' });
    expect(done.headers.get('access-control-allow-origin')).toBe('*');
    expect((await fetch(url)).headers.get('access-control-allow-origin')).toBe('*');
  });

  test('jobs.md 12: no link stands in the log', async () => {
    const name = await bucket();
    await fetch(await link(name), { method: 'PUT', headers: csv, body: 'x' });
    await waitFor(() => stand.log().includes(`/storage/${name}`));
    expect(/X-Glacis-Signature=[0-9a-f]/.test(stand.log())).toBe(false);
  });

  test('a pin is of one version: the next object of the key is another', async () => {
    const name = await bucket();
    await fetch(await link(name), { method: 'PUT', headers: csv, body: 'x' });
    const [object] = await list(name);
    const other = { ...object!, version: '0-0' };
    await expect(opened(name, other)).rejects.toMatchObject({ code: 'not_found' });
    await expect(opened(name, { ...object!, key: keyOf(9) })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
