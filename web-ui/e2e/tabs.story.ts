// Many pages of one browser: ten runs in ten tabs, all live, over one connection; and what comes often is drawn once a frame.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

const TABS = 10;
const QUICK = 600;

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: Array.from({ length: TABS }, (_, nth) => `EP-${nth + 1}`) });
    await lab.test(
        'talks.py',
        'import time\nfor n in range(1000000):\n    print("line", n, flush=True)\n    time.sleep(0.2)\n',
    );
    await lab.test('quick.sh', '#!/bin/sh\nexit 0\n');
    for (let nth = 1; nth <= TABS; nth++)
        await lab.project(`talks${nth}`, { Suite: ['quick.sh', 'talks.py'] });
    await lab.project('quick', { Suite: Array.from({ length: QUICK }, () => 'quick.sh') });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

/** The number of the last line that is seen. */
async function last(page: Page): Promise<number> {
    const text = (await page.locator('.line').allInnerTexts()).join('\n');
    return Number(/line (\d+)(?![^]*line)/.exec(text)?.[1] ?? Number.NaN);
}

test('ten tabs follow ten logs, and every one goes on', async () => {
    const runs: number[] = [];
    for (let nth = 1; nth <= TABS; nth++) runs.push(await lab.run(`talks${nth}`));
    const first = await Person.open(browser, lab);
    const persons = [first];
    for (const run of runs) persons.push(await first.another(`/runs/${run}/tests/1`));
    const tabs = persons.slice(1).map(({ page }) => page);
    for (const page of tabs) await page.locator('.line .text').first().waitFor();
    for (const [nth, page] of tabs.entries()) {
        await until(`a line of log ${nth}`, async () => (await last(page)) >= 0);
        const before = await last(page);
        await until(`log ${nth} to grow`, async () => (await last(page)) > before + 2);
    }

    // A tab that is closed takes nothing from the others.
    await tabs[0]?.close();
    const mark = await last(tabs[1] as Page);
    await until('the next tab to go on', async () => (await last(tabs[1] as Page)) > mark + 2);
    for (const run of runs) await lab.post(`/runs/${run}/stop`, { now: true });
    for (const page of tabs.slice(1)) await page.getByText('stopped').first().waitFor();
    expect(persons.flatMap(({ watch }) => watch.faults)).toEqual([]);
});

test('hundreds of quick tests are drawn at most once a frame', async () => {
    const { page, watch } = await Person.open(browser, lab);
    const run = await lab.run('quick');
    await page.goto(`/runs/${run}`);
    await page.getByRole('grid').waitFor();
    await page.evaluate(() => {
        const seen = globalThis as unknown as { frames: number; drawn: number };
        [seen.frames, seen.drawn] = [0, 0];
        requestAnimationFrame(function next() {
            seen.frames += 1;
            requestAnimationFrame(next);
        });
        document.addEventListener('jackfield:drawn', () => (seen.drawn += 1));
    });
    await lab.reached(run, 'completed');
    await page.getByText(`${QUICK} of ${QUICK} tests`).waitFor();
    const { frames, drawn } = await page.evaluate(() => {
        const seen = globalThis as unknown as { frames: number; drawn: number };
        return { frames: seen.frames, drawn: seen.drawn };
    });
    expect(drawn).toBeGreaterThan(5);
    // One for each frame; a frame that is late is handed over by a timer.
    expect(drawn).toBeLessThanOrEqual(frames + 10);
    expect(drawn).toBeLessThan(QUICK);
    expect(watch.faults).toEqual([]);
});
