import { main } from '@glacis/cli';
import { temporaryFolder } from '@glacis/testbed';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningSuite } from './running-suite.js';

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** The verbs of Apps (`graph-apps.md` 8) on a suite that runs without a cluster. */
export function appsWay(suite: () => RunningSuite): void {
  let file: string;

  beforeAll(async () => {
    file = join(await temporaryFolder(), 'graph.yaml');
  });

  async function glacis(...argv: string[]): Promise<Ran> {
    const { door, tokenFile } = suite();
    let out = '';
    let err = '';
    const code = await main(['--server', door, '--token-file', tokenFile, 'app', ...argv], {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    });
    return { code, out, err };
  }

  /** A graph of one component, written as people do. */
  const write = (more = ''): Promise<void> =>
    writeFile(
      file,
      `apiVersion: rampart.petuum.com/v1beta2
kind: RampartGraph
metadata: { name: verbs, namespace: team }
spec:
  graph:
    components:
      one:
        chart: { repo: "https://charts.example.org", name: worker, version: 1.0.0 }
        config: {}
        inputs: {}
        outputs: {}
${more}
    flows: {}
`,
    );

  it('the example of the README is saved as it stands', async () => {
    const example = new URL('../../../examples/graphs/graph.yaml', import.meta.url);
    const saved = await glacis('save', '-f', fileURLToPath(example));
    expect(saved).toMatchObject({ code: 0, out: expect.stringContaining('default_relay') });
    expect(await glacis('versions', 'default_relay')).toMatchObject({ code: 0 });
  });

  it('app save makes an App, then versions of it', async () => {
    await write();
    const first = await glacis('save', '-f', file, '--notes', 'the first');
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/appId +team_verbs/) });
    await write('        type: batch-executor');
    expect(await glacis('save', '-f', file)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/versionId +2/),
    });
    const listed = await glacis('list');
    expect(listed.out).toMatch(/team_verbs +0 +2 /);
    const versions = await glacis('versions', 'team_verbs');
    expect(versions.out).toMatch(/1 .* the first/);
  });

  it('app diff names what was changed', async () => {
    const { code, out } = await glacis('diff', 'team_verbs', '1', '2', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ equal: false, components: { added: [], removed: [] } });
  });

  it('app notes, held back by --if-match when the App has changed', async () => {
    const set = await glacis('notes', 'team_verbs', '2', 'larger');
    expect(set).toMatchObject({ code: 0, err: '' });
    const late = await glacis('notes', 'team_verbs', '2', 'late', '--if-match', '"1"');
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('glacis: ')]);
    expect((await glacis('versions', 'team_verbs')).out).toMatch(/2 .* larger/);
  });

  it('coded errors stand on a line each; deploying without a cluster is refused with the reason', async () => {
    await write('        needs: [nobody, one]');
    const { code, err } = await glacis('save', '-f', file);
    const codes = err
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect([code, codes.toSorted()]).toEqual([1, ['NEEDS_SELF', 'NEEDS_UNKNOWN']]);
    const deployed = await glacis('deploy', 'team_verbs', '1');
    expect([deployed.code, deployed.err]).toEqual([1, expect.stringContaining('KUBECONFIG')]);
  });
}
