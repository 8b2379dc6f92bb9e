// Projects in the browser beside people who edit them by hand, by Git and on other pages: marks, what somebody else saved, restarts, the text,
// copies, and who may.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'prepare.py',
        '# <title>Prepares the bed</title>\n# <description>Loads the\n#   configuration</description>\nprint("ready")\n',
    );
    for (const name of ['bgp/peers.py', 'bgp/routes.py', 'clean.py'])
        await lab.test(name, `print("${name}")\n`);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const place = (name: string): string => join(lab.folder, 'projects', `${name}.xml`);
const file = (name: string): Promise<string> => readFile(place(name), 'utf8');
const row = (page: Page, name: string | RegExp): Locator =>
    page.getByRole('tree', { name: /^Suites and tests/ }).getByRole('treeitem', { name });

test('what is wrong is marked as it is made, and F8 leads there', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await lab.project('wrong', { A: ['prepare.py', 'clean.py'] });
    await page.goto('/projects/wrong');
    await row(page, /clean\.py/).click();
    await page.getByLabel('Repeat').fill('x');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: '1 error' }).waitFor();
    await row(page, /clean\.py.*error/).waitFor();
    await row(page, 'Project settings').click();
    await page.keyboard.press('F8');
    await page.getByRole('heading', { name: 'Test clean.py' }).waitFor();
    await page.getByText(/<Repeat> is `x`/).waitFor();
    // Work in progress is saved, and does not run.
    await save(page);
    expect(await page.getByRole('button', { name: 'Run …' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: /^Undo: Set repeat of test clean\.py/ }).click();
    await page.getByRole('button', { name: '1 error' }).waitFor({ state: 'detached' });
    expect(watch.faults).toEqual([]);
});

test('what somebody else saved is put together with one’s own, and nothing is lost', async () => {
    const before =
        '<Root>\n    <!-- by hand -->\n    <TestSuite>\n        <tsName>A</tsName>\n        <Repeat>2</Repeat>\n        <TestCase>\n            <tcName>clean.py</tcName>\n        </TestCase>\n    </TestSuite>\n</Root>\n';
    await writeFile(place('shared'), before);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/shared');
    await row(page, /^A\b/).click();
    await page.getByLabel('Repeat').fill('3');
    await page.keyboard.press('Enter');
    await row(page, /^A\b.*× 3/).waitFor();
    await row(page, /clean\.py/).click();
    await page.getByLabel('Time limit').fill('5m');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Undo: Set .*clean\.py/ }).waitFor();
    // Meanwhile somebody edits the file by hand, and the engine is started anew.
    await writeFile(place('shared'), before.replace('by hand', 'by an editor').replace('>2<', '>9<'));
    await lab.kill();
    await page.getByText(/reconnecting, data from/).waitFor();
    await lab.restart();
    await page.getByText('live', { exact: true }).waitFor();
    await page.keyboard.press('Control+s');
    await page
        .getByText(
            /Somebody else saved[^]*shared\.xml[^]*you changed 2 places, they changed 2 places, 1 of them both of you/,
        )
        .waitFor();
    expect(await page.getByRole('button', { name: /^Put together \(1 place/ }).isDisabled()).toBe(true);
    await page.getByRole('radio', { name: /Yours/ }).check();
    await page.getByRole('button', { name: 'Put together', exact: true }).click();
    await page.getByText('not saved').waitFor();
    await save(page);
    const merged = await file('shared');
    expect(merged).toBe(
        before
            .replace('by hand', 'by an editor')
            .replace('>2<', '>3<')
            .replace('clean.py</tcName>', 'clean.py</tcName>\n            <Timeout>5m</Timeout>'),
    );
    // Two pages of the engine: who has changes of their own is told at once who saved, and goes on.
    const other = await Person.open(browser, lab);
    await other.page.goto('/projects/shared');
    await row(other.page, /^A\b/).click();
    await row(page, /^A\b/).click();
    await page.getByLabel('Repeat').fill('8');
    await page.keyboard.press('Enter');
    await row(page, /^A\b.*× 8/).waitFor();
    await other.page.getByLabel('Repeat').fill('7');
    await other.page.keyboard.press('Enter');
    await save(other.page);
    await page.getByText('admin has saved this file.').waitFor();
    await page.keyboard.press('Control+s');
    await page.getByText(/^\s*admin saved/).waitFor();
    await page.getByRole('button', { name: 'Take theirs only' }).click();
    await row(page, /^A\b.*× 7/).waitFor();
    await page.getByRole('button', { name: /^Undo: Take theirs/ }).click();
    await row(page, /^A\b.*× 8/).waitFor();
    expect([...watch.faults, ...other.watch.faults]).toEqual([]);
});

