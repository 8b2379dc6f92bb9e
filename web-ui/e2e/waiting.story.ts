// Whoever waits sees who has what they wait for: on the run's page, in the list and in the status line; a run that runs again what did not pass in
// another names that one, and that one it; and what was done to several things can be undone.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('waits.py', 'import time\nwhile True:\n    time.sleep(0.1)\n');
    await lab.test('good.py', 'print("good")\n');
    await lab.test('bad.py', 'assert False, "it is bad"\n');
    await lab.project('night', { Suite: ['waits.py', 'good.py', 'good.py', 'good.py'] });
    await lab.project('day', { Suite: ['good.py', 'bad.py'] });
    await lab.project('on sut', { Suite: ['good.py'] }, '');
    await lab.user('ana', 'starts the night run', [], ['RUN_TESTS', 'VIEW_REPORTS']);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('who waits for an EP is told which run has it, whose it is, and since when', async () => {
    const ana = await Person.open(browser, lab, 'ana', 'starts the night run');
    await ana.page.goto('/runs/new?project=night');
    await ana.page.getByRole('button', { name: /^Start/ }).click();
    await ana.page.waitForURL(/\/runs\/\d+$/);
    const night = Number(ana.page.url().split('/').at(-1));
    await lab.reached(night, 'running');

    const day = await lab.run('day');
    const { page, watch } = await Person.open(browser, lab);
    const words = new RegExp(
        `waits for a free EP: EP-1, which run ${night} \\(night\\) of ana has since \\d\\d:\\d\\d:\\d\\d`,
    );
    // The list, the status line, and the run's own page.
    await page.locator('main').getByText(words).waitFor();
    await page.goto(`/runs/${day}`);
    await page.getByRole('contentinfo', { name: 'Status' }).getByText(words).waitFor();
    const waits = page.getByRole('list', { name: 'What waits' });
    await waits.getByText(words).waitFor();
    // It leads to whom one has to ask.
    await waits.getByRole('link', { name: `run ${night}` }).click();
    await page.getByRole('heading', { name: `${night} night` }).waitFor();

    // Who has it changes: what waits is told of the other one, though nothing has happened to it.
    await page.goto('/runs');
    await page.locator('main').getByText(words).waitFor();
    const second = await lab.run('night');
    await lab.post(`/runs/${night}/stop`, { reason: 'another one', now: true });
    await lab.reached(day, 'completed');
    await lab.reached(second, 'running');
    const third = await lab.run('day');
    await page.goto(`/runs/${third}`);
    await waits.getByText(new RegExp(`which run ${second} \\(night\\) of admin has since`)).waitFor();
    await lab.post(`/runs/${second}/stop`, { reason: 'done', now: true });
    await lab.reached(third, 'completed');
    await waits.waitFor({ state: 'detached' });
    expect([...watch.faults, ...ana.watch.faults]).toEqual([]);
});

test('a run that runs again what did not pass names the other, and is named there', async () => {
    const first = await lab.run('day');
    await lab.reached(first, 'completed');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto(`/runs/${first}`);
    const old = await page.context().newPage();
    await old.goto(`/runs/${first}`);
    await old.getByRole('heading', { name: `${first} day` }).waitFor();
    await page.getByRole('button', { name: 'Run again what did not pass' }).click();
    await page.waitForURL((url) => url.pathname !== `/runs/${first}`);
    const again = Number(page.url().split('/').at(-1));
    await page
        .getByText('again of')
        .getByRole('link', { name: `run ${first}` })
        .waitFor();
    // On the page that stood open, without a reload.
    await old
        .getByText('what did not pass ran again in')
        .getByRole('link', { name: `run ${again}` })
        .waitFor();
    await lab.reached(again, 'completed');
    // And whoever comes later.
    await page
        .getByText('again of')
        .getByRole('link', { name: `run ${first}` })
        .click();
    await page
        .getByText('what did not pass ran again in')
        .getByRole('link', { name: `run ${again}` })
        .waitFor();
    await old.close();
    await page.goto('/runs');
    await page
        .getByRole('row', { name: new RegExp(`^${again} `) })
        .getByText(`again of ${first}`)
        .waitFor();
    expect(watch.faults).toEqual([]);
});

test('what was done to several can be undone', async () => {
    await lab.addEp('EP-2');
    await lab.addEp('EP-3');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/eps');
    const state = (ep: string) => page.getByRole('row', { name: new RegExp(`Choose ${ep} `) });
    await page.getByLabel('Choose EP-1').click();
    await page.getByLabel('Choose EP-3').click({ modifiers: ['Shift'] });
    await page.getByText('3 EPs chosen').waitFor();
    await page.getByRole('button', { name: 'Drain …' }).click();
    await page.getByRole('dialog').getByText('EP-1, EP-2, EP-3').waitFor();
    await page.getByRole('button', { name: 'Drain them' }).click();
    await page.getByText('3 EPs take no more work.').waitFor();
    for (const ep of ['EP-1', 'EP-2', 'EP-3']) await state(ep).getByText('draining').waitFor();
    // By its key, as who has no mouse does.
    await page.locator('main').click({ position: { x: 400, y: 600 } });
    await page.keyboard.press('u');
    await page.getByText('3 EPs take work again.').waitFor();
    for (const ep of ['EP-1', 'EP-2', 'EP-3']) await state(ep).getByText('idle').waitFor();

    // Tests that were added, and tests that were taken out.
    const run = await lab.run('night');
    await lab.reached(run, 'running');
    await page.goto(`/runs/${run}`);
    const counted = async () => (await lab.get<{ tests: number }>(`/runs/${run}`)).tests;
    await page.getByRole('button', { name: 'Add tests …' }).click();
    await page.getByLabel(/^Tests of the run/).fill('good.py\nbad.py');
    await page.getByRole('button', { name: 'Add 2 tests' }).click();
    await page.getByText(/tests were added to run/).waitFor();
    const grown = await counted();
    expect(grown).toBeGreaterThan(4);
    await page.getByRole('button', { name: 'Undo' }).first().click();
    await page.getByText(/were taken out of run/).waitFor();
    await until('what was added to be taken out', async () => {
        const { counts } = await lab.get<{ counts: Record<string, number> }>(`/runs/${run}`);
        return counts['SKIPPED'] === grown - 4;
    });
    await lab.post(`/runs/${run}/stop`, { reason: 'done', now: true });
    await lab.reached(run, 'stopped');
    expect(watch.faults).toEqual([]);
});
