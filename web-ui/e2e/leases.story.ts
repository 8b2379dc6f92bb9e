// Two persons share a lab: one has a device, the other queues, is told, takes it, and hands it back; with the mouse, and with the keyboard
// alone. What is booked is booked by drawing and moved by dragging. What is broken is given to nobody.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, tabTo, visit, type Theme } from './browser';
import { SmallLab } from './small_lab';

const ROLES = ['VIEW_REPORTS', 'LOCK_TESTBED', 'LOCK_SUT'];
const PASSWORD = 'goes to the lab';
let lab: SmallLab;
let browser: Browser;
let ana: Person;
let bob: Person;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    for (const name of ['ana', 'bob', 'cid']) await lab.user(name, PASSWORD, [], ROLES);
    for (const bed of ['tb1', 'tb2']) {
        await lab.put('/resources', { parent: '/', name: bed, properties: {} });
        for (const router of ['r1', 'r2', 'r3'])
            await lab.put('/resources', { parent: `/${bed}`, name: router, properties: { kind: 'router' } });
    }
    browser = await launch();
    ana = await Person.open(browser, lab, 'ana', PASSWORD);
    bob = await Person.open(browser, lab, 'bob', PASSWORD);
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

/** What is told at the bottom of the page. */
const told = (page: Page, words: string | RegExp): Promise<void> =>
    page.locator('.told', { hasText: words }).first().waitFor();

const row = (page: Page, name: string) =>
    page.getByRole('treeitem', { name: new RegExp(`^\\S* ?${name}\\b`) });

/** A picture for who looks at the pages: JACKFIELD_SHOTS names the folder. */
async function shot(page: Page, name: string): Promise<void> {
    const folder = process.env['JACKFIELD_SHOTS'];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
}

test('one has a device, the other queues, is told, takes it and hands it back', async () => {
    await visit(ana.page, '/lab/tb1/r1');
    const mine = ana.page.getByRole('region', { name: 'r1' });
    await mine.getByText('Nobody has it, waits for it or has booked it.').waitFor();
    await mine.getByRole('button', { name: 'Take it …' }).click();
    const dialog = ana.page.getByRole('dialog');
    await dialog.getByText(/^It is free: yours at once, until/).waitFor();
    await dialog.getByLabel('What for').fill('bug 1234');
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await told(ana.page, /You have \/tb1\/r1 until/);

    // Bob sees it in the row, without asking again, and joins the queue there.
    await visit(bob.page, '/lab');
    const line = row(bob.page, 'r1').first();
    await line.getByText(/^ana, (2 h|1 h 59 min) left$/).waitFor();
    await shot(bob.page, 'lab-row');
    await line.hover();
    await line.getByRole('button', { name: 'Queue', exact: true }).click();
    const queue = bob.page.getByRole('dialog');
    await queue
        .getByText(/^It would be yours at .*, after this: ana has \/tb1\/r1 until .*\(bug 1234\)/)
        .waitFor();
    await queue.getByLabel('What for').fill('regression');
    await shot(bob.page, 'queue-dialog');
    await queue.getByRole('button', { name: 'Join the queue' }).click();
    await told(bob.page, 'You wait for /tb1/r1, place 1.');

    // Ana reads who waits before she gives it back.
    await mine.getByText('next in the queue').waitFor();
    await mine.getByRole('button', { name: 'Give it back …' }).click();
    await ana.page.getByText('bob waits for it, and can have it at once.').waitFor();
    await ana.page.getByRole('button', { name: 'Give it back', exact: true }).click();

    // Bob is told wherever he is, and takes it.
    await visit(bob.page, '/runs');
    const offer = bob.page.locator('main .happened', { hasText: 'is free for you' });
    await offer.waitFor();
    await told(bob.page, /\/tb1\/r1 is free for you: take it by/);
    await shot(bob.page, 'offer');
    await offer.getByRole('button', { name: 'Take it' }).click();
    await offer.waitFor({ state: 'detached' });
    await mine.getByText(/^bob/).first().waitFor();

    // He lets Ana in, puts her out, and hands it over to her: at once, with nobody between.
    await visit(bob.page, '/leases?show=mine');
    await bob.page.getByRole('row', { name: /\/tb1\/r1/ }).click();
    await bob.page.getByRole('heading', { name: /^Lease \d+$/ }).waitFor();
    await bob.page.getByRole('button', { name: 'Let somebody in …' }).click();
    await bob.page.getByRole('dialog').getByRole('button', { name: 'ana' }).click();
    await bob.page.getByRole('button', { name: 'Let them in' }).click();
    await bob.page.getByRole('button', { name: 'Put ana out' }).click();
    await told(bob.page, 'ana may not use /tb1/r1 any more.');
    await bob.page.getByRole('button', { name: 'Hand over …' }).click();
    await bob.page.getByLabel('To whom').fill('nobody');
    await bob.page.getByText('Nobody is called so.').waitFor();
    expect(await bob.page.getByRole('button', { name: 'Hand it over' }).isDisabled()).toBe(true);
    await bob.page.getByLabel('To whom').fill('ana');
    await bob.page.getByRole('button', { name: 'Hand it over' }).click();
    await told(bob.page, /\/tb1\/r1 is ana’s now, as lease \d+/);
    await told(ana.page, '/tb1/r1 was handed over to you.');
    // The whole story of the first one.
    const story = bob.page.getByRole('region', { name: 'What has happened' });
    await story.getByText(/handed it over: to ana/).waitFor();
    await story.getByText(/took it when it was offered/).waitFor();
    await shot(bob.page, 'lease');
    expect([...ana.watch.faults, ...bob.watch.faults]).toEqual([]);
});