test('a change that the engine did not live to answer is made by the next one', async () => {
    await lab.project('held', { A: ['clean.py'] });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/held');
    await row(page, /^A\b/).click();
    await lab.kill();
    await page.getByLabel('Repeat').fill('6');
    await page.keyboard.press('Enter');
    await page.getByText('a change waits for the engine').waitFor();
    await lab.restart();
    await row(page, /^A\b.*× 6/).waitFor();
    await save(page);
    expect(await file('held')).toContain('<Repeat>6</Repeat>');
    expect(watch.faults).toEqual([]);
});

test('what was not saved outlives a reload', async () => {
    await lab.project('reloaded', { A: ['clean.py'] });
    const { page, context } = await Person.open(browser, lab);
    await page.goto('/projects/reloaded');
    await row(page, /^A\b/).click();
    await page.getByLabel('Repeat').fill('4');
    await page.keyboard.press('Enter');
    await row(page, /^A\b.*× 4/).waitFor();
    const again = await context.newPage();
    // A link to one of its tests leads there.
    await again.goto('/projects/reloaded?item=0.0');
    await again.getByRole('heading', { name: 'Test clean.py' }).waitFor();
    await row(again, /^A\b.*× 4/).waitFor();
    await again.getByRole('button', { name: /^Undo: What was not saved/ }).click();
    await row(again, /^A\b[^×]*$/).waitFor();
});

test('the text is edited beside the tree, with the same checks', async () => {
    await writeFile(
        place('text'),
        '\ufeff<Root>\r\n  <TestSuite>\r\n    <tsName>A</tsName>\r\n  </TestSuite>\r\n</Root>\r\n',
    );
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/text');
    await row(page, /^A\b/).waitFor();
    await page.keyboard.press('e');
    const text = page.getByRole('textbox', { name: 'Text of projects/text.xml' });
    await text.click();
    await page.keyboard.press('Control+Home');
    for (const key of ['ArrowDown', 'ArrowDown', 'End']) await page.keyboard.press(key);
    await page.keyboard.type('<Repeat>0</Repeat>');
    await page
        .getByText(/<Repeat> is `0`/)
        .first()
        .waitFor();
    for (let letter = 0; letter < '0</Repeat>'.length; letter++) await page.keyboard.press('Backspace');
    await page.keyboard.type('5</Repeat>');
    await page
        .getByText(/<Repeat> is/)
        .first()
        .waitFor({ state: 'detached' });
    await save(page);
    expect(await file('text')).toBe(
        '\ufeff<Root>\r\n  <TestSuite>\r\n    <tsName>A</tsName><Repeat>5</Repeat>\r\n  </TestSuite>\r\n</Root>\r\n',
    );
    await page.getByRole('link', { name: 'Tree', exact: true }).click();
    await row(page, /^A\b.*× 5/).waitFor();
    // All that was typed is one step.
    await page.getByRole('button', { name: 'Undo: Edit the text' }).click();
    await row(page, /^A\b.*× 5/).waitFor({ state: 'detached' });
    expect(await page.getByRole('button', { name: 'Undo', exact: true }).isDisabled()).toBe(true);
    expect(watch.faults).toEqual([]);
});

