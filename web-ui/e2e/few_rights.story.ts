// Who may only edit projects, or only test files, works here: they see what they may, do it, and are offered nothing that would be refused.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    await lab.test('good.py', 'print("good")\n');
    await lab.project('night', { Suite: ['good.py', 'good.py'] });
    await lab.user('paula', 'writes projects', [], ['CHANGE_PROJECT']);
    await lab.user('tim', 'writes test files', [], ['EDIT_TC']);
    await lab.user('sue', 'writes systems', [], ['CHANGE_SUT']);
    await lab.user('otto', 'has an account', [], []);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

/** What the engine has refused for want of a role, while somebody did nothing but what they were offered. */
function refusals(context: BrowserContext): string[] {
    const refused: string[] = [];
    context.on('response', (response) => {
        if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
    });
    return refused;
}

const offered = async ({ page }: Person): Promise<string[]> => {
    const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
    return (await links.allTextContents()).map((text) => text.trim());
};

test('who may change projects begins with them, and changes one', async () => {
    const paula = await Person.open(browser, lab, 'paula', 'writes projects');
    const refused = refusals(paula.context);
    const { page } = paula;
    await page.waitForURL('**/projects');
    expect(await offered(paula)).toEqual(['Projects', 'People']);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'night' }).click();
    const tree = page.getByRole('tree', { name: /^Suites and tests/ });
    await tree
        .getByRole('treeitem', { name: /good\.py/ })
        .first()
        .click();
    await page.getByLabel('Repeat').fill('3');
    await page.keyboard.press('Enter');
    await tree.getByRole('treeitem', { name: /× 3/ }).waitFor();
    await save(page);
    expect(await readFile(join(lab.folder, 'projects/night.xml'), 'utf8')).toContain('<Repeat>3</Repeat>');
    // Somebody else saves the same file: it is told here as it is to everybody who edits.
    const { version } = await lab.post<{ version: string }>('/projects/edit', { project: 'night' });
    await fetch(`${lab.url}/api/v1/projects/night`, {
        method: 'PUT',
        headers: {
            'Content-Type': 'application/json',
            Authorization: `Bearer ${lab.token}`,
            'If-Match': `"${version}"`,
        },
        body: JSON.stringify({ xml: '<Root>\n</Root>\n', unfinished: true }),
    });
    await tree
        .getByRole('treeitem', { name: /good\.py/ })
        .first()
        .waitFor({ state: 'detached' });
    for (const path of ['/configs', '/files/good.py', '/bindings', '/projects']) await page.goto(path);
    await page.getByRole('link', { name: 'night' }).waitFor();
    await page.goto('/runs');
    await page.getByText('You may not see this: runs').waitFor();
    await page.getByText('one of the roles VIEW_REPORTS and RUN_TESTS').waitFor();
    expect(refused).toEqual([]);
    expect(paula.watch.faults).toEqual([]);
});

test('who may edit test files begins where they are, and edits one', async () => {
    const tim = await Person.open(browser, lab, 'tim', 'writes test files');
    const refused = refusals(tim.context);
    const { page } = tim;
    await page.waitForURL('**/projects');
    await page.getByRole('link', { name: 'Test files' }).click();
    await page.getByRole('link', { name: /good\.py/ }).click();
    await page.getByRole('link', { name: 'Text', exact: true }).click();
    await page.getByRole('textbox', { name: /^Text of/ }).click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('print("better")\n');
    await page.getByText('not saved').waitFor();
    await save(page);
    expect(await readFile(join(lab.folder, 'tests/good.py'), 'utf8')).toContain('print("better")');
    expect(refused).toEqual([]);
    expect(tim.watch.faults).toEqual([]);
});

test('who has another role, or none, begins where they have something to do', async () => {
    const sue = await Person.open(browser, lab, 'sue', 'writes systems');
    await sue.page.waitForURL('**/lab');
    const otto = await Person.open(browser, lab, 'otto', 'has an account');
    const refused = refusals(otto.context);
    await otto.page.waitForURL('**/people');
    expect(await offered(otto)).toEqual(['People']);
    await otto.page.getByText('live', { exact: true }).waitFor();
    await otto.page.keyboard.press('Control+k');
    await otto.page.keyboard.type('go to');
    await otto.page.getByRole('option').first().waitFor();
    const found = await otto.page.getByRole('option').allTextContents();
    expect(found.filter((text) => /Runs|EPs|Lab|Reports|Engine|test files/.test(text))).toEqual([]);
    expect(refused).toEqual([]);
    expect([...sue.watch.faults, ...otto.watch.faults]).toEqual([]);
});
