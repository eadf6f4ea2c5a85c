import { readdirSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const testbed = fileURLToPath(new URL('libs/testbed/dist/', import.meta.url));

// Every folder of libs/ and apps/ is a project of its own, run by one jest process with one Postgres.
const project = (dir) => ({
  displayName: dir.split('/')[1],
  rootDir: `<rootDir>/${dir}`,
  testEnvironment: 'node',
  setupFiles: [`${testbed}secrecy/watch-programs.js`],
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
  testEnvironmentOptions: { customExportConditions: ['@glacis/source', 'node', 'node-addons'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
});

const projects = ['libs', 'apps'].flatMap((root) =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(`${root}/${entry.name}/package.json`))
    .map((entry) => project(`${root}/${entry.name}`)),
);

export default {
  projects,
  // Also on two cores, where Jest would take one: much of the time is spent waiting.
  maxWorkers: '100%',
  // Machines are shared and slow at times; tests wait for conditions with deadlines of their own.
  testTimeout: 180_000,
  reporters: ['default', `${testbed}secrecy/reporter.js`, `${testbed}summary-reporter.js`],
  globalSetup: `${testbed}global-setup.js`,
  globalTeardown: `${testbed}global-teardown.js`,
};
