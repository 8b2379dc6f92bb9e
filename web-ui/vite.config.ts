import { gzipSync } from 'node:zlib';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Files smaller than this gain nothing from being packed. */
const PACKED_BYTES_MIN = 512;

/** The engine packs nothing while it serves: every file of the build stands packed beside itself. */
function packed(): Plugin {
    return {
        name: 'packed',
        apply: 'build',
        generateBundle: {
            order: 'post',
            handler(_, bundle) {
                for (const file of Object.values(bundle)) {
                    const source = Buffer.from(file.type === 'chunk' ? file.code : file.source);
                    if (source.length >= PACKED_BYTES_MIN) {
                        const fileName = `${file.fileName}.gz`;
                        this.emitFile({ type: 'asset', fileName, source: gzipSync(source, { level: 9 }) });
                    }
                }
            },
        },
    };
}

/** Empties `dist/` but for its `.gitignore`: the folder itself is in Git, so that the engine's build finds it. */
function emptied(): Plugin {
    const dist = join(import.meta.dirname, 'dist');
    return {
        name: 'emptied',
        apply: 'build',
        buildStart() {
            for (const name of readdirSync(dist).filter((name) => name !== '.gitignore')) {
                rmSync(join(dist, name), { recursive: true });
            }
        },
    };
}

/** The engine that `npm run dev` takes its data from. */
const engine = process.env.JACKFIELD_ENGINE || 'http://127.0.0.1:8000';

export default defineConfig({
    plugins: [svelte(), emptied(), packed()],
    worker: { format: 'es' },
    build: {
        emptyOutDir: false,
        target: 'es2022',
        // A picture or a style inside of a script would be text that the content policy forbids.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
    },
    server: { proxy: { '/api': { target: engine, ws: true } } },
    test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
