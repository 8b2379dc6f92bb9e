// Suites and tests of a project, several at once: what they have in common, copies, closed branches that move, and what cannot stand anywhere.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    for (const name of ['a.py', 'b.py', 'c.py']) await lab.test(name, 'print(1)\n');
    await lab.project('p', { One: ['a.py', 'b.py'], Two: ['c.py'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('several are set at once, moved closed, copied with Alt, and nothing goes into itself', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/p');
    const tree = page.getByRole('tree', { name: /^Suites and tests/ });
    const row = (name: RegExp) => tree.getByRole('treeitem', { name });
    /** What stands in the tree, without what is the same in each row. */
    const rows = async (): Promise<string> => {
        const texts = await tree.getByRole('treeitem').allInnerTexts();
        const words = texts.map((text) =>
            text
                .replaceAll(/\s+/g, ' ')
                .replace(/▾|▸/g, '')
                .replace(/^ ?\S (One|Two) (\d+ of \d+ |not )?in this run/, '$1')
                .replace(/☑ in this run/g, '')
                .trim(),
        );
        return words.slice(1).join(', ');
    };
    const repeat = page.getByRole('textbox', { name: 'Repeat' });
    await row(/a\.py/).click();
    await repeat.fill('2');
    await page.keyboard.press('Enter');
    await row(/a\.py.*× 2/).waitFor();

    // Two that differ: both are set, as one step.
    await row(/b\.py/).click({ modifiers: ['Shift'] });
    await page.getByRole('heading', { name: '2 tests' }).waitFor();
    expect(await repeat.getAttribute('placeholder')).toBe('they differ');
    await repeat.fill('7');
    await page.keyboard.press('Enter');
    await expect.poll(rows).toBe('One, a.py × 7, b.py × 7, Two, c.py');
    await page.getByRole('checkbox', { name: 'Optional' }).check();
    await expect.poll(rows).toBe('One, a.py × 7 optional, b.py × 7 optional, Two, c.py');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await expect.poll(rows).toBe('One, a.py × 2, b.py, Two, c.py');

    // Into a closed suite: it opens, so that one sees where it went. And back as it was.
    await row(/^Two/).dblclick();
    await expect.poll(rows).toBe('One, a.py × 2, b.py, Two');
    await row(/^One/).dragTo(row(/^Two/));
    await expect.poll(rows).toBe('Two, c.py, One, a.py × 2, b.py');
    await page.keyboard.press('Control+z');
    await expect.poll(rows).toBe('One, a.py × 2, b.py, Two, c.py');

    await page.keyboard.down('Alt');
    await row(/a\.py/).dragTo(row(/^Two/));
    await page.keyboard.up('Alt');
    await expect.poll(rows).toBe('One, a.py × 2, b.py, Two, c.py, a.py × 2');
    // Neither into itself, nor a test out of every suite.
    await row(/^One/).dragTo(row(/b\.py/));
    await row(/c\.py/).dragTo(row(/Project settings/));
    await row(/b\.py/).locator('.tick').click();
    await expect.poll(rows).toBe('One, a.py × 2, ☐ not in this run b.py, Two, c.py, a.py × 2');

    // Elsewhere and back: the draft is as it was left.
    await page.getByRole('link', { name: 'Projects' }).click();
    await page.getByText('not saved').waitFor();
    await page.goBack();
    await expect.poll(rows).toBe('One, a.py × 2, ☐ not in this run b.py, Two, c.py, a.py × 2');
    await save(page);
    expect(await readFile(join(lab.folder, 'projects/p.xml'), 'utf8')).toBe(`<Root>

<TestSuite><tsName>One</tsName>
<TestCase><tcName>a.py</tcName><Repeat>2</Repeat></TestCase>
<TestCase><tcName>b.py</tcName><Property><propName>Running</propName><propValue>false</propValue></Property></TestCase>
</TestSuite>
<TestSuite><tsName>Two</tsName>
<TestCase><tcName>c.py</tcName></TestCase>
<TestCase><tcName>a.py</tcName><Repeat>2</Repeat></TestCase>
</TestSuite>
</Root>
`);
    expect(watch.faults).toEqual([]);
});
