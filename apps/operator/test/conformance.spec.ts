import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const fixtures = join(root, 'conformance/fixtures');

interface Verdict {
  admission: string;
  admissionCodes: string[];
  controller: string;
  controllerCodes: string[];
}

interface Case {
  id: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  spec: any;
  expected: Verdict & { schema: string; mounts?: unknown };
}

interface Outcome {
  status: number | null;
  lines: string[];
}

function conformance(...files: string[]): Outcome {
  const command = join(root, 'conformance/run.mjs');
  const { status, stdout } = spawnSync(process.execPath, [command, ...files], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

function conformanceOf(cases: object[]): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const file = join(folder, 'cases.json');
    writeFileSync(file, JSON.stringify(cases));
    return conformance(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A legal case under another id, to be changed. */
function legalCase(id: string): Case {
  const text = readFileSync(join(fixtures, 'validation-upstream.json'), 'utf8');
  return { ...(JSON.parse(text) as Case[]).find((each) => each.id === 'gp-config-03')!, id };
}

/** The rules by which each case that differs is stricter. */
function stricter({ lines }: Outcome): (string[] | undefined)[] {
  const differing = lines.filter((line) => line.startsWith('stricter'));
  return differing.map((line) => /^stricter {2}(\S+): .+, by (\S+)/.exec(line)?.slice(1));
}

describe('graph-apps.md 9: conformance with Rampart', () => {
  test('every recorded case passes or is stricter by a listed rule', () => {
    const outcome = conformance();
    expect(outcome.lines.at(-1)).toMatch(/^\d{3} passed, 0 failed$/);
    expect(outcome.status).toBe(0);
    expect(stricter(outcome)).toEqual([
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
    ]);
  });

  test('9.2: what Rampart let pass or crashed on is refused by its rule', () => {
    const changes: [string, (component: Case['spec'], graph: Case['spec']) => void][] = [
      ['NEEDS_SELF', (component) => (component.needs = ['component1'])],
      ['NEEDS_UNKNOWN', (component) => (component.needs = ['none'])],
      ['MOUNT_INVALID', (component) => (component.inputs.input1.config = { mountPath: '/a/../b' })],
      ['SIZE_INVALID', (_, { flows }) => (flows.flow1.config.size = 'big')],
      ['SCHEMA', (component) => (component.inputs[''] = component.inputs.input1)],
      ['SCHEMA', (component) => (component.chart = 'text')],
      ['SCHEMA', (component) => (component.chart.version = 'latest-1')],
    ];
    const cases = changes.map(([rule, change], index) => {
      const each = legalCase(`${rule}-${index}`);
      change(each.spec.graph.components.component1, each.spec.graph);
      return each;
    });
    const outcome = conformanceOf(cases);
    expect(stricter(outcome)).toEqual(changes.map(([rule], index) => [`${rule}-${index}`, rule]));
    expect(outcome.lines.at(-1)).toBe('7 passed, 0 failed');
  });

  test('a verdict that no rule explains fails, with its id and both verdicts', () => {
    const legal = legalCase('legal');
    Object.assign(legal.expected, { admission: 'deny', admissionCodes: ['NAME_DUP'] });
    const { status, lines } = conformanceOf([legal, { id: 'odd' }]);
    expect(lines).toEqual([
      'failed    legal: recorded {"admission":"deny","admissionCodes":["NAME_DUP"]}, ' +
        'ours {"admission":"allow","admissionCodes":[]}',
      'failed    odd: recorded "a case", ours "no known form"',
      '0 passed, 2 failed',
    ]);
    expect(status).toBe(1);
  });
});
