// A project from an empty lab to its run, made in the browser alone: with the mouse, and again with nothing but keys. The file is what a person
// would have written by hand.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
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
const testFile = (page: Page, name: string): Locator =>
    page.getByRole('tree', { name: 'Test files' }).getByRole('treeitem', { name });

async function save(page: Page): Promise<void> {
    await page.keyboard.press('Control+s');
    await page.getByText('saved', { exact: true }).waitFor();
}

/** Names what has just been made: its name stands chosen in its field. */
async function named(page: Page, name: string): Promise<void> {
    await page
        .getByLabel('Name', { exact: true })
        .and(page.locator('[value="New suite"]'))
        .or(page.locator('#item-name'))
        .first()
        .waitFor();
    await expect.poll(() => page.locator('#item-name').inputValue()).toBe('New suite');
    await page.locator('#item-name').fill(name);
    await page.keyboard.press('Enter');
    await row(page, name).waitFor();
}

/** The project of the story, as somebody would write it who knows the format. */
const BY_HAND = `<?xml version="1.0" encoding="UTF-8"?>
<Root>
    <stoponfail>true</stoponfail>
    <UserDefined><propName>release</propName><propValue>1.2</propValue></UserDefined>
    <TestSuite>
        <tsName>Set up</tsName>
        <TestCase>
            <tcName>prepare.py</tcName>
            <ID>IDS</ID>
            <Property><propName>setup_file</propName><propValue>true</propValue></Property>
        </TestCase>
        <TestCase>
            <tcName>clean.py</tcName>
            <Property><propName>teardown_file</propName><propValue>true</propValue></Property>
        </TestCase>
    </TestSuite>
    <TestSuite>
        <tsName>BGP</tsName>
        <Repeat>2</Repeat>
        <TestCase>
            <tcName>bgp/peers.py</tcName>
            <Dependency>IDS:pass</Dependency>
            <Property><propName>Prerequisite</propName><propValue>true</propValue></Property>
        </TestCase>
        <TestCase>
            <tcName>bgp/routes.py</tcName>
        </TestCase>
    </TestSuite>
</Root>
`;

