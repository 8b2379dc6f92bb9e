// Test files: found, read, written over the version that was read, uploaded, deleted and had back; with their history, their users and their results.

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

const PING =
    '# <title>Ping all ports</title>\n# <description>Each port answers.</description>\nprint("pong")\n';

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('ping.py', PING);
    await lab.test('switch/vlan.tcl', '# <title>VLANs</title>\nputs router\n');
    await lab.project('night', { Smoke: ['ping.py'] });
    const run = await lab.run('night');
    await lab.reached(run, 'completed');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const place = (file: string): string => join(lab.folder, 'tests', file);
const found = (page: Page) => page.getByRole('region', { name: 'Found test files' });
const git = (...words: string[]): Promise<unknown> =>
    promisify(execFile)('git', [
        '-C',
        lab.folder,
        '-c',
        'user.name=Ana',
        '-c',
        'user.email=ana@lab',
        ...words,
    ]);

/** Types at the end of the text that is shown. */
async function append(page: Page, file: string, line: string): Promise<void> {
    await page.getByRole('textbox', { name: `Text of tests/${file}` }).click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(line);
    await page.getByText('not saved', { exact: true }).first().waitFor();
}

test('a file is found by its name, its title and what stands in it, and says what it is', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await found(page).getByText('2 files').waitFor();
    await page.getByRole('searchbox', { name: 'Find test files' }).fill('PORTS ping');
    await found(page).getByText('1 file', { exact: true }).waitFor();
    await found(page).getByText('Ping all ports').waitFor();
    await page.getByRole('searchbox', { name: 'Find test files' }).fill('router');
    await page.getByRole('heading', { name: 'Nothing fits “router”' }).waitFor();
    await page.getByRole('link', { name: 'Look into the files, too' }).click();
    await found(page).getByText('puts router').waitFor();
    await found(page)
        .getByRole('link', { name: /vlan\.tcl/ })
        .waitFor();
    await page.getByRole('searchbox', { name: 'Find test files' }).fill('');
    await found(page)
        .getByRole('link', { name: /ping\.py/ })
        .click();
    await page.getByRole('heading', { name: 'Ping all ports' }).waitFor();
    await page.getByText('Each port answers.').waitFor();
    await page.getByRole('region', { name: 'Used by' }).getByRole('link', { name: 'night' }).waitFor();
    const results = page.getByRole('region', { name: 'Last results' });
    await results.getByRole('row', { name: /passed.*1.*night/ }).waitFor();
    // The palette leads there, too, and to test configurations.
    await lab.put('/test-configs/speeds', { xml: '<root></root>' });
    await page.keyboard.press('Control+k');
    await page.keyboard.type('vlan');
    await page.getByRole('option', { name: /File.*vlan\.tcl/ }).click();
    await page.getByRole('heading', { name: 'VLANs' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('speeds');
    await page.getByRole('option', { name: /Config.*speeds/ }).click();
    await page.locator('.file', { hasText: 'configs/speeds' }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('two people write one file, and nothing is lost; each hears of the other at once', async () => {
    const ana = await Person.open(browser, lab);
    await lab.user('bob', 'bob writes tests', [], ['VIEW_REPORTS', 'EDIT_TC']);
    const bob = await Person.open(browser, lab, 'bob', 'bob writes tests');
    for (const { page } of [ana, bob]) {
        await page.goto('/files/ping.py?pane=text');
        await page.getByRole('textbox', { name: 'Text of tests/ping.py' }).waitFor();
    }
    await append(ana.page, 'ping.py', 'print("ana")\n');
    await bob.page.getByRole('textbox', { name: 'Text of tests/ping.py' }).click();
    await bob.page.keyboard.press('Control+Home');
    await bob.page.keyboard.type('# by bob\n');
    await bob.page.getByText('not saved', { exact: true }).first().waitFor();
    await save(bob.page);
    // Ana is told who it was, and goes on.
    await ana.page.getByText('bob has saved this file.').waitFor();
    await append(ana.page, 'ping.py', 'print("more")\n');
    await ana.page.getByRole('button', { name: 'Put together now' }).click();
    await ana.page.getByText('bob saved tests/ping.py while you edited it').waitFor();
    await ana.page.getByRole('button', { name: 'Put together', exact: true }).click();
    await save(ana.page);
    expect(await readFile(place('ping.py'), 'utf8')).toBe(`# by bob\n${PING}print("ana")\nprint("more")\n`);
    // Bob has changed nothing since: what she saved is his at once.
    await bob.page.getByText('tests/ping.py was saved by admin; this is what they saved.').waitFor();
    await bob.page.getByText('print("more")').waitFor();
    expect([...ana.watch.faults, ...bob.watch.faults]).toEqual([]);
});

test('files are made, uploaded, deleted and had back', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/files/switch/vlan.tcl');
    await page.getByRole('heading', { name: 'VLANs' }).waitFor();
    await page.keyboard.press('n');
    await page.getByLabel('Name', { exact: true }).fill('switch/port_up.py');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('textbox', { name: 'Text of tests/switch/port_up.py' }).waitFor();
    expect(await readFile(place('switch/port_up.py'), 'utf8')).toBe(
        '# <title>port up</title>\n# <description></description>\n\n',
    );
    const upload = page.getByLabel('Files to upload');
    const of = (name: string, text: string) => ({
        name,
        mimeType: 'text/plain',
        buffer: Buffer.from(text),
    });
    await upload.setInputFiles([of('one.py', 'print(1)\n'), of('vlan.tcl', 'puts new\n')]);
    await page.getByText('1 file was uploaded.').waitFor();
    await page.getByText('tests/switch/vlan.tcl is there already.').waitFor();
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await expect.poll(() => readFile(place('switch/vlan.tcl'), 'utf8')).toBe('puts new\n');
    await found(page)
        .getByRole('link', { name: /switch\/one\.py/ })
        .click();
    await page.getByRole('button', { name: 'More: switch/one.py' }).click();
    await page.getByRole('menuitem', { name: 'Delete …' }).click();
    await page.getByText('No project has it.').last().waitFor();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await found(page)
        .getByRole('link', { name: /one\.py/ })
        .waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await found(page)
        .getByRole('link', { name: /one\.py/ })
        .waitFor();
    expect(await readFile(place('switch/one.py'), 'utf8')).toBe('print(1)\n');
    // A program is no text: it is told so, and comes as it is.
    await writeFile(place('program'), Buffer.from([0x7f, 0x45, 0xff, 0xfe]));
    await page.goto('/files/program');
    await page.getByText('it is no text in UTF-8, so it is not shown here').waitFor();
    expect(watch.faults).toEqual([]);
});

test('the history is that of Git', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/files/history.py?pane=history');
    await page.getByRole('heading', { name: 'There is no test file history.py' }).waitFor();
    await mkdir(join(lab.folder, 'tests'), { recursive: true });
    await writeFile(place('history.py'), 'print("one")\n');
    await page.reload();
    await page.getByText('its folder is no Git repository').waitFor();
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', 'tests/history.py');
    await git('commit', '--quiet', '--message', 'The first');
    await page.reload();
    await page.getByText('The text here is as that commit left it.').waitFor();
    await page.getByRole('link', { name: 'Text', exact: true }).click();
    await append(page, 'history.py', 'print("two")\n');
    await save(page);
    await page.getByRole('link', { name: 'History', exact: true }).click();
    await page.getByText('changed since the last commit').waitFor();
    await page.getByRole('list', { name: 'Commits' }).getByText('The first').waitFor();
    await page.getByText('print("two")').waitFor();
    expect(watch.faults).toEqual([]);
});

test('who may not write test files is offered nothing, and the engine refuses it', async () => {
    await lab.user('reader', 'reads all the tests', [], ['VIEW_REPORTS']);
    const { page, watch } = await Person.open(browser, lab, 'reader', 'reads all the tests');
    await page.goto('/files/ping.py?pane=text');
    await page.getByRole('textbox', { name: 'Text of tests/ping.py' }).waitFor();
    for (const name of ['New test file', 'Upload …', 'Save', 'More'])
        expect(await page.getByRole('button', { name, exact: true }).count(), name).toBe(0);
    const answer = await page.evaluate(() =>
        fetch('/api/v1/test-texts/ping.py', { method: 'PUT', body: 'x' }).then(({ status }) => status),
    );
    expect(answer).toBe(403);
    expect(watch.faults).toEqual([]);
});