test('who may takes it away with a reason, which the holder reads', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await visit(page, '/lab/tb1/r1');
    await page.getByRole('button', { name: 'Take it away from ana …' }).click();
    await page.getByText('they read who did it and why').waitFor();
    await page.getByLabel(/^Why/).fill('the rack moves');
    await page.getByLabel('Time to leave').selectOption('0');
    await page.getByRole('button', { name: 'Take it away', exact: true }).click();
    await told(ana.page, /Your lease of \/tb1\/r1 is over: taken away by admin .*\(the rack moves\)/);
    await visit(page, '/leases?show=ended');
    await page.getByRole('row', { name: /taken away by admin/ }).waitFor();
    // Ana is no admin: she sees no such deed.
    await visit(ana.page, '/lab/tb1/r1');
    expect(await ana.page.getByRole('button', { name: /away from/ }).count()).toBe(0);
    expect([...watch.faults, ...ana.watch.faults]).toEqual([]);
});

test('with the keyboard alone: taken from the row, extended, given back', async () => {
    const { page } = ana;
    await visit(page, '/lab/tb1/r2');
    await tabTo(page, page.getByRole('tree', { name: 'Devices' }));
    await page.keyboard.press('Shift+F10');
    const menu = page.getByRole('menu', { name: 'What can be done with /tb1/r2' });
    await menu.waitFor();
    await page.keyboard.press('Enter');
    await page
        .getByRole('dialog')
        .getByText(/^It is free/)
        .waitFor();
    await page.keyboard.press('Enter');
    await told(page, /You have \/tb1\/r2 until/);
    // The focus is where it was.
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('tree');
    await row(page, 'r2')
        .first()
        .getByText(/^ana, /)
        .waitFor();
    await page.keyboard.press('Shift+F10');
    await page.keyboard.press('e');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Extend /tb1/r2' }).waitFor();
    await page.keyboard.press('Enter');
    await told(page, /You have \/tb1\/r2 until/);
    await row(page, 'r2')
        .first()
        .getByText(/^ana, (3 h|2 h 59 min) left$/)
        .waitFor();
    await tabTo(page, page.getByRole('tree', { name: 'Devices' }));
    await page.keyboard.press('Shift+F10');
    await page.keyboard.press('g');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Give /tb1/r2 back?' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'r2' }).getByText('Nobody has it').waitFor();
    // By the palette, too.
    await ana.palette('Take it r2');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    expect(ana.watch.faults).toEqual([]);
});

