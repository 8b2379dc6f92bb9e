// The engine is killed and started again, twice, while three pages are open: each says so and how old its data are, goes
// on without a reload, and misses nothing.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    // It goes on while the engine is away: the EP keeps its tests.
    await lab.test('steady.py', 'import time\nprint("steady", flush=True)\ntime.sleep(0.3)\n');
    await lab.project('long', { Suite: Array.from({ length: 60 }, () => 'steady.py') });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

/** A mark in the page's memory: gone after a reload. */
const mark = (page: Page) => page.evaluate(() => void ((globalThis as { marked?: boolean }).marked = true));
const isMarked = (page: Page) => page.evaluate(() => (globalThis as { marked?: boolean }).marked === true);

test('pages outlive the engine', async () => {
    const run = await lab.run('long');
    const first = await Person.open(browser, lab);
    const persons = [first, await first.another(`/runs/${run}`), await first.another('/eps')];
    await first.page.getByRole('link', { name: 'long' }).first().waitFor();
    await Promise.all(persons.map(({ page }) => mark(page)));

    for (const round of [1, 2]) {
        await lab.kill();
        for (const { page } of persons) {
            await page.getByText(/reconnecting, data from \d\d:\d\d:\d\d/).waitFor({ timeout: 20_000 });
            await page.getByText(/\(\d+ s old\)/).waitFor();
        }
        await lab.restart();
        for (const { page } of persons)
            await page.getByText('live', { exact: true }).waitFor({ timeout: 20_000 });
        expect(await Promise.all(persons.map(({ page }) => isMarked(page))), `round ${round}`).toEqual([
            true,
            true,
            true,
        ]);
    }

    // Nothing is missing: what the page counts is what the engine counts, to the end.
    await lab.reached(run, 'completed');
    const page = persons[1]?.page as Page;
    await page.bringToFront();
    await until('the page to have every verdict', async () => {
        const { counts } = await lab.get<{ counts: Record<string, number> }>(`/runs/${run}`);
        const passed = await page
            .getByRole('button', { name: /\d+ passed/ })
            .textContent({ timeout: 5_000 })
            .catch(() => '');
        return Number(/\d+/.exec(passed ?? '')?.[0]) === counts['PASS'];
    });
    await first.page
        .getByText(/passed|failed/)
        .first()
        .waitFor();
    expect(persons.flatMap(({ watch }) => watch.faults)).toEqual([]);
});
