// `npm run test:cluster`: the tests that need real components, `test/**/*.cluster.ts` of every project.
import config from './jest.config.mjs';

export default {
  ...config,
  projects: config.projects.map((project) => ({
    ...project,
    testMatch: ['<rootDir>/test/**/*.cluster.ts'],
  })),
  globalSetup: '<rootDir>/libs/testbed/dist/cluster/global-setup.js',
};
