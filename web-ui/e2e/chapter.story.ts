// The guide's chapter on projects as one story, on an empty lab: a test configuration with an iterator, two suites, tests that are dragged in, fields,
// properties, a prerequisite, setup and teardown, a dependency across suites; saved, run, and edited again. Once with the mouse, and once by who
// sees nothing and presses keys. The files are what a person would have written by hand, byte for byte.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';
import { Listener } from './spoken';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'prepare.py',
        '# <title>Prepares the bed</title>\n# <description>Loads the\n#   configuration</description>\nprint("ready")\n',
    );
    for (const name of ['bgp/routes.py', 'clean.py']) await lab.test(name, `print("${name}")\n`);
    await lab.test('bgp/peers.py', 'import jackfield\nprint(jackfield.get_config("speeds", "port/rate"))\n');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const read = (path: string): Promise<string> => readFile(join(lab.folder, path), 'utf8');
const row = (page: Page, name: string | RegExp): Locator =>
    page.getByRole('tree', { name: /^Suites and tests/ }).getByRole('treeitem', { name });
const testFile = (page: Page, name: string): Locator =>
    page.getByRole('tree', { name: 'Test files' }).getByRole('treeitem', { name });

/** The name of what was just made stands chosen in its field. */
async function named(page: Page, before: string, name: string): Promise<void> {
    await expect.poll(() => page.locator('#item-name').inputValue()).toBe(before);
    await page.locator('#item-name').fill(name);
    await page.keyboard.press('Enter');
}

/** The test configuration of the story, as somebody would write it who has read the book. */
const CONFIG_BY_HAND = `<?xml version="1.0" encoding="UTF-8"?>
<root>
    <folder>
        <fname>port</fname>
        <param><name>rate</name><value>10, 100, 1000</value><type>iterator</type></param>
        <param><name>duplex</name><value>full</value><type>string</type></param>
    </folder>
</root>
`;

/** The project, likewise. */
const PROJECT_BY_HAND = `<?xml version="1.0" encoding="UTF-8"?>
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
        <UserDefined><propName>owner</propName><propValue>ana</propValue></UserDefined>
        <TestCase>
            <tcName>bgp/peers.py</tcName>
            <Dependency>IDS:pass</Dependency>
            <ConfigFiles>
                <Config name="speeds" enabled="true" iterator_sof="true"/>
            </ConfigFiles>
            <Property><propName>Prerequisite</propName><propValue>true</propValue></Property>
        </TestCase>
        <TestCase>
            <tcName>bgp/routes.py</tcName>
        </TestCase>
    </TestSuite>
</Root>
`;

/** The project on the disk with its one ID named as in the text above. */
async function project(name: string): Promise<string> {
    const text = await read(`projects/${name}.xml`);
    const id = /<ID>(.*)<\/ID>/.exec(text)?.[1] ?? '';
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    return text.replaceAll(id, 'IDS');
}

