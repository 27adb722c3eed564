import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their sources ("source" condition), so tests need no build.
const resolve = { conditions: ['source'] };
// The global setup is loaded in an environment of vitest's own, which must see the sources, too.
const environments = {
  __vitest__: {
    resolve: { conditions: ['source', 'module', 'node', 'development|production'], externalConditions: ['source'] },
  },
};
const ssr = { resolve: { conditions: ['source'], externalConditions: ['source'] } };
// Nest's decorators are the legacy ones; specs are outside of the packages' tsconfig, so it is said here.
const oxc = {
  decorator: { legacy: true, emitDecoratorMetadata: false },
  typescript: { onlyRemoveTypeImports: true },
  assumptions: { setPublicClassFields: true },
};
const everywhere = ['libs', 'apps', 'tools'];
const level = (suffix: string) => everywhere.map((folder) => `${folder}/**/*${suffix}`);
const excluded = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        environments,
        oxc,
        test: {
          name: 'unit',
          include: level('.spec.ts'),
          exclude: [...excluded, '**/*.int.spec.ts', '**/*.e2e.spec.ts'],
          testTimeout: 20_000,
        },
      },
      {
        resolve,
        ssr,
        environments,
        oxc,
        test: {
          name: 'int',
          include: level('.int.spec.ts'),
          exclude: excluded,
          globalSetup: ['libs/testing/src/int-global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        environments,
        oxc,
        test: {
          name: 'e2e',
          include: level('.e2e.spec.ts'),
          exclude: excluded,
          globalSetup: ['libs/testing/src/int-global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});
