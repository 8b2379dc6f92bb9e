// Accounts, groups, roles in words, tokens that are shown once, browsers that are signed out, and the audit log: by who may, and by nobody else.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

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

async function more(page: Page, of: string, deed: string): Promise<void> {
    await page.getByRole('button', { name: `More: ${of}`, exact: true }).click();
    await page.getByRole('menuitem', { name: deed }).click();
}

test('a group is made, somebody joins it, and sees what that opens', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.getByRole('link', { name: 'People', exact: true }).click();
    await page.getByRole('link', { name: 'Groups and roles' }).click();
    await page.getByRole('region', { name: 'Group admin' }).getByText('everything').waitFor();
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Name', { exact: true }).fill('night');
    await page.getByRole('checkbox', { name: /^VIEW_REPORTS see all runs/ }).check();
    await page.getByRole('checkbox', { name: /^RUN_TESTS/ }).check();
    await page.getByRole('button', { name: 'Make it' }).click();
    const night = page.getByRole('region', { name: 'Group night' });
    await night.getByText('start, stop and answer runs').waitFor();
    await night.getByText('no members').waitFor();

    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('button', { name: 'New user' }).click();
    await page.getByLabel('Name', { exact: true }).fill('ana');
    await page.getByLabel('First password').fill('short');
    await page.getByRole('checkbox', { name: 'night' }).check();
    await page
        .getByText(/has it by group night/)
        .first()
        .waitFor();
    await page.getByLabel('First password').fill('a long password');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('row', { name: /ana.*yes.*night/ }).waitFor();

    // She sees what she may, and none of the rest.
    const ana = await Person.open(browser, lab, 'ana', 'a long password');
    await ana.page.getByRole('link', { name: 'ana' }).click();
    await ana.page.getByText('start, stop and answer runs').waitFor();
    expect(await ana.page.getByRole('link', { name: 'Users' }).count()).toBe(0);
    for (const path of ['/people/users', '/people/groups']) {
        await ana.page.goto(path);
        await ana.page.getByText('It needs the role CHANGE_USERS').waitFor();
    }
    for (const address of ['users', 'groups']) {
        const refused = await ana.context.request.get(`/api/v1/${address}`);
        expect(refused.status(), address).toBe(403);
    }

    // Closed, she is out at once; open again, she comes back in.
    await more(page, 'ana', 'Close');
    await page.getByRole('row', { name: /ana.*closed/ }).waitFor();
    await ana.page.goto('/people');
    await ana.page.getByLabel('Password').waitFor();
    await more(page, 'ana', 'Open again');
    await page.getByRole('row', { name: /ana.*yes/ }).waitFor();
    await more(page, 'ana', 'Change …');
    await page.getByLabel(/Signed out when nothing/).fill('30');
    await page.getByRole('checkbox', { name: /^CHANGE_PROJECT/ }).check();
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByRole('row', { name: /ana.*CHANGE_PROJECT.*30 min/ }).waitFor();

    // The last who may change users cannot be lost.
    await more(page, 'admin', 'Change …');
    await page.getByRole('checkbox', { name: 'admin', exact: true }).uncheck();
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByText(/nobody who can log in could change users/).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await more(page, 'ana', 'Delete …');
    await page.getByText('Its sessions and tokens end at once').waitFor();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByRole('row', { name: /ana/ }).waitFor({ state: 'detached' });
    expect(watch.faults).toEqual([]);
});

test('a token is shown once, works, and is ended', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/people/tokens');
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByLabel('What it is for').fill('build-7');
    await page.getByRole('radio', { name: /^look see/ }).check();
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('It is shown this once').waitFor();
    const secret = await page.locator('.secret').innerText();
    expect(secret).toMatch(/^jackfield_/);
    await page.getByRole('button', { name: 'Copy it' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await page.getByRole('button', { name: 'I have it' }).click();
    const me = () => fetch(`${lab.url}/api/v1/me`, { headers: { Authorization: `Bearer ${secret}` } });
    expect((await me()).status).toBe(200);
    await page.getByRole('row', { name: /build-7.*admin.*look/ }).waitFor();
    expect(await page.getByText(secret).count()).toBe(0);
    await page.getByRole('button', { name: 'End the token build-7' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByRole('row', { name: /build-7/ }).waitFor({ state: 'detached' });
    expect((await me()).status).toBe(401);
    expect(watch.faults).toEqual([]);
});

test('one changes one’s password, and signs other browsers out', async () => {
    await lab.user('eva', 'her first password', ['viewer']);
    const here = await Person.open(browser, lab, 'eva', 'her first password');
    const there = await Person.open(browser, lab, 'eva', 'her first password');
    const { page } = here;
    await page.goto('/people');
    const browsers = page.getByRole('region', { name: 'Your browsers' });
    await browsers.getByText('2 browsers are signed in').waitFor();
    expect(await browsers.getByText('this one').count()).toBe(1);
    await browsers.getByRole('button', { name: 'Sign out' }).click();
    await browsers.getByText('1 browser is signed in').waitFor();
    await there.page.reload();
    await there.page.getByLabel('Password').waitFor();

    await page.getByLabel('Current password').fill('not her password');
    await page.getByLabel('New password, at least').fill('her second password');
    await page.getByLabel('New password again').fill('her second');
    await page.getByText('These two are not the same.').waitFor();
    await page.getByLabel('New password again').fill('her second password');
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByText('the old password is wrong').waitFor();
    await page.getByLabel('Current password').fill('her first password');
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByText('Your password is another one').waitFor();
    await there.signIn('eva', 'her second password');
    expect([...here.watch.faults, ...there.watch.faults]).toEqual([]);
});

test('the audit log is looked through by who, what, words and days', async () => {
    await lab.put('/groups/kept', { roles: [] });
    await lab.put('/groups/other', { roles: ['LOCK_SUT'] });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/engine/audit');
    const lines = page.locator('tbody tr');
    await page.getByLabel('What', { exact: true }).selectOption('groups');
    await page.getByLabel('Words in the audit log').fill('KEPT');
    await expect.poll(() => lines.count()).toBe(1);
    await page.getByRole('row', { name: /admin.*group\.put.*kept/ }).waitFor();
    // The address is the filter: a colleague sees the same.
    await page.reload();
    await expect.poll(() => lines.count()).toBe(1);
    await page.getByLabel('Who', { exact: true }).fill('nobody');
    await page.getByText('No line fits').waitFor();
    await page.getByRole('link', { name: 'Show all' }).first().click();
    await expect.poll(() => lines.count()).toBeGreaterThan(2);
    await page.getByLabel('to', { exact: true }).fill('2001-01-01');
    await page.getByText('No line fits').waitFor();
    expect(watch.faults).toEqual([]);
});
