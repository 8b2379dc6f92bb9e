// Test configurations and global parameters: edited beside people who edit them by hand, with nothing lost and nothing else changed; what tests set
// goes before the file, and is said; and who may.

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
    await lab.test('sets.py', 'import jackfield\njackfield.set_global("net/gw", "10.9.9.9")\n');
    await lab.project('uses', { A: ['sets.py'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const place = (path: string): string => join(lab.folder, path);
const row = (page: Page, name: string | RegExp): Locator =>
    page.getByRole('tree', { name: /^Folders and values/ }).getByRole('treeitem', { name });

/** Another value of the chosen one. */
async function set(page: Page, value: string): Promise<void> {
    await page.getByLabel('Value', { exact: true }).fill(value);
    await page.getByLabel('Description').focus();
    await page.getByRole('button', { name: /^Undo: Set / }).waitFor();
}

/** As Twister writes it, with comments. */
const BY_TWISTER =
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\r\n<root>\r\n\t<!-- the ports -->\r\n\t<folder>\r\n\t\t<fname>port</fname>\r\n\t\t<fdesc/>\r\n\t\t<param>\r\n\t\t\t<name>rate</name>\r\n\t\t\t<value>3, 1..3</value>\r\n\t\t\t<desc/>\r\n\t\t\t<type>iterator</type>\r\n\t\t</param>\r\n\t</folder>\r\n</root>\r\n';

test('one value is changed, and nothing else in the file', async () => {
    await lab.put('/test-configs/tc', { xml: BY_TWISTER });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/configs');
    await page.getByRole('row', { name: /tc.*1 iterator, 3 copies.*nobody/ }).waitFor();
    await page.getByRole('link', { name: 'tc' }).click();
    await row(page, /rate/).click();
    await page.getByLabel('Values of the iterator').getByText('3 copies of the test').waitFor();
    await set(page, '1..5, x');
    await page.getByLabel('Values of the iterator').getByText('6 copies of the test').waitFor();
    await page.getByRole('link', { name: 'Difference' }).click();
    await page.getByText('Saving changes 1 line of configs/tc, and nothing else.').waitFor();
    await page.getByRole('link', { name: 'Tree', exact: true }).click();
    await save(page);
    expect(await readFile(place('configs/tc'), 'utf8')).toBe(BY_TWISTER.replace('3, 1..3', '1..5, x'));
    // More values than anybody wants are told where they stand, and F8 leads there.
    await set(page, '1..100000000');
    await page.getByRole('button', { name: '1 error' }).waitFor();
    await row(page, /rate.*error/).waitFor();
    await row(page, /The file/).click();
    await page.keyboard.press('F8');
    await page.getByRole('heading', { name: 'Value rate' }).waitFor();
    await page.getByText(/has more than \d+ values/).waitFor();
    expect(watch.faults).toEqual([]);
});

test('two who edit the same are both heard: theirs, mine, or both', async () => {
    const before =
        '<root>\n    <!-- by hand -->\n    <param><name>z</name><value>0</value></param>\n    <param><name>a</name><value>1</value></param>\n    <param><name>b</name><value>1</value></param>\n</root>\n';
    await lab.put('/test-configs/shared', { xml: before });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/configs/shared');
    await row(page, /^a/).click();
    await set(page, '2');
    await row(page, /^b/).click();
    await set(page, '3');
    await writeFile(
        place('configs/shared'),
        before.replace('by hand', 'by Git').replace('<value>1', '<value>9'),
    );
    await page.keyboard.press('Control+s');
    await page.getByText(/Somebody else saved[^]*configs\/shared/).waitFor();
    await page.getByRole('radio', { name: 'Both, yours first' }).check();
    await page.getByRole('button', { name: 'Put together', exact: true }).click();
    await save(page);
    // Both stand there now, mine first; a person puts that in order.
    expect(await readFile(place('configs/shared'), 'utf8')).toBe(
        before
            .replace('by hand', 'by Git')
            .replace(
                '<param><name>a</name><value>1</value></param>\n    <param><name>b</name><value>1</value></param>\n',
                '<param><name>a</name><value>2</value></param>\n    <param><name>b</name><value>3</value></param>\n    <param><name>a</name><value>9</value></param>\n    <param><name>b</name><value>1</value></param>\n',
            ),
    );
    await page
        .getByRole('button', { name: /warning/ })
        .first()
        .waitFor();
    expect(watch.faults).toEqual([]);
});

test('a test configuration is copied, deleted with its users told, and had back', async () => {
    await lab.put('/test-configs/base', { xml: BY_TWISTER });
    await writeFile(
        place('projects/of-base.xml'),
        '<Root><TestSuite><tsName>A</tsName><ConfigFiles><Config name="/base.xml"/></ConfigFiles><TestCase><tcName>sets.py</tcName></TestCase></TestSuite></Root>\n',
    );
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/configs');
    await page.getByRole('row', { name: /base.*of-base/ }).waitFor();
    await page.getByRole('button', { name: 'More: base' }).click();
    await page.getByRole('menuitem', { name: 'Copy …' }).click();
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.locator('.file', { hasText: 'configs/base-copy' }).waitFor();
    expect(await readFile(place('configs/base-copy'), 'utf8')).toBe(BY_TWISTER);
    await page.goto('/configs/base-gone');
    await page.getByText('There is no test configuration base-gone').waitFor();
    await page.goto('/configs');
    await page.getByRole('button', { name: 'More: base', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Delete …' }).click();
    await page.getByText('It is used by of-base').waitFor();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('Test configuration base was deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.getByRole('row', { name: /base .*of-base/ }).waitFor();
    expect(await readFile(place('configs/base'), 'utf8')).toBe(BY_TWISTER);
    // The project names it by another way to write it: it is the one of the list.
    await page.goto('/projects/of-base?item=0');
    const named = page.getByRole('group', { name: 'Test configuration base' });
    await named.getByText('1 iterator, 3 copies').waitFor();
    expect(watch.faults).toEqual([]);
});

test('global parameters begin with nothing, and what tests set goes before them', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/globals');
    await page.getByText('not there yet').waitFor();
    await page.getByRole('button', { name: 'Folder', exact: true }).click();
    await page.locator('#item-name').fill('net');
    await page.keyboard.press('Enter');
    await row(page, /^net/).waitFor();
    await page.getByRole('button', { name: 'Value', exact: true }).click();
    await row(page, /new_value/).waitFor();
    await page.locator('#item-name').fill('gw');
    await page.keyboard.press('Enter');
    await row(page, /^gw/).waitFor();
    await set(page, '10.0.0.1');
    await page.getByText('get_global("net/gw")').waitFor();
    // No test is run once for each value of a global parameter.
    expect(await page.getByLabel('Type').locator('option').allTextContents()).toEqual(['text', 'number']);
    await save(page);
    expect(await readFile(place('globals.xml'), 'utf8')).toBe(
        '<?xml version="1.0" encoding="UTF-8"?>\n<root>\n    <folder>\n        <fname>net</fname>\n        <param><name>gw</name><value>10.0.0.1</value><type>string</type></param>\n    </folder>\n</root>\n',
    );
    const run = await lab.run('uses');
    await lab.reached(run, 'completed');
    await page.reload();
    await page.getByText('Your tests have set 1 parameter').click();
    await page.getByText('"10.9.9.9"').waitFor();
    await page.getByRole('button', { name: 'Forget what tests have set net/gw to' }).click();
    await page.getByText('Your tests have set').waitFor({ state: 'detached' });
    expect(watch.faults).toEqual([]);
});

test('things are moved, cut and pasted as in a project, and nothing stands in a value', async () => {
    await lab.put('/test-configs/moves', {
        xml: '<root>\n    <folder>\n        <fname>A</fname>\n        <param><name>one</name><value>1</value></param>\n    </folder>\n    <folder>\n        <fname>B</fname>\n    </folder>\n</root>\n',
    });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/configs/moves');
    const names = async (): Promise<string[]> =>
        (await page.getByRole('treeitem').allInnerTexts()).map(
            (text) => /\b(A|B|one)\b/.exec(text)?.[0] ?? '',
        );
    await row(page, /^one/).dragTo(row(page, /^B/));
    await expect.poll(names).toEqual(['', 'A', 'B', 'one']);
    await row(page, /^A/).dragTo(row(page, /^one/));
    await expect.poll(names).toEqual(['', 'B', 'one', 'A']);
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await expect.poll(names).toEqual(['', 'A', 'one', 'B']);
    await row(page, /^one/).click();
    await page.keyboard.press('Alt+ArrowLeft');
    await expect.poll(names).toEqual(['', 'A', 'one', 'B']);
    await page.keyboard.press('Control+c');
    await row(page, /^B/).click();
    await page.keyboard.press('Control+v');
    await expect.poll(names).toEqual(['', 'A', 'one', 'B', 'one']);
    await save(page);
    expect(await readFile(place('configs/moves'), 'utf8')).toBe(
        '<root>\n    <folder>\n        <fname>A</fname>\n    </folder>\n    <param><name>one</name><value>1</value></param>\n    <folder>\n        <fname>B</fname>\n        <param><name>one</name><value>1</value></param>\n    </folder>\n</root>\n',
    );
    expect(watch.faults).toEqual([]);
});

test('who may not is offered nothing, and the engine refuses it', async () => {
    await lab.put('/test-configs/seen', { xml: BY_TWISTER });
    await lab.user('looker', 'looks at everything', [], ['VIEW_REPORTS']);
    await lab.user('runner', 'runs everything', [], ['RUN_TESTS']);
    const looker = await Person.open(browser, lab, 'looker', 'looks at everything');
    await looker.page.goto('/configs');
    await looker.page.getByRole('link', { name: 'seen' }).waitFor();
    for (const name of [/^New test/, /^More/])
        expect(await looker.page.getByRole('button', { name }).count()).toBe(0);
    await looker.page.goto('/configs/seen');
    await row(looker.page, /rate/).click();
    for (const name of ['Save', /^Undo/, /^Folder/, /^Value/, /^Iterator/, /Remove/, 'Move to …'])
        expect(await looker.page.getByRole('button', { name }).count(), String(name)).toBe(0);
    await looker.page.goto('/globals');
    await looker.page.getByText('one of the roles CHANGE_GLOBALS and RUN_TESTS').waitFor();
    const asked = await looker.context.request.put('/api/v1/test-configs/seen', {
        data: { xml: '<root/>' },
        headers: { Origin: lab.url },
    });
    expect(asked.status()).toBe(403);
    const runner = await Person.open(browser, lab, 'runner', 'runs everything');
    await runner.page.goto('/globals');
    await runner.page.getByRole('tree').waitFor();
    expect(await runner.page.getByRole('button', { name: 'Save' }).count()).toBe(0);
    const put = await runner.context.request.put('/api/v1/globals', {
        data: { xml: '<root/>' },
        headers: { Origin: lab.url },
    });
    expect(put.status()).toBe(403);
    expect([...looker.watch.faults, ...runner.watch.faults]).toEqual([]);
});
