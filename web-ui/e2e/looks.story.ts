// What every page of the lab must stand: axe in both themes, a small screen, 200 % zoom, the keyboard, hostile names.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { tooWide } from './browser';
import { Lab } from './lab';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE = '<b onclick=alert(1)>x</b>\u202ekcab';
const PAGES = [
    '/lab',
    '/lab?view=table',
    '/lab?view=suts',
    '/lab/lab/router',
    '/lab?view=links',
    '/lab?view=history',
    '/lab?view=files',
    '/calendar',
    '/leases',
    '/health',
    '/console',
    '/alone/log?attempt=1.5.1',
    '/alone/tree',
    '/alone/table',
    '/alone/timeline',
    '/alone/chart?points=10000',
];

let lab: Lab;

beforeAll(async () => {
    lab = await Lab.start();
    const properties = { kind: HOSTILE, host: HOSTILE, password: 'not to be seen', connect: 'telnet' };
    await lab.ask('PUT', '/resources', {
        parent: '/lab',
        name: HOSTILE.replace('/b', 'b').replace(/\p{C}/gu, ''),
        properties,
    });
});

afterAll(() => lab.stop());

interface Violation {
    id: string;
    impact: string | null;
    nodes: { html: string; failureSummary?: string }[];
}

/** What axe finds that is serious, in words. */
async function violations(page: Page): Promise<string[]> {
    // Not as an inline script, which the policy forbids, but as the browser's own.
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        return (await axe.run()).violations;
    });
    const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return serious.map(
        ({ id, nodes }) =>
            `${id}: ${nodes
                .slice(0, 3)
                .map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`)
                .join(' | ')}`,
    );
}

async function settled(page: Page, path: string): Promise<void> {
    await page.goto(path);
    await page.locator('main').waitFor();
    await page.waitForLoadState('load');
    // What is loaded late is there when its first words are.
    await page.locator('main h1, main [role="listbox"], main figure').first().waitFor();
}

test.each(['light', 'dark'] as const)('axe finds nothing serious, %s', async (theme) => {
    const { page, faults } = await lab.admin({ theme });
    const found: Record<string, string[]> = {};
    for (const path of PAGES) {
        await settled(page, path);
        const serious = await violations(page);
        if (serious.length > 0) found[path] = serious;
    }
    expect(found).toEqual({});
    expect(faults).toEqual([]);
});

test.each([
    ['1280×720', 1280, 720],
    ['200 % zoom', 640, 360],
    ['a phone', 390, 844],
])('nothing sticks out of the window: %s', async (_, width, height) => {
    const { page, faults } = await lab.admin({ width, height });
    const wide: string[] = [];
    for (const path of PAGES) {
        await settled(page, path);
        const over = await tooWide(page);
        if (over > 0) wide.push(`${path}: ${over} pixels`);
    }
    expect(wide).toEqual([]);
    expect(faults).toEqual([]);
});

test('hostile names are text, and secrets are stars until they are asked for', async () => {
    const { page, faults } = await lab.admin();
    await page.goto('/lab');
    const row = page.getByRole('treeitem', { name: '<b onclick' });
    await row.click();
    await page.getByRole('heading', { name: '>x<b>kcab' }).waitFor();
    await page.locator('dd', { hasText: '••••••' }).waitFor();
    expect(await page.getByText('not to be seen').count()).toBe(0);
    await page.getByRole('button', { name: 'Show secrets' }).click();
    await page.getByText('not to be seen').waitFor();
    expect(await page.locator('main b[onclick]').count()).toBe(0);
    await page.goto('/lab?view=table&find=kcab');
    await page.getByRole('gridcell', { name: '<U+202E>kcab' }).first().waitFor();
    expect(faults).toEqual([]);
});

test('the tree and the table are walked with the keyboard', async () => {
    const { page, faults } = await lab.admin();
    await page.goto('/alone/tree');
    await page.getByRole('tree').focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    const at = (): Promise<string | null> =>
        page.evaluate(() => {
            const id = document.activeElement?.getAttribute('aria-activedescendant') ?? '';
            return document.getElementById(id)?.querySelector('.name')?.textContent ?? null;
        });
    await expect.poll(at).toBe('router 2.1');
    await page.keyboard.type('bed 99');
    await expect.poll(at).toBe('bed 99');
    await page.keyboard.press('Enter');
    await page.getByText('chosen: bed 99').waitFor();

    await page.goto('/alone/table');
    await page.getByRole('button', { name: 'ms' }).click();
    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+K');
    await page.getByText('100000 rows, 2 chosen').waitFor();
    expect(new URL(page.url()).searchParams.get('sort')).toBe('took');
    await page.goBack();
    await page.goForward();
    expect(faults).toEqual([]);
});
