// The tree of the lab is edited, taken in from a file with a plan before, and taken back; its links are seen as a picture and as a list.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, tooWide, visit, type Theme } from './browser';
import { SmallLab } from './small_lab';

const CSV = 'path,kind,ports\n/tb1/r1,router,4\n/tb1/r2,router,12\n/tb1/s1,switch,24\n';
let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a lab is taken in from a file, with a plan of what it changes', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await visit(page, '/lab');
    await page.getByRole('link', { name: 'take it from a file' }).click();
    const form = page.getByRole('form', { name: 'From a file' });
    await form.getByLabel('Its text').fill('path,kind\n/tb1/r:1,router\n');
    await form.getByLabel('Kind').selectOption('csv');
    await form.getByRole('button', { name: 'See what it changes' }).click();
    // What cannot be carried over as it stands is told before anything is done.
    await page
        .getByText(/r:1|not carried over|cannot be taken in/)
        .first()
        .waitFor();
    await form.getByLabel('Its text').fill(CSV);
    await form.getByRole('button', { name: 'See what it changes' }).click();
    const plan = page.getByRole('region', { name: 'What it changes' });
    await plan.getByRole('heading', { name: /4 resources would change/ }).waitFor();
    expect((await lab.get<{ children: unknown[] }>('/resources/tree')).children).toEqual([]);
    await plan.getByRole('button', { name: 'Do it' }).click();
    await page.locator('.told').getByText('4 resources changed.').waitFor();
    await visit(page, '/lab');
    await page.getByRole('treeitem', { name: /r2/ }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('it is edited, and every edit is taken back by the history', async () => {
    const { page, watch } = await Person.open(browser, lab);
    const edit = async (deed: string, of: string): Promise<void> => {
        await page.getByRole('button', { name: `Edit: ${of}` }).click();
        await page.getByRole('menuitem', { name: deed, exact: true }).click();
    };
    await visit(page, '/lab/tb1/r1');
    await edit('Properties …', '/tb1/r1');
    await page.getByLabel('Value of ports').fill('8');
    // Somebody else changes the same meanwhile: it is not written over.
    await lab.put('/resources', { parent: '/tb1', name: 'r1', properties: { ports: 6 } });
    await page.getByRole('button', { name: 'Change it' }).click();
    await page
        .getByRole('alert')
        .getByText(/somebody has changed ports of \/tb1\/r1 meanwhile/)
        .waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dd', { hasText: /^6$/ }).waitFor();
    await edit('Properties …', '/tb1/r1');
    await page.getByLabel('Value of ports').fill('8');
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.locator('dd', { hasText: /^8$/ }).waitFor();

    await edit('Copy …', '/tb1/r1');
    await page.getByLabel('Name', { exact: true }).fill('r3');
    await page.getByRole('button', { name: 'Copy it' }).click();
    await page.getByRole('treeitem', { name: /r3/ }).click();
    await edit('Add a resource in it …', '/tb1/r3');
    await page.getByLabel('Name', { exact: true }).fill('p1');
    await page.getByRole('button', { name: 'Add it' }).click();
    await page.getByRole('treeitem', { name: /p1/ }).waitFor();
    await page.getByRole('heading', { name: 'r3' }).waitFor();
    await edit('Move …', '/tb1/r3');
    await page.getByText('With it goes all that is in it: 1 resource.').waitFor();
    await page.getByLabel('In', { exact: true }).fill('/tb1/r3/p1');
    await page.getByRole('button', { name: 'Move it' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('In', { exact: true }).fill('/');
    await page.getByRole('button', { name: 'Move it' }).click();
    await page.getByText('There is no /tb1/r3').waitFor();
    await visit(page, '/lab/r3');
    await edit('Rename …', '/r3');
    await page.getByLabel('Name', { exact: true }).fill('spare');
    await page.getByRole('button', { name: 'Rename it' }).click();
    await visit(page, '/lab/spare');
    await edit('Delete …', '/spare');
    await page.getByText('Nobody has it.').waitFor();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('There is no /spare').waitFor();

    await visit(page, '/lab?view=history');
    const newest = page.getByRole('listitem').filter({ hasText: 'delete' }).first();
    await newest.getByRole('button', { name: /^Take back … version \d+$/ }).click();
    await page.getByRole('button', { name: 'Take it back', exact: true }).click();
    await page
        .getByText(/taken back by \d+/)
        .first()
        .waitFor();
    await visit(page, '/lab/spare/p1');
    await page.getByRole('heading', { name: 'p1' }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('links are made by name, seen as a picture and a list, and removed', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await visit(page, '/lab?view=links');
    await page.getByText('No link is described yet').waitFor();
    await page.getByRole('button', { name: 'Link two resources …' }).first().click();
    await page.getByLabel('One end').fill('/tb1/r1');
    await page.getByLabel('The other end').fill('/tb1/nowhere');
    await page.getByText('/tb1/nowhere is not in the lab.').waitFor();
    await page.getByLabel('The other end').fill('/tb1/s1');
    await page.getByRole('button', { name: 'Link them' }).click();
    await page.getByRole('img', { name: /Picture of 2 devices and 1 links/ }).waitFor();
    const list = page.getByRole('region', { name: 'Links', exact: true });
    await list.getByRole('button', { name: '/tb1/s1', exact: true }).click();
    await page.getByRole('heading', { name: 's1' }).waitFor();
    await lab.put('/resources', { parent: '/tb1', name: 'r2', properties: { link: ['/tb1/s1', '/gone'] } });
    await page.getByRole('img', { name: /Picture of 3 devices and 2 links/ }).waitFor();
    await list.getByText(/\/tb1\/r2 is linked to \/gone/).waitFor();
    await list.getByRole('button', { name: 'Remove … the link of /tb1/r2 to /gone' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await list.getByText('/gone').waitFor({ state: 'detached' });
    const { meta } = await lab.get<{ meta: Record<string, unknown> }>('/resources?query=/tb1/r2');
    expect(meta['link']).toBe('/tb1/s1');
    expect(watch.faults).toEqual([]);
});

test('who had a device for how long is told at the device', async () => {
    await lab.post('/leases', { resources: ['/tb1/s1'], reason: 'first' });
    const { items } = await lab.get<{ items: { id: number }[] }>('/leases');
    await lab.post(`/leases/${items[0]?.id}/release`, {});
    const { page, watch } = await Person.open(browser, lab);
    await visit(page, '/lab/tb1/s1');
    await page.getByText('Who had it').click();
    await page.getByRole('row', { name: /admin.*first/ }).waitFor();
    expect(watch.faults).toEqual([]);
});

test.each<Theme>(['light', 'dark'])(
    'nothing serious stands in the way, and nothing sticks out, %s',
    async (theme) => {
        const { page, watch } = await Person.open(browser, lab, 'admin', lab.password, theme);
        const found: string[] = [];
        for (const path of [
            '/lab?view=links',
            '/lab/tb1/r1?view=links',
            '/lab?view=history',
            '/lab?view=files',
            '/lab/tb1/r1',
        ]) {
            await page.setViewportSize({ width: 1280, height: 720 });
            await visit(page, path);
            await page.getByRole('heading', { level: 1 }).waitFor();
            found.push(...(await violations(page)).map((text) => `${path}: ${text}`));
            await page.setViewportSize({ width: 390, height: 844 });
            const over = await tooWide(page);
            if (over > 0) found.push(`${path}: ${over} pixels too wide`);
        }
        expect(found).toEqual([]);
        expect(watch.faults).toEqual([]);
    },
);