test('whatever fits is taken by what it must be', async () => {
    const { page } = bob;
    await visit(page, '/leases');
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it must be').fill('2x kind=router; same bench');
    await dialog
        .getByText(/nothing|No|error|Looking|free|would/i)
        .first()
        .waitFor();
    await dialog.getByLabel('What it must be').fill('kind=toaster');
    await dialog.getByText(/nothing that could ever meet/).waitFor();
    await dialog.getByLabel('What it must be').fill('2x kind=router');
    await dialog.getByText(/^It is free/).waitFor();
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await told(page, /You have /);
    await page.getByRole('row', { name: /bob/ }).click();
    await page.getByText('2x kind=router').waitFor();
    await page.getByRole('button', { name: 'Give it back …' }).click();
    await page.getByRole('button', { name: 'Give it back', exact: true }).click();
    await page
        .getByText(/given back/)
        .first()
        .waitFor();
    expect(bob.watch.faults).toEqual([]);
});

test('what is broken is seen, given to nobody, and put back', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await visit(page, '/health');
    await page.getByText('Everything is fit').waitFor();
    await visit(page, '/lab/tb2/r1');
    await page.getByRole('button', { name: 'Out of service …' }).click();
    await page.getByLabel(/^Why/).fill('the display is dead');
    await page.getByRole('button', { name: 'Take it out of service' }).click();
    await told(page, '/tb2/r1 is out of service.');
    // Ana sees it at once, in the row and in what a wish would come to.
    await visit(ana.page, '/lab/tb2/r1');
    await row(ana.page, 'r1').last().getByText('out of service').waitFor();
    await ana.page.getByRole('button', { name: 'Take it …' }).click();
    await ana.page
        .getByText(/the display is dead/)
        .first()
        .waitFor();
    await ana.page.keyboard.press('Escape');
    expect(await ana.page.getByRole('button', { name: 'Have it checked …' }).count()).toBe(0);
    await visit(page, '/health');
    const line = page.getByRole('row', { name: /\/tb2\/r1.*out of service.*the display is dead/ });
    await line.waitFor();
    await shot(page, 'health');
    await line.getByRole('checkbox').check();
    await page.getByRole('button', { name: '1 chosen: fit …' }).click();
    await page.getByRole('button', { name: 'It is fit' }).click();
    await page.getByText('Everything is fit').waitFor();
    expect([...watch.faults, ...ana.watch.faults]).toEqual([]);
});

test('a viewer sees who has what, and no button that would be refused', async () => {
    await lab.user('viewer', PASSWORD, [], ['VIEW_REPORTS']);
    const { page, watch } = await Person.open(browser, lab, 'viewer', PASSWORD);
    await lab.post('/leases', { resources: ['/tb2/r3'], reason: 'soak' });
    const deeds = /^(Take|Queue|Book|Extend|Give|Hand|Let|Leave|Cancel|Move|Out of|Have it|It is fit)/;
    for (const path of ['/lab', '/lab/tb2/r3', '/lab?view=table', '/leases', '/health', '/calendar']) {
        await visit(page, path);
        expect(await page.getByRole('button', { name: deeds }).allTextContents(), path).toEqual([]);
    }
    await visit(page, '/lab/tb2/r3');
    await page.getByText('To take it needs the role LOCK_TESTBED.').waitFor();
    await page
        .getByText(/admin, .* left/)
        .first()
        .waitFor();
    expect(watch.faults).toEqual([]);
});

test.each<Theme>(['light', 'dark'])(
    'nothing serious stands in the way of assistive technology, %s',
    async (theme) => {
        const { page, watch } = await Person.open(browser, lab, 'ana', PASSWORD, theme);
        const found: string[] = [];
        const look = async (what: string): Promise<void> => {
            await shot(page, `${what.replaceAll(/\W+/g, '-')}-${theme}`);
            found.push(...(await violations(page)).map((text) => `${what}: ${text}`));
        };
        for (const path of [
            '/lab/tb2/r3',
            '/lab?view=table',
            '/leases',
            '/leases?show=ended',
            '/leases/1',
            '/calendar',
            '/calendar?days=1',
            '/health',
        ]) {
            await visit(page, path);
            await page.getByRole('heading', { level: 1 }).waitFor();
            await look(path);
        }
        await visit(page, '/lab/tb2/r2');
        await page.getByRole('button', { name: 'Take it …' }).click();
        await page.getByText(/^It is free/).waitFor();
        await look('take');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Book a time …' }).click();
        await look('book');
        await page.keyboard.press('Escape');
        expect(found).toEqual([]);
        expect(watch.faults).toEqual([]);
    },
);