test('the chapter with the mouse', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.getByRole('link', { name: 'Projects', exact: true }).first().click();

    // A configuration with an iterator, first.
    await page.getByRole('link', { name: 'Test configurations' }).click();
    await page.getByRole('button', { name: 'Make the first one' }).click();
    await page.getByLabel('Name', { exact: true }).fill('speeds');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('.file', { hasText: 'configs/speeds' }).waitFor();
    const values = page.getByRole('tree', { name: /^Folders and values/ });
    await page.getByRole('button', { name: 'Folder', exact: true }).click();
    await named(page, 'new_folder', 'port');
    await page.getByRole('button', { name: 'Iterator', exact: true }).click();
    await named(page, 'new_value', 'rate');
    await page.getByLabel('Value', { exact: true }).fill('10, 100, 1000');
    await page.getByLabel('Description').focus();
    // The count is there as it is typed.
    await page.getByText('3 copies of the test').waitFor();
    await page.getByText('1 iterator, 3 copies of a test').waitFor();
    await page.getByRole('button', { name: 'Value', exact: true }).click();
    await named(page, 'new_value', 'duplex');
    await page.getByLabel('Value', { exact: true }).fill('full');
    await page.getByLabel('Description').focus();
    await values.getByRole('treeitem', { name: /duplex.*full/ }).waitFor();
    await page.getByText('get_config("speeds", "port/duplex")').waitFor();
    await save(page);
    expect(await read('configs/speeds')).toBe(CONFIG_BY_HAND);

    // The project with two suites.
    await page.getByRole('link', { name: 'Projects', exact: true }).first().click();
    await page.getByRole('button', { name: 'Make the first one' }).click();
    await page.getByLabel('Name', { exact: true }).fill('nightly');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('.file', { hasText: 'projects/nightly.xml' }).waitFor();
    for (const suite of ['Set up', 'BGP']) {
        await page.getByRole('button', { name: 'Suite', exact: true }).click();
        await named(page, 'New suite', suite);
        await row(page, suite).waitFor();
    }

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
    await page.getByLabel('Add a test configuration').selectOption('speeds');
    await row(page, /peers\.py.*speeds.*3 attempts/).waitFor();
    await page.getByRole('checkbox', { name: 'stop on fail' }).check();
    await row(page, /^BGP\b/).click();
    await page.getByLabel('Repeat').fill('2');
    await page.keyboard.press('Enter');
    await row(page, /BGP.*× 2/).waitFor();
    await page.getByLabel('Name of a new one').fill('owner');
    await page.getByLabel('Its value').fill('ana');
    await page.keyboard.press('Enter');
    await page.getByLabel('Value of owner').waitFor();
    await row(page, 'Project settings').click();
    await page.getByRole('checkbox', { name: 'Stop on fail' }).check();
    await page.getByLabel('Name of a new one').fill('release');
    await page.getByLabel('Its value').fill('1.2');
    await page.keyboard.press('Enter');
    await page.getByLabel('Value of release').waitFor();

    // What would run: setup, teardown, and twice three copies and one.
    await page.getByRole('button', { name: '10 attempts, not run yet' }).click();
    const preview = page.getByRole('dialog', { name: 'What would run' });
    await preview
        .getByRole('row', { name: /peers\.py \[rate=100\]/ })
        .first()
        .waitFor();
    await preview.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('link', { name: 'Difference' }).click();
    // All lines but the three that an empty project has.
    const lines = PROJECT_BY_HAND.split('\n').length - 1 - 3;
    await page.getByText(`Saving changes ${lines} lines of`).waitFor();
    await page.getByRole('link', { name: 'Tree', exact: true }).click();
    await save(page);
    expect(await project('nightly')).toBe(PROJECT_BY_HAND);

    await page.getByRole('button', { name: 'Run …' }).click();
    await page.getByRole('button', { name: /^Start/ }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(page.url().split('/').at(-1));
    await lab.reached(run, 'completed');
    const { counts, tests } = await lab.get<{ counts: Record<string, number>; tests: number }>(
        `/runs/${run}`,
    );
    expect([tests, counts['PASS']]).toEqual([10, 10]);
    await page.getByRole('link', { name: 'Projects', exact: true }).first().click();
    await page
        .getByRole('row', { name: /nightly/ })
        .getByText('passed')
        .waitFor();

    // Edited again, after having been elsewhere: steps can still be undone, also after the save; and what it will cost is known now.
    await page.getByRole('link', { name: 'nightly' }).first().click();
    await page.getByRole('button', { name: /^10 attempts, about/ }).waitFor();
    await page.getByRole('button', { name: /^Undo: Set release of the project/ }).click();
    await page.getByText('not saved').waitFor();
    await page.getByRole('button', { name: /^Redo: Set release/ }).click();
    await page.getByText('saved', { exact: true }).waitFor();
    await row(page, /peers\.py/).click();
    await page.getByRole('checkbox', { name: 'default only' }).check();
    await page.getByRole('button', { name: /^6 attempts/ }).waitFor();
    await save(page);
    const edited = PROJECT_BY_HAND.replace(
        'iterator_sof="true"/>',
        'iterator_sof="true" iterator_default="true"/>',
    );
    expect(await project('nightly')).toBe(edited);
    expect(watch.faults).toEqual([]);
});

