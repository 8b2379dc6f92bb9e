// The calendar: a time is drawn, moved and stretched with the mouse; who is in the way is named and what is free is offered; the same with
// the keyboard alone; another's browser sees it at once.

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, tabTo, visit } from './browser';
import { SmallLab } from './small_lab';

const ROLES = ['VIEW_REPORTS', 'LOCK_TESTBED', 'LOCK_SUT'];
const PASSWORD = 'goes to the lab';
const DAY = 24 * 3_600_000;
let lab: SmallLab;
let browser: Browser;
let ana: Person;
let bob: Person;

/** The Monday after this week, so that nothing of it is over. */
const monday = (() => {
    const now = new Date();
    return new Date(now.getFullYear(), now.getMonth(), now.getDate() - ((now.getDay() + 6) % 7) + 7);
})();
const day = (nth: number): Date => new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + nth);
const two = (value: number): string => String(value).padStart(2, '0');
const from = `${monday.getFullYear()}-${two(monday.getMonth() + 1)}-${two(monday.getDate())}`;
const dayName = (nth: number): string =>
    `${day(nth).toLocaleString('en', { weekday: 'short' })} ${day(nth).toLocaleString('en', { month: 'short' })} ${day(nth).getDate()}`;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    for (const name of ['ana', 'bob']) await lab.user(name, PASSWORD, [], ROLES);
    await lab.put('/resources', { parent: '/', name: 'tb1', properties: {} });
    for (const router of ['r1', 'r2'])
        await lab.put('/resources', { parent: '/tb1', name: router, properties: { kind: 'router' } });
    browser = await launch();
    ana = await Person.open(browser, lab, 'ana', PASSWORD);
    bob = await Person.open(browser, lab, 'bob', PASSWORD);
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const cell = (page: Page, path: string, nth: number): Locator =>
    page.getByRole('gridcell', { name: `${path}, ${dayName(nth)}:` });

/** A place in a cell, by the hour of its day. */
async function at(of: Locator, hour: number): Promise<{ x: number; y: number }> {
    const box = await of.boundingBox();
    if (box === null) throw new Error('the cell is not seen');
    return { x: box.x + (box.width * hour) / 24, y: box.y + box.height / 2 };
}

/** Drags from an hour of a cell to one of another. */
async function drag(page: Page, one: Locator, hour: number, other: Locator, to: number): Promise<void> {
    const [begin, end] = [await at(one, hour), await at(other, to)];
    await page.mouse.move(begin.x, begin.y);
    await page.mouse.down();
    await page.mouse.move((begin.x + end.x) / 2, end.y, { steps: 4 });
    await page.mouse.move(end.x, end.y, { steps: 4 });
    await page.mouse.up();
}

type Booking = { id: number; user: string; state: string; begin: string; until: string; name: string };
const bookings = async (): Promise<Booking[]> =>
    (await lab.get<{ items: Booking[] }>('/leases')).items.filter(({ state }) => state === 'asked');

test('a time is drawn, seen by another at once, moved and stretched by dragging', async () => {
    const { page } = ana;
    await visit(page, `/calendar?from=${from}`);
    await visit(bob.page, `/calendar?from=${from}`);
    await drag(page, cell(page, '/tb1/r1', 2), 9, cell(page, '/tb1/r1', 2), 11);
    const dialog = page.getByRole('dialog', { name: 'Book /tb1/r1' });
    await dialog.waitFor();
    expect(await dialog.getByLabel('From').inputValue()).toMatch(/T(08:45|09:00|09:15)$/);
    await dialog.getByLabel('From').fill(
        `${await dialog
            .getByLabel('From')
            .inputValue()
            .then((text) => text.slice(0, 10))}T09:00`,
    );
    await dialog.getByLabel('For how long').fill('2h');
    await dialog.getByLabel('What for').fill('soak');
    await dialog.getByText(/^It is free then/).waitFor();
    await dialog.getByRole('button', { name: 'Book it' }).click();
    await cell(bob.page, '/tb1/r1', 2)
        .filter({ hasText: /ana .*09:00–11:00 \(soak\)/ })
        .waitFor();

    // By a day to the right: the same time of the day.
    const [before] = await bookings();
    await drag(page, cell(page, '/tb1/r1', 2), 10, cell(page, '/tb1/r1', 3), 10);
    await cell(bob.page, '/tb1/r1', 3)
        .filter({ hasText: /ana .*–.*\(soak\)/ })
        .waitFor();
    const [after] = await bookings();
    expect(after?.id).toBe(before?.id);
    const moved = Date.parse(after?.begin ?? '') - Date.parse(before?.begin ?? '');
    expect(Math.abs(moved - DAY)).toBeLessThanOrEqual(3_600_000);
    expect(new Date(after?.begin ?? '').getDate()).toBe(day(3).getDate());

    // Its end to the right.
    const bar = cell(page, '/tb1/r1', 3).locator('[data-lease]');
    const box = await bar.boundingBox();
    if (box === null) throw new Error('the booking is not seen');
    const end = await at(cell(page, '/tb1/r1', 3), 20);
    await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(end.x, end.y, { steps: 6 });
    await page.mouse.up();
    await expect
        .poll(async () => new Date((await bookings())[0]?.until ?? '').getHours())
        .toBeGreaterThanOrEqual(19);
    expect((await bookings())[0]?.begin).toBe(after?.begin);
    expect(ana.watch.faults).toEqual([]);
});

