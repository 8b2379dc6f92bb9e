// Settings are edited where they are looked at: with the engine's own checks, over the version that was read, and without their secrets leaving it.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

const MAIL = `<Root>
  <Enabled>0</Enabled>
  <SMTPPath>mail.example:25</SMTPPath>
  <SMTPUser>lab</SMTPUser>
  <SMTPPwd>correct horse</SMTPPwd> <!-- until March -->
  <From>lab@example.org</From>
  <To>ana@example.org</To>
  <Subject>Run</Subject>
  <Message>Ended.</Message>
</Root>
`;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    await writeFile(join(lab.folder, 'email.xml'), MAIL);
    await lab.user('mia', 'writes mail settings', [], ['CHANGE_EML_CFG']);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const file = (name: string): Promise<string> => readFile(join(lab.folder, name), 'utf8');

/** Puts another text into the editor, as a person does. */
async function write(page: Page, find: string, put: string): Promise<void> {
    const editor = page.getByRole('textbox', { name: /^Text of/ });
    await editor.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Control+c');
    const text = await page.evaluate(() => navigator.clipboard.readText());
    expect(text).toContain(find);
    await page.evaluate((text) => navigator.clipboard.writeText(text), text.replace(find, put));
    await page.keyboard.press('Control+v');
}

test('mail is set without its password being seen, and stays where its stars stand', async () => {
    const mia = await Person.open(browser, lab, 'mia', 'writes mail settings');
    const { page } = mia;
    const seen: string[] = [];
    page.on('response', (response) => {
        if (response.url().includes('/settings/'))
            void response.text().then(
                (text) => seen.push(text),
                () => undefined,
            );
    });
    await page.goto('/engine/settings');
    await page.getByRole('link', { name: 'Edit: Mail', exact: true }).click();
    await page.getByText('••••••').first().waitFor();
    expect(await violations(page)).toEqual([]);
    // A mistake is marked as it is typed, and is not written.
    await write(page, '<Enabled>0<', '<Enabled>perhaps<');
    await page.getByRole('button', { name: /1 error/ }).waitFor();
    await page.keyboard.press('Control+s');
    await page
        .getByText(/has errors; it was not written/)
        .first()
        .waitFor();
    expect(await file('email.xml')).toBe(MAIL);
    await write(page, '<Enabled>perhaps<', '<Enabled>1<');
    await page.getByRole('button', { name: /1 error/ }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Difference' }).click();
    await page.getByText('<Enabled>1</Enabled>').first().waitFor();
    await save(page);
    expect(await file('email.xml')).toBe(MAIL.replace('<Enabled>0<', '<Enabled>1<'));
    expect(seen.filter((text) => text.includes('correct horse'))).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('example.org');
    // What their role does not open is not offered, and refused.
    await page.goto('/engine/settings');
    await page.getByRole('link', { name: 'Edit: Mail', exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'Edit: Database' }).count()).toBe(0);
    await page.goto('/engine/settings/database');
    await page
        .getByText(/needs the role CHANGE_DB_CFG/)
        .first()
        .waitFor();
    expect(mia.watch.faults).toEqual([]);
});

test('what somebody changed by hand meanwhile is put together with it', async () => {
    await writeFile(join(lab.folder, 'email.xml'), MAIL);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/engine/settings/mail');
    await page.getByText('••••••').first().waitFor();
    await write(page, 'ana@example.org', 'bob@example.org');
    await page.getByText('not saved').waitFor();
    await writeFile(join(lab.folder, 'email.xml'), MAIL.replace('<Subject>Run<', '<Subject>Night<'));
    await page.keyboard.press('Control+s');
    await page.getByText(/^\s*Somebody else saved/).waitFor();
    await page.getByRole('button', { name: 'Put together' }).click();
    await save(page);
    const both = MAIL.replace('<Subject>Run<', '<Subject>Night<').replace(
        'ana@example.org',
        'bob@example.org',
    );
    expect(await file('email.xml')).toBe(both);
    expect(watch.faults).toEqual([]);
});

test('a profile is begun, checked beside the others, and counts', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/engine/settings');
    await page.getByLabel('Name of a new file in profiles').fill('mine');
    await page.keyboard.press('Enter');
    await page.getByText('not there yet').waitFor();
    const editor = page.getByRole('textbox', { name: /^Text of/ });
    await editor.click();
    await page.keyboard.type('name = "mine"\nbased_on = "nothing_like_it"\n');
    await page.getByRole('button', { name: /^\d+ errors?$/ }).waitFor();
    await write(page, 'nothing_like_it', 'linux');
    await page.getByRole('button', { name: /^\d+ errors?$/ }).waitFor({ state: 'detached' });
    await save(page);
    expect(await file('profiles/mine.toml')).toContain('based_on = "linux"');
    await page.goto('/engine/settings');
    await page.getByRole('link', { name: 'mine.toml' }).waitFor();
    expect(watch.faults).toEqual([]);
});
