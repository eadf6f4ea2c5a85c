import { labelRoute } from './route-label.js';

test.each([
  [{}, '/metadata', { labels: { 'controlled-by-rampart': 'true' } }],
  [{ metadata: { name: 'i' } }, '/metadata/labels', { 'controlled-by-rampart': 'true' }],
  [{ metadata: { labels: null } }, '/metadata/labels', { 'controlled-by-rampart': 'true' }],
  [{ metadata: { labels: {} } }, '/metadata/labels/controlled-by-rampart', 'true'],
  [
    { metadata: { labels: { 'controlled-by-rampart': 'no' } } },
    '/metadata/labels/controlled-by-rampart',
    'true',
  ],
])('graph-apps.md 5.5: the label of a route, %j', (object, path, value) => {
  expect(labelRoute(object)).toEqual([{ op: 'add', path, value }]);
});
