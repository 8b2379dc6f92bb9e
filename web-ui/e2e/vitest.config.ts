import { defineConfig } from 'vitest/config';

/** Stories in Chromium against a real lab: `npm run stories`. */
export default defineConfig({
    test: {
        root: import.meta.dirname,
        include: ['*.story.ts'],
        environment: 'node',
        testTimeout: 180_000,
        hookTimeout: 180_000,
        // Each has a lab of its own: two at once are slow enough to look broken.
        fileParallelism: false,
    },
});
