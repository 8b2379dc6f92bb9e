// Every page in every state that it can be in: with something in it and empty, before its data come, when the engine refuses, when it is
// gone, and for who may see nothing. Each is looked at on a small screen, a phone and at 200 % zoom, in both themes: words are there that say
// what is the case, nothing is cut off or lies over something else, and assistive technology finds its way.
//
// JACKFIELD_SHOTS=FOLDER keeps a picture of each, to be looked at.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Route } from '../src/routes';
import { violations } from './axe';
import { launch, Person, tooWide, visit, type Theme } from './browser';
import { cutOff } from './cut';
import { overlaps } from './overlap';
import { SmallLab } from './small_lab';

const SHOTS = process.env['JACKFIELD_SHOTS'];

/** An address of every page, so that one that is new has to be given here. What stands without the frame is looked at elsewhere. */
const PATHS: Record<Exclude<Route['page'], 'login' | 'shared' | 'alone'>, string> = {
    runs: '/runs',
    start: '/runs/new?project=small',
    run: '/runs/1',
    projects: '/projects',
    project: '/projects/small',
    configs: '/configs',
    config: '/configs/small',
    globals: '/globals',
    bindings: '/bindings',
    files: '/files/bad.py',
    book: '/book',
    tour: '/tour',
    lab: '/lab',
    leases: '/leases',
    lease: '/leases/1',
    calendar: '/calendar',
    health: '/health',
    console: '/console',
    eps: '/eps',
    reports: '/reports',
    people: '/people',
    engine: '/engine',
    setting: '/engine/settings/mail_rules',
    nowhere: '/nowhere',
};
const PAGES = Object.values(PATHS);
/** Further states of pages that have several. */
const MORE = ['/runs/1/tests/1', '/eps/EP-1', '/engine/settings', '/engine/audit', '/people/users'];

const WINDOWS = [
    { name: 'small', width: 1280, height: 720 },
    { name: 'phone', width: 390, height: 844 },
    { name: 'zoom', width: 640, height: 360 },
];

let full: SmallLab;
let empty: SmallLab;
let browser: Browser;

