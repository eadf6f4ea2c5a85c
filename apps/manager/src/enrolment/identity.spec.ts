import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IdentityStore, type Identity } from './identity.js';

const script = fileURLToPath(new URL('../../test/write-identity.mjs', import.meta.url));
const killAt = new URL('../../test/kill-at.mjs', import.meta.url).href;

const identityOf = (text: string): Identity => ({
  ca: text,
  cert: text,
  key: text,
  server: text,
  enrolledBy: text,
});

/** Writes in a process of its own that dies before its `step`-th change of a file. True: it got through. */
function write(folder: string, text: string, step: number): Promise<boolean> {
  const env = { ...process.env, KILL_FOLDER: folder, KILL_AT: String(step) };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', killAt, script, folder, text],
      { env },
      (error, _, told) => {
        if (error === null) resolve(true);
        else if (error.signal === 'SIGKILL') resolve(false);
        else reject(new Error(told));
      },
    );
  });
}

it('backends.md 16.12: an identity killed at any change of its files is the old one or the new one, whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-identity-'));
  const store = new IdentityStore(folder);
  await store.write(identityOf('old'));
  const seen: string[] = [];
  for (let step = 1, done = false; !done; step += 1) {
    done = await write(folder, 'new', step);
    const { ca, ...rest } = (await store.read()) as Identity;
    expect(rest).toEqual({ cert: ca, key: ca, server: ca, enrolledBy: ca });
    seen.push(ca);
  }
  expect(seen).toEqual(seen.toSorted().toReversed());
  expect(new Set(seen)).toEqual(new Set(['old', 'new']));
  expect(seen.length).toBeGreaterThan(12);
  await rm(folder, { recursive: true });
});