test('the chapter by keys, and by what is heard', async () => {
    const { page, watch } = await Person.open(browser, lab);
    const ear = await Listener.to(page);
    // The configuration.
    await ear.press('g', 'c');
    await page.getByRole('heading', { name: 'Test configurations' }).waitFor();
    await ear.press('n');
    await ear.tab(/^textbox: Name/);
    await page.keyboard.type('rates');
    await ear.press('Enter');
    await page.getByRole('tree', { name: /^Folders and values/ }).waitFor();
    await ear.tab(/^button: Folder/);
    await ear.press('Enter');
    await ear.until('F2', /^textbox: Name/);
    await expect.poll(() => ear.heard()).toMatch(/^textbox: Name/);
    await ear.fill('port');
    await ear.said(/Rename of folder new_folder: done/);
    await ear.back(/^button: Iterator/);
    await ear.press('Enter');
    await ear.said(/Add value new_value: done/);
    await expect.poll(() => ear.heard()).toMatch(/^textbox: Name/);
    await ear.fill('rate');
    await ear.said(/Rename of value new_value: done/);
    await ear.tab(/^textbox: Value/);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('10, 100, 1000');
    await ear.tab(/^textbox: Description/);
    await ear.said(/Set rate: done/);
    await ear.back(/^button: Value/);
    await ear.press('Enter');
    await ear.said(/Add value new_value: done/);
    await expect.poll(() => ear.heard()).toMatch(/^textbox: Name/);
    await ear.fill('duplex');
    await ear.said(/Rename of value new_value: done/);
    await ear.tab(/^textbox: Value/);
    await page.keyboard.type('full');
    await ear.tab(/^textbox: Description/);
    await ear.said(/Set duplex: done/);
    await save(page);
    expect(await read('configs/rates')).toBe(CONFIG_BY_HAND);

    // The project: two suites, and tests from the list of files.
    await ear.press('Escape', 'g', 'p');
    await page.getByRole('heading', { name: 'Projects' }).waitFor();
    await ear.press('n');
    await ear.tab(/^textbox: Name/);
    await page.keyboard.type('by-keys');
    await ear.press('Enter');
    await page.getByRole('tree', { name: /^Suites and tests/ }).waitFor();
    const suite = async (name: string): Promise<void> => {
        await ear.back(/^button: Suite(?!s)/);
        await ear.press('Enter');
        await ear.said(/Add suite New suite: done/);
        await expect.poll(() => ear.heard()).toMatch(/^textbox: Name/);
        await ear.fill(name);
        await ear.said(/Rename of suite New suite: done/);
    };
    await ear.tab(/^button: Suite(?!s)/);
    await suite('Set up');
    await suite('BGP');
    // All of the first folder goes into the chosen suite, the others are moved.
    await ear.tab(/^tree: Test files/);
    await ear.press('Home');
    await ear.until('ArrowDown', /^treeitem: bgp/);
    await ear.press('Enter');
    await ear.said(/Add 2 tests: done/);
    await ear.until('ArrowDown', /^treeitem: .*prepare\.py/);
    await ear.press('Enter');
    await ear.said(/Add test prepare\.py: done/);
    await ear.until('ArrowUp', /^treeitem: .*clean\.py/);
    await ear.press('Enter');
    await ear.said(/Add test clean\.py: done/);
    await ear.back(/^treeitem: .*clean\.py.*, in Suites and tests/);
    await ear.press('m');
    await expect.poll(() => ear.heard()).toMatch(/^searchbox: Find a suite/);
    await page.keyboard.type('Set up');
    await ear.tab(/^button: Set up/);
    await ear.press('Enter');
    await ear.said(/Move test clean\.py to suite Set up: done/);
    const tree = page.getByRole('tree', { name: /^Suites and tests/ });
    await ear.back(/, in Suites and tests/);
    await ear.press('Home');
    await ear.until('ArrowDown', /^treeitem: .*prepare\.py/);
    // Cut, and pasted where the suite is; then one place up.
    await ear.press('Control+x');
    await ear.said(/Cut test prepare\.py/);
    await ear.until('ArrowUp', /^treeitem: Set up/);
    await ear.press('Control+v');
    await ear.said(/Move test prepare\.py to suite Set up: done/);
    await ear.press('Alt+ArrowUp');
    await expect
        .poll(async () =>
            (await tree.getByRole('treeitem').allTextContents())
                .map((text) => /[\w/]+\.py/.exec(text)?.[0])
                .filter(Boolean),
        )
        .toEqual(['prepare.py', 'clean.py', 'bgp/peers.py', 'bgp/routes.py']);

    /** Chooses in the tree, and goes to something that is said of it. */
    const go = async (item: RegExp, to: RegExp): Promise<void> => {
        await ear.back(/, in Suites and tests/);
        await ear.press('Home');
        await ear.until('ArrowDown', item);
        await ear.tab(to);
    };
    await go(/^treeitem: .*prepare\.py/, /^checkbox: Setup/);
    await ear.press('Space');
    await ear.said(/Set setup of test prepare\.py: done/);
    await go(/^treeitem: .*clean\.py/, /^checkbox: Teardown/);
    await ear.press('Space');
    await ear.said(/Set teardown of test clean\.py: done/);
    await go(/^treeitem: .*peers\.py/, /^checkbox: Prerequisite/);
    await ear.press('Space');
    await ear.said(/Set prerequisite of test bgp\/peers\.py: done/);
    await ear.tab(/^combobox: Add a test configuration/);
    await page.keyboard.type('rates');
    await ear.said(/Add test configuration rates of test bgp\/peers\.py: done/);
    await go(/^treeitem: .*peers\.py/, /^checkbox: stop on fail/);
    await ear.press('Space');
    await ear.said(/Set stop on fail of test configuration rates/);
    await ear.tab(/^button: Dependency/);
    await ear.press('Enter');
    await expect.poll(() => ear.heard()).toMatch(/^searchbox: Find what it depends on/);
    await page.keyboard.type('prepare');
    await ear.tab(/^button: test prepare\.py/);
    await ear.press('Enter');
    await ear.said(/Set the dependency of test bgp\/peers\.py: done/);
    await go(/^treeitem: BGP/, /^textbox: Repeat/);
    await ear.fill('2');
    await ear.said(/Set repeat of suite BGP: done/);
    await ear.tab(/^textbox: Name of a new one/);
    await page.keyboard.type('owner');
    await ear.press('Tab');
    await page.keyboard.type('ana');
    await ear.press('Enter');
    await ear.said(/Set owner of suite BGP: done/);
    await go(/^treeitem: Project settings/, /^checkbox: Stop on fail/);
    await ear.press('Space');
    await ear.said(/Set stop on fail of the project: done/);
    await ear.tab(/^textbox: Name of a new one/);
    await page.keyboard.type('release');
    await ear.press('Tab');
    await page.keyboard.type('1.2');
    await ear.press('Enter');
    await ear.said(/Set release of the project: done/);
    await save(page);
    const wanted = PROJECT_BY_HAND.replace('"speeds"', '"rates"');
    // What was said first stands first: here the configuration came before the dependency.
    const moved = /( *<Dependency>.*<\/Dependency>\n)( *<ConfigFiles>[^]*?<\/ConfigFiles>\n)/;
    expect(await project('by-keys')).toBe(wanted.replace(moved, '$2$1'));

    // Run it, and read that it went well.
    await ear.press('Escape');
    await ear.tab(/^button: Run …/);
    await ear.press('Enter');
    await page.waitForURL(/\/runs\/new/);
    await ear.tab(/^button: Start/);
    await ear.press('Enter');
    await page.waitForURL(/\/runs\/\d+$/);
    await lab.reached(Number(page.url().split('/').at(-1)), 'completed');
    // And edited again: F2 leads to the name, undo takes it back.
    await page.goto('/projects/by-keys');
    await tree.waitFor();
    await ear.tab(/^treeitem: Project settings/);
    await ear.until('ArrowDown', /^treeitem: .*BGP/);
    await ear.press('F2');
    expect(await ear.heard()).toMatch(/^textbox: Name/);
    await ear.fill('OSPF');
    await ear.said(/Rename of suite BGP: done/);
    await ear.press('Escape', 'Control+z');
    await row(page, /^BGP/).waitFor();
    expect(watch.faults).toEqual([]);
});
