// Which tests are in a run is ticked, suite by suite; suites are exported as predefined ones and put into other projects; and tests are added to a
// run that goes on.

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
    for (const name of ['a', 'b', 'c', 'late']) await lab.test(`${name}.py`, `print("${name}")\n`);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const place = (path: string): string => join(lab.folder, path);
const row = (page: Page, name: string | RegExp): Locator =>
    page.getByRole('tree', { name: /^Suites and tests/ }).getByRole('treeitem', { name });

async function choose(page: Page, deed: string | RegExp, of = 'Suites'): Promise<void> {
    await page.getByRole('button', { name: of, exact: true }).click();
    await page.getByRole('menuitem', { name: deed }).click();
}

/** The files of the tests of a run, in their order. */
async function ran(run: number): Promise<string[]> {
    const { items } = await lab.get<{ items: { file: string }[] }>(`/runs/${run}/tests`);
    return items.map(({ file }) => file);
}

test('exactly the tests that are ticked run', async () => {
    await lab.project('ticked', { One: ['a.py', 'b.py'], Two: ['c.py', 'a.py'] });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/ticked');
    // A suite's box turns all its tests, by the mouse and by the space bar.
    await row(page, /One/).getByTitle('in this run (Space)').click();
    await row(page, /One.*not in this run|not in this run.*One/).waitFor();
    await row(page, /b\.py/).click();
    await page.keyboard.press(' ');
    await row(page, /1 of 2 in this run/).waitFor();
    await row(page, /Two/).click();
    await page.keyboard.press(' ');
    await expect.poll(() => row(page, /c\.py/).getByText('not in this run').count()).toBe(1);
    await save(page);
    const run = await lab.run('ticked');
    await lab.reached(run, 'completed');
    expect(await ran(run)).toEqual(['b.py']);
    // Only what is chosen, and all again: each one step.
    await row(page, /c\.py/).click();
    await choose(page, 'Run only what is chosen');
    await expect.poll(() => row(page, /c\.py/).getByText('in this run', { exact: true }).count()).toBe(1);
    await save(page);
    const other = await lab.run('ticked');
    await lab.reached(other, 'completed');
    expect(await ran(other)).toEqual(['c.py']);
    await choose(page, 'Run all tests');
    await expect.poll(() => row(page, /1 of 2|not in this run/).count()).toBe(0);
    expect(watch.faults).toEqual([]);
});

