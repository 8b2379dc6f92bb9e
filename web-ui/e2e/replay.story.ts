// The recording of a test's session: played, walked by its marks with the keyboard, and within the content policy.

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, PATIENCE } from './lab';

let lab: Lab;
beforeAll(async () => {
    lab = await Lab.start();
});
afterAll(() => lab.stop());

interface Attempt {
    artifacts: Record<string, { hash: string }>;
}

test('a recording is played and walked by its marks', async () => {
    // The demo's test of static routes has steps, which are marks.
    const { artifacts } = (await lab.ask('GET', '/attempts/1.1.1')) as Attempt;
    const [name, file] = Object.entries(artifacts).find(([path]) => path.endsWith('.cast')) ?? [];
    if (name === undefined || file === undefined)
        throw new Error(`no recording among ${Object.keys(artifacts)}`);
    const { page, faults } = await lab.admin();
    await page.goto(`/console?recording=${file.hash}&name=r.cast`);
    const screen = page.locator('.xterm-accessibility-tree');
    const words = async (): Promise<string> => ((await screen.textContent()) ?? '').replaceAll('\u00a0', ' ');
    await expect.poll(words, { timeout: PATIENCE }).toContain('show ip route');
    const marks = page.getByRole('list', { name: 'Marks' }).getByRole('button');
    await marks.filter({ hasText: 'add' }).first().waitFor();

    // From the beginning to the first step with two keys, and back.
    await page.getByRole('slider', { name: 'Time' }).focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.getByRole('slider', { name: 'Time' }).inputValue()).toBe('0');
    await expect.poll(words).not.toContain('ip route 10.50');
    await page.getByRole('button', { name: 'Play' }).focus();
    await page.keyboard.press(']');
    await page.keyboard.press('End');
    await expect.poll(words).toContain('ip route 10.50');

    // Silence is short unless one wants it as it was; the clock tells the true time.
    const told = await page.locator('.time').innerText();
    await page.getByLabel('Silence short').uncheck();
    expect(await page.locator('.time').innerText()).toBe(told);
    await page.getByRole('button', { name: 'Play' }).focus();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    expect(faults).toEqual([]);
});
