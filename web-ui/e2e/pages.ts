// The pages of a folder in place of those in the binary, for who changes pages and not the engine: JACKFIELD_PAGES=dist, after `npm run build`.
// What the engine says of its pages, the content policy above all, stays.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { BrowserContext } from 'playwright-core';

/** Chromium takes a page that did not come over the network for one from elsewhere, which may open no socket to this machine. */
export const OWN_PAGES_FLAGS =
    process.env['JACKFIELD_PAGES'] === undefined ? [] : ['--disable-features=LocalNetworkAccessChecks'];

export async function ownPages(context: BrowserContext): Promise<void> {
    const named = process.env['JACKFIELD_PAGES'];
    if (named === undefined) return;
    const folder = resolve(named);
    await context.route(
        ({ pathname }) => !pathname.startsWith('/api/'),
        async (route) => {
            const { pathname } = new URL(route.request().url());
            const isFile = pathname.startsWith('/assets/');
            const path = join(folder, isFile ? pathname : 'index.html');
            if (!isFile && route.request().resourceType() !== 'document') await route.fallback();
            else if (isFile && existsSync(path)) await route.fulfill({ path });
            else if (isFile) await route.fallback();
            else await route.fulfill({ response: await route.fetch(), path });
        },
    );
}
