// backends.md 13: the alerts of the chart, read and played by Prometheus itself.
import { requireProgram, runCommand } from '@glacis/testbed/cluster';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartFolder } from './chart.js';

const cases = fileURLToPath(new URL('./chart-alerts.yaml', import.meta.url));

test('promtool takes the rules, and they fire when they should', async () => {
  const promtool = await requireProgram('promtool', 'prometheus');
  const rules = join(chartFolder, 'files/alerts.yaml');
  expect(await runCommand(promtool, ['check', 'rules', rules])).toMatch(/SUCCESS: \d+ rules found/);
  expect(await runCommand(promtool, ['test', 'rules', cases])).toContain('SUCCESS');
});