test('projects are copied, renamed, deleted, and had back byte for byte', async () => {
    const text =
        '<?xml version="1.0"?>\n<Root><!-- mine -->\n<TestSuite><tsName>A</tsName></TestSuite></Root>\n';
    await writeFile(place('first'), text);
    const { page, watch } = await Person.open(browser, lab);
    const more = async (project: string, deed: string): Promise<void> => {
        await page.getByRole('button', { name: `More: ${project}` }).click();
        await page.getByRole('menuitem', { name: deed }).click();
    };
    await page.goto('/projects');
    await more('first', 'Copy …');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('.file', { hasText: 'projects/first-copy.xml' }).waitFor();
    expect(await file('first-copy')).toBe(text);
    await page.goto('/projects');
    await more('first-copy', 'Rename …');
    await page.getByLabel('Name', { exact: true }).fill('first');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByText('there is a project `first` already').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('second');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByRole('link', { name: 'second' }).waitFor();
    expect(await file('second')).toBe(text);
    await more('second', 'Delete …');
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByRole('link', { name: 'second' }).waitFor({ state: 'detached' });
    await until('the file to go', async () => (await file('second').catch(() => undefined)) === undefined);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'second' }).waitFor();
    expect(await file('second')).toBe(text);
    expect(watch.faults).toEqual([]);
});

test('a project comes from a file and goes into one, byte for byte', async () => {
    const text = '\ufeff<?xml version="1.0"?>\r\n<Root><!-- mine --></Root>\r\n';
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects');
    await page.getByRole('button', { name: 'Import a file …' }).click();
    await page
        .locator('input[type="file"]')
        .setInputFiles({ name: 'brought.xml', mimeType: 'application/xml', buffer: Buffer.from(text) });
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('.file', { hasText: 'projects/brought.xml' }).waitFor();
    expect(await file('brought')).toBe(text);
    await page.goto('/projects');
    await page.getByRole('button', { name: 'More: brought' }).click();
    const coming = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Download' }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe('brought.xml');
    expect(await readFile(await download.path(), 'utf8')).toBe(text);
    expect(watch.faults).toEqual([]);
});

test('who may not change projects is offered nothing, and the engine refuses it', async () => {
    await lab.project('seen', { A: ['clean.py'] });
    await lab.user('looker', 'looks at everything', [], ['VIEW_REPORTS']);
    await lab.user('maker', 'makes new projects', [], ['VIEW_REPORTS', 'CREATE_PROJECT']);
    const { page, context, watch } = await Person.open(browser, lab, 'looker', 'looks at everything');
    await page.goto('/projects');
    await page.getByRole('link', { name: 'seen' }).waitFor();
    for (const name of [/New project/, /Import/, /^Run/])
        expect(await page.getByRole('button', { name }).count()).toBe(0);
    await page.getByRole('button', { name: 'More: seen' }).click();
    expect(await page.getByRole('menuitem').allTextContents()).toEqual(['Download']);
    await page.goto('/projects/seen');
    await row(page, /clean\.py/).click();
    for (const name of [
        'Save',
        /^Undo/,
        /^Redo/,
        /Remove/,
        'Move to …',
        'Suite',
        'Test files',
        /Dependency/,
        'Add it',
    ])
        expect(await page.getByRole('button', { name, exact: true }).count(), String(name)).toBe(0);
    expect(await page.getByLabel('Repeat').getAttribute('readonly')).not.toBeNull();
    await page.keyboard.press('Delete');
    await page.keyboard.press('Control+x');
    await row(page, /clean\.py/).waitFor();
    const headers = { Origin: lab.url };
    const refused = async (method: string, path: string, data: object): Promise<number> =>
        (await context.request.fetch(`/api/v1${path}`, { method, data, headers })).status();
    expect(await refused('PUT', '/projects/seen', { xml: '<Root/>' })).toBe(403);
    expect(await refused('PUT', '/projects/new', { xml: '<Root/>' })).toBe(403);
    expect(await refused('DELETE', '/projects/seen', {})).toBe(403);
    expect(await refused('POST', '/projects/rename', { project: 'seen', to: 'x' })).toBe(403);
    // Who may only make new ones does not write over what is there.
    const maker = await Person.open(browser, lab, 'maker', 'makes new projects');
    const put = (name: string) =>
        maker.context.request.fetch(`/api/v1/projects/${name}`, {
            method: 'PUT',
            data: { xml: '<Root/>', unfinished: true },
            headers,
        });
    expect((await put('seen')).status()).toBe(403);
    expect((await put('of-maker')).status()).toBe(200);
    expect(await file('seen')).toContain('clean.py');
    expect(watch.faults).toEqual([]);
});