beforeAll(async () => {
    full = await SmallLab.start();
    await full.test('good.py', 'print("good")\n');
    await full.test('bad.py', 'print("bad")\nassert False, "it is bad"\n');
    await full.project('small', { Suite: ['good.py', 'bad.py'] });
    await full.put('/test-configs/small', {
        xml: '<root><folder><fname>port</fname><param><name>rate</name><value>1..3</value><type>iterator</type></param></folder></root>',
    });
    await full.put('/resources', { parent: '/', name: 'tb1', properties: {} });
    await full.put('/resources', { parent: '/tb1', name: 'router1', properties: { kind: 'router' } });
    await full.user('nobody', 'may see nothing here', []);
    const run = await full.run('small');
    await full.reached(run, 'completed');
    empty = await SmallLab.start({ eps: [] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await Promise.all([full?.stop(), empty?.stop()]);
});

/** What is wrong with what is seen now, in each window. */
async function look(page: Page, path: string, state: string, theme: Theme): Promise<string[]> {
    const found: string[] = [];
    for (const { name, width, height } of WINDOWS) {
        await page.setViewportSize({ width, height });
        const where = `${state} ${path} (${theme}, ${name})`;
        // Its words are there, also where its code is on its way.
        const words = page.locator('main').getByText(/\w/).first();
        await words.waitFor({ timeout: 5_000 }).catch(() => found.push(`${where}: says nothing`));
        const over = await tooWide(page);
        if (over > 0) found.push(`${where}: ${over} pixels too wide`);
        found.push(...(await cutOff(page)).map((text) => `${where}: ${text}`));
        found.push(...(await overlaps(page)).map((text) => `${where}: ${text}`));
        if (name === 'small') found.push(...(await violations(page)).map((text) => `${where}: ${text}`));
        if (SHOTS !== undefined) {
            const folder = join(SHOTS, state, theme);
            await mkdir(folder, { recursive: true });
            const file = `${path.replace(/^\//, '').replace(/\W+/g, '-') || 'begin'}.${name}.png`;
            await page.screenshot({ path: join(folder, file) });
        }
    }
    await page.setViewportSize({ width: 1280, height: 720 });
    return found;
}

const THEMES: Theme[] = ['light', 'dark'];

test.each(THEMES)('with something in it, and empty, every page is whole (%s)', async (theme) => {
    const found: string[] = [];
    for (const [state, lab] of [
        ['full', full],
        ['empty', empty],
    ] as const) {
        const { page, context, watch } = await Person.open(browser, lab, 'admin', lab.password, theme);
        for (const path of [...PAGES, ...MORE]) {
            await visit(page, path);
            found.push(...(await look(page, path, state, theme)));
        }
        expect(watch.faults).toEqual([]);
        await context.close();
    }
    expect(found).toEqual([]);
});

/** What a page asks for its own data; not who one is, and not what keeps it up to date. */
const DATA = /\/api\/v1\/(?!me$|login|logout|follow|live)/;

/** Has every question of a page answered so, or not at all. */
async function answering(context: BrowserContext, how: 'never' | 'refused'): Promise<void> {
    await context.route(DATA, async (route) => {
        if (how === 'never') return;
        await route.fulfill({
            status: 500,
            contentType: 'application/problem+json',
            body: JSON.stringify({ code: 'storage', title: 'the store does not answer: disk I/O error' }),
        });
    });
}

/** Pages whose words are their own, whatever the engine says. */
const OF_ITSELF = new Set([PATHS.book, PATHS.nowhere, PATHS.tour]);
/** Pages that show what the live feed told already while they ask for more. */
const LIVE = new Set([PATHS.leases, PATHS.health]);

test.each(THEMES)('while it waits, every page says what for (%s)', async (theme) => {
    const { page, context } = await Person.open(browser, full, 'admin', full.password, theme);
    // What is loaded once is there: the state is that of the data.
    for (const path of PAGES) await visit(page, path);
    await answering(context, 'never');
    const found: string[] = [];
    for (const path of PAGES) {
        await page.goto(path);
        await page.getByRole('navigation', { name: 'Pages' }).waitFor();
        if (!OF_ITSELF.has(path) && !LIVE.has(path)) {
            const waits = page
                .locator('main')
                .getByText(/^Loading|connecting|You$/)
                .first();
            if (!(await waits.isVisible({ timeout: 5_000 }).catch(() => false)))
                await waits
                    .waitFor({ timeout: 5_000 })
                    .catch(() => found.push(`${path} does not say that it waits`));
        }
        found.push(...(await look(page, path, 'loading', theme)));
    }
    await context.close();
    expect(found).toEqual([]);
});

test.each(THEMES)('what the engine cannot answer is said with its sentence (%s)', async (theme) => {
    const { page, context } = await Person.open(browser, full, 'admin', full.password, theme);
    await answering(context, 'refused');
    const found: string[] = [];
    for (const path of PAGES) {
        await page.goto(path);
        await page.getByRole('navigation', { name: 'Pages' }).waitFor();
        if (!OF_ITSELF.has(path))
            await page
                .getByText('the store does not answer')
                .first()
                .waitFor({ timeout: 10_000 })
                .catch(() => found.push(`${path} does not say why`));
        found.push(...(await look(page, path, 'error', theme)));
    }
    await context.close();
    expect(found).toEqual([]);
});

test('who may see nothing is told what each page needs', async () => {
    const found: string[] = [];
    for (const theme of THEMES) {
        const person = await Person.open(browser, full, 'nobody', 'may see nothing here', theme);
        const { page, context, watch } = person;
        const open = new Set<string>([PATHS.people, PATHS.book, PATHS.nowhere, PATHS.tour]);
        for (const path of PAGES) {
            await visit(page, path);
            if (!open.has(path)) await page.getByText(/^You may not see this/).waitFor({ timeout: 5_000 });
            found.push(...(await look(page, path, 'no-right', theme)));
        }
        // What leads nowhere is not offered.
        const offered = await page
            .getByRole('navigation', { name: 'Pages' })
            .getByRole('link')
            .allTextContents();
        expect(offered.map((text) => text.trim())).toEqual(['People']);
        expect(watch.faults).toEqual([]);
        await context.close();
    }
    expect(found).toEqual([]);
});

test('when the engine is gone every page stays readable and says how old it is', async () => {
    const persons = await Promise.all(
        THEMES.map(async (theme) => ({
            theme,
            person: await Person.open(browser, full, 'admin', full.password, theme),
        })),
    );
    const found: string[] = [];
    for (const { person } of persons) for (const path of PAGES) await visit(person.page, path);
    for (const { person } of persons) await visit(person.page, '/runs');
    await full.kill();
    for (const { theme, person } of persons) {
        const { page } = person;
        await page.getByText(/reconnecting, data from \d\d:\d\d:\d\d/).waitFor({ timeout: 20_000 });
        await page.locator('main').getByText('small').first().waitFor();
        for (const path of PAGES) {
            await visit(page, path);
            found.push(...(await look(page, path, 'stale', theme)));
        }
        expect(person.watch.faults).toEqual([]);
    }
    expect(found).toEqual([]);
});
