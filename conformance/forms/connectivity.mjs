// Which outputs each input sees, by the graph of the same name in graphs/: those on the same flow. Names in rampart view.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { rampartView } from '../../libs/graphs/dist/index.js';

export function fits({ expectedReach }) {
  return typeof expectedReach === 'object';
}

export function run({ id, expectedReach }, file) {
  const text = readFileSync(join(dirname(file), 'graphs', `e2e-${id}.yaml`), 'utf8');
  return { recorded: sorted(expectedReach), ours: sorted(reachOf(parse(text).spec.graph)) };
}

function reachOf({ components }) {
  const writers = Object.entries(components).flatMap(([name, { outputs }]) =>
    Object.entries(outputs).map(([edge, { flow }]) => ({ flow, seen: [name, rampartView(edge)] })),
  );
  const seenBy = ({ flow }) =>
    writers.filter((writer) => writer.flow === flow).map(({ seen }) => seen);
  return Object.fromEntries(
    Object.entries(components).map(([name, { inputs }]) => {
      const reach = { volume: {}, pulsar: {}, repository: {} };
      for (const [edge, value] of Object.entries(inputs)) {
        reach[value.type][rampartView(edge)] = seenBy(value);
      }
      return [name, reach];
    }),
  );
}

function sorted(reach) {
  return JSON.parse(JSON.stringify(reach), (_, value) =>
    Array.isArray(value) && Array.isArray(value[0])
      ? value.map(([component, edge]) => `${component}/${edge}`).toSorted()
      : value,
  );
}
