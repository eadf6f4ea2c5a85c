import { labelValue } from '../names.js';
import { choosePreset } from './preset-choice.js';

const named = (...names: string[]) => names.map((name) => ({ metadata: { name } }));
const long = 'component-'.repeat(8);

test('graph-apps.md 2.5: of several presets that of the component in the label counts, else the first', () => {
  expect(choosePreset(named('b', 'a'), 'b')?.metadata.name).toBe('b');
  expect(choosePreset(named('b', long, 'a'), labelValue(long))?.metadata.name).toBe(long);
  expect(choosePreset(named('b', 'a'), 'c')?.metadata.name).toBe('a');
  expect(choosePreset(named('b', 'a'), undefined)?.metadata.name).toBe('a');
  expect(choosePreset([], 'c')).toBeUndefined();
});
