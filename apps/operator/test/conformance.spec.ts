import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const fixtures = join(root, 'conformance/fixtures');

interface Case {
  id: string;
  expected: { admission: string; admissionCodes: string[] };
}

function conformance(...files: string[]): { status: number | null; lines: string[] } {
  const command = join(root, 'conformance/run.mjs');
  const { status, stdout } = spawnSync(process.execPath, [command, ...files], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

describe('graph-apps.md 9: conformance with Rampart', () => {
  test('every recorded case passes or is stricter by a listed rule', () => {
    const { status, lines } = conformance();
    expect(lines.at(-1)).toMatch(/^\d{3} passed, 0 failed$/);
    expect(status).toBe(0);
    const stricter = lines.filter((line) => line.startsWith('stricter'));
    expect(stricter.map((line) => /^stricter {2}(\S+): .+, by (\S+)/.exec(line)?.slice(1))).toEqual(
      [
        ['no-namespace-in-request', 'NAMESPACE_MISSING'],
        ['original-crash-unknown-need', 'NEEDS_UNKNOWN'],
        ['b1-to-b2-overwrites-deploy', '5.3'],
        ['b2-to-b1-drops-deploy', '5.3'],
        ['unknown-source-version', '5.3'],
        ['unknown-target-version', '5.3'],
        ['existing-lists', '5.4,'],
        ['same-env-name-other-value', '5.4,'],
        ['two-containers-and-init', '5.4,'],
        ['gpu-nodes-cpu-limits-are-lost', '5.4'],
      ],
    );
  });

  test('a verdict that no rule explains fails, with its id and both verdicts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    try {
      const cases = JSON.parse(
        readFileSync(join(fixtures, 'validation-upstream.json'), 'utf8'),
      ) as Case[];
      const legal = cases.find(({ id }) => id === 'gp-config-03')!;
      legal.expected.admission = 'deny';
      legal.expected.admissionCodes = ['NAME_DUP'];
      const file = join(folder, 'cases.json');
      writeFileSync(file, JSON.stringify([legal, { id: 'odd' }]));
      const { status, lines } = conformance(file);
      expect(lines).toEqual([
        'failed    gp-config-03: recorded {"admission":"deny","admissionCodes":["NAME_DUP"]}, ' +
          'ours {"admission":"allow","admissionCodes":[]}',
        'failed    odd: recorded "a case", ours "no known form"',
        '0 passed, 2 failed',
      ]);
      expect(status).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
