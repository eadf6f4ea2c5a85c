import { logLine } from './log-line.js';

test('graph-apps.md 4.12: a log line has the tokens that panels search for, and is one line', () => {
  const time = new Date('2026-11-22T01:02:03.004Z');
  const line = logLine(time, { namespace: 'ns', name: 'g' }, 'Deployment', 'two\nlines "quoted"');
  expect(line).toBe(
    '2026-11-22T01:02:03.004Z: graph_namespace=ns graph_name=g phase=Deployment : message="two\\nlines \\"quoted\\""',
  );
});
