// `npm run test:cluster`: the tests that need real components, `test/**/*.cluster.ts` of every project.
import config from './jest.config.mjs';

export default {
  ...config,
  // Each of them starts components that take the other cores, and some tell how long something may take.
  maxWorkers: 2,
  testSequencer: '<rootDir>/tools/longest-first.mjs',
  projects: config.projects.map((project) => ({
    ...project,
    testMatch: ['<rootDir>/test/**/*.cluster.ts'],
  })),
  globalSetup: '<rootDir>/libs/testbed/dist/cluster/global-setup.js',
};
