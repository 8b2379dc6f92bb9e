import { defineConfig } from 'vitest/config';

/** Measures in Chromium against a real lab: `npm run measures`, which `cargo xtask bench gui` does. */
export default defineConfig({
    test: {
        root: import.meta.dirname,
        include: ['*.measure.ts'],
        environment: 'node',
        testTimeout: 600_000,
        hookTimeout: 180_000,
        fileParallelism: false,
    },
});