test('who is in the way is named with the time, and what is free is offered', async () => {
    const { page } = bob;
    await visit(page, `/calendar?from=${from}`);
    // Over Ana's booking, from the morning to the night.
    await drag(page, cell(page, '/tb1/r1', 3), 2, cell(page, '/tb1/r1', 3), 23);
    const dialog = page.getByRole('dialog', { name: 'Book /tb1/r1' });
    await dialog.getByText(/ana has booked \/tb1\/r1 .*\(soak\)/).waitFor();
    const offers = dialog.getByRole('group', { name: 'Free instead' }).getByRole('button');
    expect(await offers.count()).toBeGreaterThanOrEqual(2);
    // What is not free is refused by the engine, too, with the name.
    await dialog.getByRole('button', { name: 'Book it' }).click();
    await dialog
        .getByRole('alert')
        .getByText(/ana has booked \/tb1\/r1/)
        .waitFor();
    await offers.first().click();
    await dialog.getByText(/^It is free then/).waitFor();
    await dialog.getByRole('button', { name: 'Book it' }).click();
    await cell(page, '/tb1/r1', 3)
        .filter({ hasText: /bob .*; ana / })
        .waitFor();
    // Moved onto hers: nothing moves, and the form says why.
    const mine = (await bookings()).find(({ user }) => user === 'bob');
    const bar = cell(page, '/tb1/r1', 3).locator(`[data-lease="${mine?.id}"]`);
    const box = await bar.boundingBox();
    const over = await at(cell(page, '/tb1/r1', 3), 16);
    if (box === null) throw new Error('the booking is not seen');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(over.x, over.y, { steps: 6 });
    await page
        .locator('.telling')
        .getByText(/ana has booked/)
        .waitFor();
    await page.mouse.up();
    await page
        .getByRole('dialog', { name: 'Another time for /tb1/r1' })
        .getByRole('alert')
        .getByText(/ana/)
        .waitFor();
    await page.keyboard.press('Escape');
    expect((await bookings()).find(({ user }) => user === 'bob')?.begin).toBe(mine?.begin);
    // Escape in the middle of a drag: nothing has happened.
    expect(bob.watch.faults).toEqual([]);
});

test('with the keyboard alone: booked, moved, cancelled', async () => {
    const { page } = bob;
    await visit(page, `/calendar?from=${from}`);
    const grid = page.getByRole('grid', { name: 'Calendar of the lab' });
    await tabTo(page, grid);
    for (const key of ['Home', 'ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    const where = (): Promise<string | null> =>
        page.evaluate(() => {
            const id = document.activeElement?.getAttribute('aria-activedescendant') ?? '';
            return document.getElementById(id)?.querySelector('.heard')?.textContent ?? null;
        });
    await expect.poll(where).toMatch(new RegExp(`^/tb1/r2, ${dayName(2)}: free`));
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: `Book a time on ${dayName(2)} …` }).waitFor();
    await page.keyboard.press('Enter');
    await page
        .getByRole('dialog', { name: 'Book /tb1/r2' })
        .getByText(/^It is free then/)
        .waitFor();
    // One of its fields sends the form.
    await page.getByLabel('What for').focus();
    await page.keyboard.type('keys');
    await page.keyboard.press('Enter');
    await expect.poll(where).toMatch(/bob .*\(keys\)/);
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: /^Move or stretch the booking/ }).waitFor();
    await page.keyboard.press('m');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Another time for /tb1/r2' });
    await dialog.getByLabel('For how long').focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('3h');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const mine = (await bookings()).find(({ name }) => name === '/tb1/r2');
    expect(Date.parse(mine?.until ?? '') - Date.parse(mine?.begin ?? '')).toBe(3 * 3_600_000);
    await tabTo(page, grid);
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: /^Cancel the booking/ }).waitFor();
    await page.keyboard.press('c');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Cancel the booking of /tb1/r2?' }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(where).toMatch(/: free$/);
    expect(bob.watch.faults).toEqual([]);
});

test('a week is walked, and the address shows the same to a colleague', async () => {
    const { page } = bob;
    await visit(page, '/calendar');
    await page.keyboard.press('n');
    await expect.poll(() => new URL(page.url()).searchParams.get('from')).toBe(from);
    await cell(page, '/tb1/r1', 3).waitFor();
    await page.getByRole('link', { name: 'Day', exact: true }).click();
    await page.getByRole('columnheader', { name: dayName(0) }).waitFor();
    await page.keyboard.press('t');
    await page.getByRole('columnheader', { name: /, today$/ }).waitFor();
    // What is no day is today.
    await visit(page, '/calendar?from=2027-02-30&days=1');
    await page.getByRole('columnheader', { name: /, today$/ }).waitFor();
    await visit(page, `/calendar?from=${from}&show=taken&find=ana`);
    await page.getByRole('rowheader', { name: '/tb1/r1' }).waitFor();
    expect(await page.getByRole('rowheader').count()).toBe(1);
    expect(bob.watch.faults).toEqual([]);
});
