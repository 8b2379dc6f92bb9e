// The life of a run without a mouse: started, answered, paused, resumed, stopped and read by keys alone.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, tabTo } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'asks.py',
        'import jackfield\nassert jackfield.interact("decide", "Is the cable in?")\nassert False, "the port is down"\n',
    );
    await lab.test('slow.py', 'import time\nwhile True:\n    time.sleep(0.1)\n');
    await lab.project('keys', { Suite: ['asks.py', 'slow.py'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('everything is done by keys', async () => {
    const person = await Person.open(browser, lab);
    const { page, watch } = person;
    const keyboard = page.keyboard;

    // Find the project, and start it: Enter in any field of the form does.
    await person.palette('start keys');
    await page.getByRole('button', { name: 'Start 2 tests' }).waitFor();
    await page.getByRole('textbox', { name: 'Labels' }).press('Enter');
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(new URL(page.url()).pathname.split('/')[2]);

    // Answer: the button is reached by Tab.
    const yes = page.getByRole('button', { name: 'Yes' });
    await tabTo(page, yes);
    await keyboard.press('Enter');
    await yes.waitFor({ state: 'detached' });

    // Pause and resume by the same key.
    await keyboard.press('p');
    await lab.reached(run, 'paused');
    await page.getByRole('button', { name: 'Resume' }).first().waitFor();
    await keyboard.press('p');
    await lab.reached(run, 'running');

    // To what failed, and out again.
    await keyboard.press(']');
    await page.getByText('the port is down').first().waitFor();
    expect(new URL(page.url()).pathname).toBe(`/runs/${run}/tests/0`);
    await keyboard.press('Escape');
    await page.waitForURL((url) => url.pathname === `/runs/${run}`);

    // Stop: the dialog has the focus, and Escape leaves it without a deed.
    await page.getByRole('button', { name: 'Pause' }).first().waitFor();
    await keyboard.press('s');
    await page.getByRole('dialog').waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await lab.get<{ state: string }>(`/runs/${run}`)).state).toBe('running');
    await keyboard.press('s');
    await page.getByRole('dialog').waitFor();
    await keyboard.press('Enter');
    await lab.reached(run, 'stopped');

    // Elsewhere, and what keys there are.
    await keyboard.press('g');
    await keyboard.press('e');
    await page.getByRole('heading', { name: 'Execution Processes' }).waitFor();
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys of this page' }).getByText('Go to Runs').waitFor();
    expect(watch.faults).toEqual([]);
});
