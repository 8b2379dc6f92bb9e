// What is in the editor is tried without being saved: all of it, or one test alone with its log beside it. And the table that is edited in place,
// remedies by one click, and copies with IDs of their own.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('good.py', 'print("it is good")\n');
    await lab.test('bad.py', 'print("about to fail")\nassert False, "the port is down"\n');
    await lab.project('tried', { One: ['good.py'], Two: ['bad.py', 'good.py'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const place = (name: string): string => join(lab.folder, 'projects', `${name}.xml`);
const row = (page: Page, name: string | RegExp): Locator =>
    page.getByRole('tree', { name: /^Suites and tests/ }).getByRole('treeitem', { name });

test('a draft is tried, one test alone with its log beside it, and leaves no trace', async () => {
    const before = await readFile(place('tried'), 'utf8');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/tried');
    const tries = page.getByRole('region', { name: 'Try' });
    // Not saved, and tried all the same.
    await row(page, /bad\.py/).click();
    await page.getByLabel('Repeat').fill('2');
    await page.keyboard.press('Enter');
    await row(page, /bad\.py.*× 2/).waitFor();
    await page.getByRole('button', { name: 'Try', exact: false }).click();
    await page.getByRole('menuitem', { name: 'Try this test alone' }).click();
    await tries.getByRole('heading', { name: 'Try of test bad.py' }).waitFor();
    await tries.getByText('the port is down').first().waitFor();
    await tries.getByText('about to fail').waitFor();
    expect(await tries.getByRole('list', { name: 'Tests of the try' }).getByRole('button').count()).toBe(2);
    await tries.getByText('temporary').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    // By its key: what is chosen.
    await row(page, /^One/).click();
    await page.keyboard.press('Control+Enter');
    await tries.getByRole('heading', { name: 'Try of test good.py' }).waitFor();
    await tries.getByText('it is good').waitFor();
    await page
        .getByRole('button', { name: 'Try', exact: true })
        .or(page.getByRole('button', { name: /^Try ▾/ }))
        .first()
        .click();
    await page.getByRole('menuitem', { name: 'Try all of it' }).click();
    await tries.getByRole('list', { name: 'Tests of the try' }).getByRole('button').nth(3).waitFor();
    await tries.getByRole('button', { name: 'Try again' }).waitFor();
    expect(await readFile(place('tried'), 'utf8')).toBe(before);
    // Nothing that counts was run.
    const { items } = await lab.get<{ items: { temporary: boolean }[] }>('/runs?project=tried');
    expect(items.map(({ temporary }) => temporary)).toEqual([true, true, true]);
    await tries.getByRole('button', { name: 'Close the try' }).click();
    await page.getByRole('tree', { name: 'Test files' }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('the table is edited in place, cell by cell', async () => {
    await writeFile(
        place('table'),
        '<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <UserDefined><propName>owner</propName><propValue>ana</propValue></UserDefined>\n    <TestCase>\n      <tcName>good.py</tcName>\n    </TestCase>\n    <TestCase>\n      <tcName>bad.py</tcName>\n    </TestCase>\n  </TestSuite>\n</Root>\n',
    );
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/table');
    await page.getByRole('link', { name: 'Table', exact: true }).click();
    await page.getByRole('textbox', { name: 'Repeat of A' }).fill('2');
    await page.keyboard.press('Enter');
    // Enter goes to the next row, Tab to the next cell.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
        'Repeat of good.py',
    );
    await page.keyboard.type('3');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
        'Time limit of good.py',
    );
    await page.keyboard.type('5m');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('checkbox', { name: 'Optional of bad.py' }).check();
    await page.getByRole('textbox', { name: 'owner of A' }).fill('bob');
    await page.keyboard.press('Tab');
    await page.getByText('Columns').click();
    await page.getByRole('checkbox', { name: 'Repeat', exact: true }).uncheck();
    await page.getByRole('textbox', { name: 'Repeat of A' }).waitFor({ state: 'detached' });
    await save(page);
    expect(await readFile(place('table'), 'utf8')).toBe(
        '<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <Repeat>2</Repeat>\n    <UserDefined><propName>owner</propName><propValue>bob</propValue></UserDefined>\n    <TestCase>\n      <tcName>good.py</tcName>\n      <Repeat>3</Repeat>\n      <Timeout>5m</Timeout>\n    </TestCase>\n    <TestCase>\n      <tcName>bad.py</tcName>\n      <Property><propName>Optional</propName><propValue>true</propValue></Property>\n    </TestCase>\n  </TestSuite>\n</Root>\n',
    );
    expect(watch.faults).toEqual([]);
});

test('a remedy that leaves no choice is one click, and one step', async () => {
    const wrong =
        '<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <Repaet>2</Repaet>\n    <TestCase>\n      <ID>x</ID>\n      <tcName>good.py</tcName>\n    </TestCase>\n    <TestCase>\n      <ID>x</ID>\n      <tcName>bad.py</tcName>\n    </TestCase>\n  </TestSuite>\n</Root>\n';
    await writeFile(place('wrong'), wrong);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/wrong');
    await page.getByRole('button', { name: 'Write Repeat' }).click();
    await row(page, /^A\b.*× 2/).waitFor();
    await page.getByRole('button', { name: 'Give it an ID of its own' }).click();
    await expect.poll(() => page.getByRole('button', { name: /warning/ }).count()).toBe(0);
    await save(page);
    const text = await readFile(place('wrong'), 'utf8');
    const ids = [...text.matchAll(/<ID>(.*)<\/ID>/g)].map(([, id]) => id);
    expect([ids[0], ids[1]?.length]).toEqual(['x', 36]);
    expect(text).toBe(
        wrong
            .replaceAll('Repaet', 'Repeat')
            .replace('<ID>x</ID>\n      <tcName>bad', `<ID>${ids[1]}</ID>\n      <tcName>bad`),
    );
    await page.getByRole('button', { name: 'Undo: Give it an ID of its own' }).click();
    await page.getByRole('button', { name: 'Give it an ID of its own' }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('copies have IDs of their own, and depend on each other; branches close and open; needs are said', async () => {
    await writeFile(
        place('copies'),
        '<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <TestCase>\n      <tcName>good.py</tcName>\n      <ID>first</ID>\n    </TestCase>\n    <TestCase>\n      <tcName>bad.py</tcName>\n      <Dependency>first:pass</Dependency>\n    </TestCase>\n  </TestSuite>\n</Root>\n',
    );
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/copies');
    await row(page, /^A\b/).click();
    await page.keyboard.press('Control+c');
    await row(page, 'Project settings').click();
    await page.keyboard.press('Control+v');
    await expect.poll(() => row(page, /^A\b/).count()).toBe(2);
    await page.getByRole('button', { name: 'Collapse all' }).click();
    await expect
        .poll(() => page.getByRole('treeitem', { name: /\.py/ }).and(row(page, /\.py/)).count())
        .toBe(0);
    await page.getByRole('button', { name: 'Expand all' }).click();
    await expect.poll(() => row(page, /\.py/).count()).toBe(4);
    // Alt and the arrows: a suite into the one before it, and out again.
    await row(page, /^A\b/).nth(1).click();
    await page.keyboard.press('Alt+ArrowRight');
    await page.getByRole('button', { name: /^Undo: Move suite A to suite A/ }).waitFor();
    await page.keyboard.press('Alt+ArrowLeft');
    await page.getByRole('button', { name: /^Undo: Move suite A to the project/ }).waitFor();
    await page.keyboard.press('F2');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('B');
    await page.keyboard.press('Enter');
    await row(page, /^B\b/).waitFor();
    await page.getByLabel('Needs').fill('kind=router');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Undo: Set needs of suite B/ }).waitFor();
    await save(page);
    const text = await readFile(place('copies'), 'utf8');
    const [first, second] = [...text.matchAll(/<ID>(.*)<\/ID>/g)].map(([, id]) => id ?? '');
    expect(first).toBe('first');
    expect(second).toMatch(/^[0-9a-f-]{36}$/);
    expect(text).toContain(`<Dependency>${second}:pass</Dependency>`);
    expect(text).toContain('<Needs>kind=router</Needs>');
    expect(watch.faults).toEqual([]);
});
