// Every page in both themes: no serious violation of what assistive technology needs; at 200 % zoom and on a phone
// nothing is cut off that cannot be scrolled to.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, tooWide, visit, type Theme } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;
let run: number;

/** Every page, with each of its states that a small lab has. */
const PAGES = (): string[] => [
    '/runs',
    '/runs?text=nothing+fits',
    `/runs/${run}`,
    `/runs/${run}?view=tree`,
    `/runs/${run}?view=lanes`,
    `/runs/${run}?view=story`,
    `/runs/${run}/tests/1`,
    `/runs/${run}/tests/1?pane=steps`,
    `/runs/${run}/tests/1?pane=files`,
    `/runs/${run}/tests/1?pane=about`,
    '/runs/new',
    '/runs/new?project=small',
    '/runs/999',
    '/projects',
    '/projects?text=nothing+fits',
    '/projects/small',
    '/projects/small?item=0',
    '/projects/small?item=0.1',
    '/projects/small?pane=table',
    '/projects/small?pane=difference',
    '/projects/small?pane=text',
    '/projects/none',
    '/leases',
    '/leases?show=ended',
    '/leases/999',
    '/calendar',
    '/calendar?days=1',
    '/health',
    '/eps',
    '/eps/EP-1',
    '/engine',
    '/engine/log',
    '/people',
    '/people/users',
    '/people/groups',
    '/people/tokens',
    '/people/sessions',
    '/configs',
    '/configs/small?item=0.0',
    '/globals',
    '/book',
    '/book/first-hour',
    '/book?text=encryption',
    '/tour',
    '/engine/settings',
    '/files',
    '/files?text=nothing+fits',
    '/files/bad.py',
    '/files/bad.py?pane=text',
    '/files/bad.py?pane=difference',
    '/files/bad.py?pane=history',
    '/files/none.py',
    '/engine/audit',
    '/reports',
    '/nowhere',
];

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('good.py', 'print("good")\n');
    await lab.test('bad.py', 'print("bad")\nassert False, "it is bad"\n');
    await lab.project('small', { Suite: ['good.py', 'bad.py'] });
    await lab.put('/test-configs/small', {
        xml: '<root><folder><fname>port</fname><param><name>rate</name><value>1..3</value><type>iterator</type></param></folder></root>',
    });
    run = await lab.run('small');
    await lab.reached(run, 'completed');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test.each<Theme>(['light', 'dark'])('no page has a serious violation in the %s theme', async (theme) => {
    const { page, watch } = await Person.open(browser, lab, 'admin', lab.password, theme);
    const found: string[] = [];
    for (const path of PAGES()) {
        await visit(page, path);
        found.push(...(await violations(page)).map((text) => `${path}: ${text}`));
    }
    await page.keyboard.press('Control+k');
    found.push(...(await violations(page)).map((text) => `palette: ${text}`));
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    found.push(...(await violations(page)).map((text) => `keys: ${text}`));
    expect(found).toEqual([]);
    expect(watch.faults).toEqual([]);
});

test('the sign-in has no serious violation', async () => {
    const context = await browser.newContext({ baseURL: lab.url });
    const page = await context.newPage();
    await page.goto('/');
    await page.getByLabel('Password').waitFor();
    expect(await violations(page)).toEqual([]);
});

test.each([
    ['a small screen', 1280, 720],
    ['200 % zoom', 640, 360],
    ['a phone', 390, 844],
])('on %s the page itself never scrolls sideways', async (_, width, height) => {
    const { page } = await Person.open(browser, lab);
    await page.setViewportSize({ width, height });
    const wide: string[] = [];
    for (const path of PAGES()) {
        await visit(page, path);
        const over = await tooWide(page);
        if (over > 0) wide.push(`${path}: ${over} pixels too wide`);
    }
    expect(wide).toEqual([]);
});
