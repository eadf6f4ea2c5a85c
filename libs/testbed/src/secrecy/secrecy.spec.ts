import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { temporaryFolder } from '../temporary-folder.js';
import { SecretSearch } from './search.js';

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** Of each kind one, as it could be printed. */
const secrets: Readonly<Record<string, string>> = {
  'a token': `eyJhbGciOiJFZERTQSJ9.eyJzdWIi${random(20)}.${random(64)}`,
  'a signed link': `http://127.0.0.1/storage/b/k?X-Glacis-Op=put&X-Glacis-Signature=${randomBytes(32).toString('hex')}`,
  'a claim': `/ui/jobs/1/share#claim=${random(32)}`,
  'a private key': `-----BEGIN PRIVATE KEY-----\n${randomBytes(48).toString('base64')}\n`,
};

function found(...pieces: (string | Uint8Array)[]): string[] {
  const kinds: string[] = [];
  const search = new SecretSearch((kind) => kinds.push(kind));
  for (const piece of pieces) search.add(piece);
  return kinds;
}

describe('the search for secrets', () => {
  test.each(Object.entries(secrets))('%s is found once, wherever it is cut', (kind, secret) => {
    fc.assert(
      fc.property(fc.string(), fc.nat(secret.length), fc.string(), (before, cut, after) => {
        const [head, tail] = [secret.slice(0, cut), secret.slice(cut)];
        expect(found(`${before} ${head}`, Buffer.from(`${tail} ${after}`), secret)).toEqual([kind]);
      }),
    );
  });

  test('a key in JSON is found, and names of secrets alone are none', () => {
    expect(found(JSON.stringify({ key: secrets['a private key'] }))).toEqual(['a private key']);
    const names =
      'Bearer <token>, eyJ…, X-Glacis-Signature=<hex>, ?claim=, -----BEGIN PRIVATE KEY----- …';
    expect(found(names, random(64), randomBytes(64).toString('hex'))).toEqual([]);
  });
});

describe('a run of Jest', () => {
  const jest = join(
    dirname(createRequire(import.meta.url).resolve('jest/package.json')),
    'bin/jest.js',
  );
  const built = (file: string): string =>
    fileURLToPath(new URL(`../../dist/secrecy/${file}`, import.meta.url));

  /** Of files with one test each, that holds the body. */
  async function run(...bodies: string[]): Promise<{ code: number | null; told: string }> {
    const folder = await temporaryFolder();
    const program = join(folder, 'apps/one/dist/main.js');
    await mkdir(dirname(program), { recursive: true });
    await writeFile(program, 'console.log(process.argv[2]);');
    const config = {
      reporters: ['default', built('reporter.js')],
      setupFiles: [built('watch-programs.js')],
      globals: { program },
    };
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'jest.config.json'), JSON.stringify(config));
    const files = bodies.map((body, i) =>
      writeFile(join(folder, `${i}.test.js`), `test('', async () => { ${body} });`),
    );
    await Promise.all(files);
    const args = ['--experimental-vm-modules', jest, '--ci', '--maxWorkers=2', '--cache=false'];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, told: stdout + stderr };
  }

  const printing = (secret = ''): string => `process.stdout.write(${JSON.stringify(secret)});`;
  /** Nobody reads what it prints. */
  const starting = (secret = ''): string =>
    `const { spawn } = await import('node:child_process');
     const child = spawn(process.execPath, [program, ${JSON.stringify(secret)}]);
     await new Promise((resolve) => child.once('close', resolve));`;
  const [token, claim] = [secrets['a token'], secrets['a claim']];

  test('without a secret passes', async () => {
    expect(await run(printing('x'), starting('x'))).toMatchObject({ code: 0 });
  });

  test.each([
    ['in a process of its own', [printing(token), '']],
    ['in that of Jest', [printing(token)]],
  ])('whose tests print one fails: %s', async (_, bodies) => {
    const { code, told } = await run(...bodies);
    expect(code).toBe(1);
    expect(told).toContain('the output of this run holds a token');
  });

  test('whose programs print one fails, and tells of the program and not of the secret', async () => {
    const { code, told } = await run(starting('x'), starting(claim));
    expect(code).toBe(1);
    expect(told).toMatch(/program: a claim, by \S+apps\/one\/dist\/main\.js/);
    expect(told).toContain('the output of this run holds a secret that a program printed');
    expect(told).not.toContain(claim);
  });
});