test('a project is made with the mouse, saved, run, and edited again', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.getByRole('link', { name: 'Projects' }).click();
    await page.getByRole('button', { name: 'Make the first one' }).click();
    await page.getByLabel('Name', { exact: true }).fill('nightly');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('.file', { hasText: 'projects/nightly.xml' }).waitFor();

    await page.getByRole('button', { name: 'Suite', exact: true }).click();
    await named(page, 'Set up');
    await page.getByRole('button', { name: 'Suite', exact: true }).click();
    await named(page, 'BGP');

    // Files into suites: one by one, and a folder with all in it.
    await testFile(page, 'prepare.py').dragTo(row(page, 'Set up'));
    await row(page, /prepare\.py/).waitFor();
    // What a test says of itself.
    await page.getByRole('heading', { name: 'Prepares the bed' }).waitFor();
    await page.getByText('Loads the configuration').waitFor();
    await testFile(page, 'bgp/').dragTo(row(page, /^BGP\b/));
    await row(page, /bgp\/routes\.py/).waitFor();
    await testFile(page, 'clean.py').dragTo(row(page, /bgp\/peers\.py/));
    await row(page, /clean\.py/).waitFor();
    // It belongs to the other suite; and back, and again.
    await row(page, /clean\.py/).dragTo(row(page, 'Set up'));
    await page.getByRole('button', { name: /^Undo: Move test clean\.py to suite Set up/ }).click();
    await page.getByRole('button', { name: /^Redo: Move test clean\.py/ }).click();
    await page.getByRole('button', { name: /^Undo: Move test clean\.py/ }).waitFor();

    await row(page, /prepare\.py/).click();
    await page.getByRole('checkbox', { name: 'Setup' }).check();
    await row(page, /prepare\.py.*setup/).waitFor();
    await row(page, /clean\.py/).click();
    await page.getByRole('checkbox', { name: 'Teardown' }).check();
    await row(page, /clean\.py.*teardown/).waitFor();
    await row(page, /peers\.py/).click();
    await page.getByRole('checkbox', { name: 'Prerequisite' }).check();
    await row(page, /peers\.py.*prerequisite/).waitFor();
    await page.getByRole('button', { name: 'Dependency …' }).click();
    await page.getByRole('button', { name: 'test prepare.py' }).click();
    await row(page, /peers\.py.*depends/).waitFor();
    await row(page, /^BGP\b/).click();
    await page.getByLabel('Repeat').fill('2');
    await page.keyboard.press('Enter');
    await row(page, /BGP.*× 2/).waitFor();
    await row(page, 'Project settings').click();
    await page.getByRole('checkbox', { name: 'Stop on fail' }).check();
    await page.getByLabel('Name of a new one').fill('release');
    await page.getByLabel('Its value').fill('1.2');
    await page.keyboard.press('Enter');
    await page.getByLabel('Value of release').waitFor();

    await page.getByRole('link', { name: 'Difference' }).click();
    // All lines but the three that an empty project has.
    const lines = BY_HAND.split('\n').length - 1 - 3;
    await page.getByText(`Saving changes ${lines} lines of`).waitFor();
    await page.getByRole('link', { name: 'Tree', exact: true }).click();
    await save(page);
    const text = await file('nightly');
    const id = /<ID>(.*)<\/ID>/.exec(text)?.[1] ?? '';
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(text).toBe(BY_HAND.replaceAll('IDS', id));

    await page.getByRole('button', { name: 'Run …' }).click();
    await page.getByRole('button', { name: /^Start/ }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    await lab.reached(Number(page.url().split('/').at(-1)), 'completed');
    await page.getByRole('link', { name: 'Projects' }).click();
    await page
        .getByRole('row', { name: /nightly/ })
        .getByText('passed')
        .waitFor();

    // After a save, and after having been elsewhere, steps can still be undone.
    await page.getByRole('link', { name: 'nightly' }).first().click();
    await page.getByRole('button', { name: /^Undo: Set release of the project/ }).click();
    await page.getByText('not saved').waitFor();
    await page.getByRole('button', { name: /^Redo: Set release/ }).click();
    await page.getByText('saved', { exact: true }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('the same is made with nothing but keys, and said to who listens', async () => {
    const { page, watch } = await Person.open(browser, lab);
    const said = (words: RegExp): Promise<void> =>
        page.locator('[aria-live="polite"]', { hasText: words }).first().waitFor({ state: 'attached' });
    const key = async (...names: string[]): Promise<void> => {
        for (const name of names) await page.keyboard.press(name);
    };
    await key('g', 'p');
    await page.getByRole('heading', { name: 'Projects' }).waitFor();
    await key('n');
    await page.keyboard.type('by-keys');
    await key('Enter');
    const tree = page.getByRole('tree', { name: /^Suites and tests/ });
    await tree.waitFor();
    for (const name of ['One', 'Two']) {
        await page.getByRole('button', { name: 'Suite', exact: true }).focus();
        await key('Enter');
        await expect.poll(() => page.locator('#item-name').inputValue()).toBe('New suite');
        await page.keyboard.type(name);
        await key('Enter');
        await said(new RegExp(`Rename of suite`));
        await row(page, name).waitFor();
    }
    const files = page.getByRole('tree', { name: 'Test files' });
    await files.focus();
    await key('Home');
    // Into the chosen suite: all of the first folder.
    await key('Enter');
    await said(/Add 2 tests/);
    await row(page, /routes\.py/).waitFor();
    await tree.focus();
    // Up, out of the suite into the one before; then cut and pasted.
    await key('End', 'Alt+ArrowUp');
    await said(/Move test bgp\/routes\.py to suite Two/);
    await key('Alt+ArrowUp');
    await said(/Move test bgp\/routes\.py to suite One/);
    await key('Control+x');
    await said(/Cut test bgp\/routes\.py/);
    await key('End', 'Control+v');
    await expect
        .poll(async () =>
            (await tree.getByRole('treeitem').allTextContents())
                .map((text) => /[\w/.]+\.py|One|Two/.exec(text)?.[0])
                .filter(Boolean),
        )
        .toEqual(['One', 'Two', 'bgp/peers.py', 'bgp/routes.py']);
    // Two at once, by a dialog.
    await key('Shift+ArrowUp', 'm');
    await page.getByRole('dialog', { name: 'Move 2 tests to …' }).waitFor();
    await page.keyboard.type('One');
    await key('Tab', 'Tab', 'Tab', 'Enter');
    await said(/Move 2 tests to suite One/);
    await tree.focus();
    await key('Delete');
    await said(/Remove 2 tests/);
    await key('Control+z');
    await row(page, /peers\.py/).waitFor();
    await save(page);
    expect(await file('by-keys')).toContain(
        '        <tsName>One</tsName>\n        <TestCase>\n            <tcName>bgp/peers.py</tcName>\n        </TestCase>\n',
    );
    expect(watch.faults).toEqual([]);
});

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
    // Two pages of the engine: the second to save is told, whoever it is.
    const other = await Person.open(browser, lab);
    await other.page.goto('/projects/shared');
    await row(other.page, /^A\b/).click();
    await other.page.getByLabel('Repeat').fill('7');
    await other.page.keyboard.press('Enter');
    await save(other.page);
    await row(page, /^A\b/).click();
    await page.getByLabel('Repeat').fill('8');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+s');
    await page.getByText(/Somebody else saved/).waitFor();
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