test('a suite is exported, and another project takes it', async () => {
    await writeFile(
        place('projects/source.xml'),
        '<Root>\n  <TestSuite>\n    <tsName>Smoke test</tsName>\n    <!-- the ports first -->\n    <TestCase>\n      <tcName>a.py</tcName>\n      <ID>first</ID>\n    </TestCase>\n    <TestCase>\n      <tcName>b.py</tcName>\n      <Dependency>first:pass</Dependency>\n    </TestCase>\n  </TestSuite>\n</Root>\n',
    );
    await writeFile(
        place('projects/target.xml'),
        '<Root>\n\t<TestSuite>\n\t\t<tsName>A</tsName>\n\t</TestSuite>\n</Root>\n',
    );
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/source');
    await row(page, /Smoke test/).click();
    await choose(page, 'Export what is chosen as one …');
    expect(await page.getByRole('dialog').getByLabel('Name').inputValue()).toBe('Smoke-test');
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.getByText('The predefined suite Smoke-test holds suite Smoke test.').waitFor();
    const exported = await readFile(place('suites/Smoke-test.xml'), 'utf8');
    expect(exported).toContain('<!-- the ports first -->');
    // Of one name it says so, before it replaces it.
    await choose(page, 'Export what is chosen as one …');
    await page.getByText('There is one of this name, and it will be replaced.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.goto('/projects/target');
    await row(page, /^A\b|\bA\b/)
        .first()
        .click();
    for (const _ of [1, 2]) {
        await choose(page, 'Add a predefined suite …');
        await page.getByRole('button', { name: /Smoke-test.*Smoke test: 2 tests/ }).click();
        await page.getByRole('button', { name: 'Undo: Add predefined suite Smoke-test' }).waitFor();
    }
    await expect.poll(() => row(page, /Smoke test/).count()).toBe(2);
    await save(page);
    const text = await readFile(place('projects/target.xml'), 'utf8');
    expect(text).toContain('\n\t<TestSuite>\n\t  <tsName>Smoke test</tsName>\n\t  <!-- the ports first -->');
    const ids = [...text.matchAll(/<ID>(.*)<\/ID>/g)].map(([, id]) => id ?? '');
    const depends = [...text.matchAll(/<Dependency>(.*):pass<\/Dependency>/g)].map(([, id]) => id ?? '');
    expect(ids).toContain('first');
    expect([...depends].sort()).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(2);
    await choose(page, 'Add a predefined suite …');
    await page.getByRole('button', { name: 'Delete the predefined suite Smoke-test' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await expect
        .poll(() => readFile(place('suites/Smoke-test.xml'), 'utf8').catch(() => undefined))
        .toBeUndefined();
    expect(watch.faults).toEqual([]);
});

test('chosen tests go into a run that goes on', async () => {
    const gate = place('go');
    await lab.test(
        'waits.py',
        `import os, time\nwhile not os.path.exists(${JSON.stringify(gate)}):\n    time.sleep(0.1)\n`,
    );
    await lab.project('long', { One: ['waits.py', 'a.py'] });
    const run = await lab.run('long');
    await lab.reached(run, 'running');
    await lab.project('long', { One: ['waits.py', 'a.py', 'late.py'] });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/long');
    await row(page, /a\.py/).click();
    await row(page, /late\.py/).click({ modifiers: ['Control'] });
    await choose(page, `Add 2 tests to run ${run}`, 'Try');
    await page.getByText(`2 tests were added to run ${run}.`).waitFor();
    await writeFile(gate, '');
    await lab.reached(run, 'completed');
    expect(await ran(run)).toEqual(['waits.py', 'a.py', 'a.py', 'late.py']);
    expect(watch.faults).toEqual([]);
});

test('a name that is there is not written over, and has a field of its own', async () => {
    const text =
        '<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <TestCase>\n      <tcName>a.py</tcName>\n      <Property><propName>owner</propName><propValue>ana</propValue></Property>\n    </TestCase>\n  </TestSuite>\n</Root>\n';
    await writeFile(place('projects/names.xml'), text);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/names');
    await row(page, /a\.py/).click();
    const add = async (name: string): Promise<void> => {
        await page.getByLabel('Name of a new one').fill(name);
        await page.getByLabel('Its value').fill('other');
        await page.keyboard.press('Enter');
    };
    await add('owner');
    await page.getByText('“owner” is there already, with the value “ana”: change it there.').waitFor();
    await add('Running');
    await page.getByText('“Running” has a field of its own above: in this run.').waitFor();
    expect(await page.getByRole('button', { name: 'Undo', exact: true }).isDisabled()).toBe(true);
    await add('rack');
    await page.getByLabel('Value of rack').waitFor();
    await save(page);
    expect(await readFile(place('projects/names.xml'), 'utf8')).toBe(
        text.replace(
            '</Property>\n',
            '</Property>\n      <Property><propName>rack</propName><propValue>other</propValue></Property>\n',
        ),
    );
    expect(watch.faults).toEqual([]);
});

test('two people in one tab see each their own, and the page is not loaded anew', async () => {
    await lab.user('cara', 'cara makes projects', [], ['VIEW_REPORTS', 'CHANGE_PROJECT']);
    await lab.project('going', { A: ['a.py'] });
    const person = await Person.open(browser, lab);
    const { page, watch } = person;
    await page.goto('/projects');
    await page.evaluate(() => ((globalThis as { isSame?: boolean }).isSame = true));
    await page.getByRole('button', { name: 'More: going' }).click();
    await page.getByRole('menuitem', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('Project going was deleted.').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await person.signIn('cara', 'cara makes projects');
    await page.getByRole('link', { name: 'names' }).waitFor();
    expect(await page.getByText('Project going was deleted.').count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await person.signIn('admin', lab.password);
    await page.getByText('Project going was deleted.').waitFor();
    expect(await page.evaluate(() => (globalThis as { isSame?: boolean }).isSame)).toBe(true);
    expect(watch.faults).toEqual([]);
});
