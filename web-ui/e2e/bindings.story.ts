// Components of test configurations are bound to those of SUTs: dragged, and by keys alone; the file is what a person would have written.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, save, tabTo } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    await lab.put('/test-configs/access', {
        xml: '<root><folder><fname>uplink</fname><folder><fname>inner</fname></folder></folder><folder><fname>backup</fname></folder><folder><fname>phone</fname></folder></root>',
    });
    await lab.put('/suts/core.system', {
        path: '/core.system',
        meta: {},
        id: 'c000000000',
        children: {
            wan: { path: '/core.system/wan', meta: {}, id: 'c000000001', children: {} },
            lan: { path: '/core.system/lan', meta: {}, id: 'c000000002', children: {} },
        },
    });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const file = (): Promise<string> => readFile(join(lab.folder, 'bindings.xml'), 'utf8');

const BY_HAND = `<?xml version="1.0" encoding="UTF-8"?>
<root>
    <binding>
        <name>access</name>
        <bind config="uplink" sut="/core.system/wan"/>
        <bind config="phone" sut="/core.system/lan"/>
    </binding>
</root>
`;

test('by dragging', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/bindings');
    await page.getByLabel('Test configuration', { exact: true }).selectOption('access');
    const uplink = page.getByRole('button', { name: /^uplink stands for nothing/ });
    await page.getByRole('button', { name: /^wan/ }).dragTo(uplink);
    await page.getByRole('button', { name: 'uplink /core.system/wan' }).waitFor();
    await page.getByRole('button', { name: /^lan/ }).dragTo(page.getByRole('button', { name: /^phone/ }));
    await page.getByRole('button', { name: 'phone /core.system/lan' }).waitFor();
    await page.getByRole('button', { name: /^wan for uplink/ }).waitFor();
    await save(page);
    expect(await file()).toBe(BY_HAND);
    expect(await violations(page)).toEqual([]);
    expect(watch.faults).toEqual([]);
});

test('by keys alone, with Undo; and what somebody wrote by hand stays', async () => {
    const commented = BY_HAND.replace('<binding>', '<binding><!-- of the night -->');
    await writeFile(join(lab.folder, 'bindings.xml'), commented);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/bindings?config=access');
    await tabTo(page, page.getByRole('button', { name: /^uplink / }));
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('button', { name: /^core\.system/ }));
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    // It is said aloud.
    await page.getByText('backup of access stands for /core.system/lan.').waitFor();
    await page.keyboard.press('Control+z');
    await page.getByRole('button', { name: 'backup stands for nothing' }).waitFor();
    await page.getByRole('button', { name: /^uplink \/core/ }).focus();
    await page.keyboard.press('Delete');
    await page.getByText('uplink of access stands for nothing.').waitFor();
    await save(page);
    expect(await file()).toBe(
        commented.replace('        <bind config="uplink" sut="/core.system/wan"/>\n', ''),
    );
    expect(watch.faults).toEqual([]);
});

test('two who bind at once put both together', async () => {
    await writeFile(join(lab.folder, 'bindings.xml'), BY_HAND);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/bindings?config=access');
    const row = page.getByRole('button', { name: /^uplink \/core/ });
    await row.click();
    await page.getByRole('button', { name: /^core\.system/ }).click();
    await page.getByRole('button', { name: 'uplink /core.system', exact: true }).waitFor();
    await writeFile(
        join(lab.folder, 'bindings.xml'),
        BY_HAND.replace('/core.system/lan', '/core.system/voice'),
    );
    await page.keyboard.press('Control+s');
    await page.getByText(/^Somebody else saved/).waitFor();
    await page.getByRole('button', { name: 'Put together' }).click();
    await save(page);
    const both = await file();
    expect(both).toContain('config="uplink" sut="/core.system"');
    expect(both).toContain('config="phone" sut="/core.system/voice"');
    expect(watch.faults).toEqual([]);
});
