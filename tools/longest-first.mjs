// The order of the cluster tests: those that take minutes first, so that no worker ends with one of them while the other has
// nothing left to do. Those of the chart tell how long something may take, and fill the cores: the two come one after the
// other. The rest goes as Jest has it.
import Sequencer from '@jest/test-sequencer';

const longest = [
  'chart-distributed',
  'kills',
  'graphs-deploy',
  'real-manager',
  'replicas',
  'chart-trial',
  'image',
  'distributed',
  'graphs-kills',
  'kafka-faults',
];

function rank({ path }) {
  const index = longest.findIndex((name) => path.endsWith(`/${name}.cluster.ts`));
  return index === -1 ? longest.length : index;
}

export default class LongestFirst extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is Jest's
    const usual = super.sort(tests);
    return usual.toSorted((one, other) => rank(one) - rank(other));
  }
}
