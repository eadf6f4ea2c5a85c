import { labelValue } from '../names.js';

/**
 * Of several presets in a component namespace the one that counts (2.5): that of the component which the Namespace's label
 * names, else the first by name.
 */
export function choosePreset<Preset extends { metadata: { name: string } }>(
  presets: readonly Preset[],
  component: string | undefined,
): Preset | undefined {
  const named = presets.find(({ metadata }) => labelValue(metadata.name) === component);
  const [first] = presets.toSorted((one, other) =>
    one.metadata.name < other.metadata.name ? -1 : 1,
  );
  return named ?? first;
}
