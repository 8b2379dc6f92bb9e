// The editor of a project of ten thousand tests: how long it takes to open, until a change is marked, and until a step is undone; and what a
// drag costs.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';

import { Lab, type Person } from './lab';
import { frames, median, record } from './measure';

const SUITES = 100;
const TESTS_IN_EACH = 100;

let lab: Lab;
let person: Person;

beforeAll(async () => {
    lab = await Lab.start();
    person = await lab.admin();
    const one =
        '    <TestCase>\n      <tcName>hello.py</tcName>\n      <Property><propName>owner</propName><propValue>ana</propValue></Property>\n    </TestCase>\n';
    const suites = Array.from(
        { length: SUITES },
        (_, nth) =>
            `  <TestSuite>\n    <tsName>Suite ${nth}</tsName>\n${one.repeat(TESTS_IN_EACH)}  </TestSuite>\n`,
    );
    writeFileSync(join(lab.folder, 'tests/hello.py'), 'print(1)\n');
    writeFileSync(join(lab.folder, 'projects/large.xml'), `<Root>\n${suites.join('')}</Root>\n`);
    // Ten times as many: what a lab's whole campaign is.
    const campaign = Array.from({ length: 10 }, () => suites.join('')).join('');
    writeFileSync(join(lab.folder, 'projects/campaign.xml'), `<Root>\n${campaign}</Root>\n`);
});

afterAll(() => lab.stop());

/** How long something takes until a thing is there, in the page's own clock. */
async function took(page: Page, wanted: string, act: () => Promise<unknown>): Promise<number> {
    const seen = page.evaluate(
        (wanted) =>
            new Promise<number>((found) => {
                const look = (): void => {
                    if (document.querySelector(wanted) === null) requestAnimationFrame(look);
                    else found(performance.now());
                };
                look();
            }),
        wanted,
    );
    const began = await page.evaluate(() => performance.now());
    await act();
    return (await seen) - began;
}

test('a project of ten thousand tests is edited as one of ten', async () => {
    const { page } = person;
    const opens: number[] = [];
    const marks: number[] = [];
    const undoes: number[] = [];
    for (let round = 0; round < 5; round++) {
        await page.goto('/projects');
        await page.getByRole('link', { name: 'large' }).waitFor();
        opens.push(
            await took(page, '[role="tree"] [role="treeitem"]:nth-child(10)', () =>
                page.getByRole('link', { name: 'large' }).click(),
            ),
        );
        await page
            .getByRole('treeitem', { name: /hello\.py/ })
            .first()
            .click();
        const field = page.getByLabel('Repeat');
        await field.fill('x');
        marks.push(await took(page, '.bad.fail', () => field.press('Enter')));
        undoes.push(
            await took(page, '[aria-label="Suites and tests"]:not(:has(.bad.fail))', () =>
                page.getByRole('button', { name: /^Undo: Set repeat/ }).click(),
            ),
        );
    }
    const rows = page.getByRole('treeitem', { name: /hello\.py/ });
    await rows.nth(1).hover();
    await page.mouse.down();
    await rows.nth(3).hover();
    const longest = await frames(page);
    for (let nth = 0; nth < 60; nth++) await rows.nth(3 + (nth % 8)).hover({ force: true });
    const frame = await longest();
    await page.keyboard.press('Escape');
    await page.mouse.up();
    const goal = (name: string, value: number, below: number): void =>
        record({ name, value, unit: 'ms', goal: `< ${below} ms`, holds: value < below });
    goal('a project of 10,000 tests opens', median(opens), 500);
    goal('- a mistake in it is marked', median(marks), 150);
    record({ name: '- a step in it is undone', value: median(undoes), unit: 'ms', goal: 'for the reader' });
    goal('- longest frame while something is dragged', frame, 50);
});

test('a project of a hundred thousand tests opens', async () => {
    const { page } = person;
    const opens: number[] = [];
    for (let round = 0; round < 3; round++) {
        // A page of its own each time: what was opened before is kept.
        await page.goto('/projects');
        await page.getByRole('link', { name: 'campaign' }).waitFor();
        opens.push(
            await took(page, '[role="tree"] [role="treeitem"]:nth-child(10)', () =>
                page.getByRole('link', { name: 'campaign' }).click(),
            ),
        );
    }
    const value = median(opens);
    record({
        name: 'a project of 100,000 tests opens',
        value,
        unit: 'ms',
        goal: '< 2000 ms',
        holds: value < 2_000,
    });
});
