// The life of a run without a mouse: started, answered, paused, resumed, stopped and read by keys alone.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, tabTo } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

const FIELD = '<UserDefined><propName>build</propName><propValue>416</propValue></UserDefined>';
const SESSION = `import jackfield
with jackfield.session("/here") as s:
    s.command("echo what the device said")
`;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'asks.py',
        'import jackfield\nassert jackfield.interact("decide", "Is the cable in?")\nassert False, "the port is down"\n',
    );
    await lab.test('slow.py', 'import time\nwhile True:\n    time.sleep(0.1)\n');
    await lab.test('session.py', SESSION);
    await lab.put('/resources', {
        parent: '/',
        name: 'here',
        properties: { protocol: 'process', command: 'sh', profile: 'linux' },
    });
    await lab.project('keys', { Suite: ['session.py', 'asks.py', 'slow.py'] }, FIELD);
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

    // Find the project, say which build, and start it: Enter in any field of the form does.
    await person.palette('start keys');
    await page.getByRole('button', { name: 'Start 3 tests' }).waitFor();
    await tabTo(page, page.getByLabel('build'));
    await keyboard.press('Control+a');
    await keyboard.type('417');
    await keyboard.press('Enter');
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(new URL(page.url()).pathname.split('/')[2]);
    const plan = await lab.get<{ options: { user_defined: Record<string, string> } }>(`/runs/${run}/plan`);
    expect(plan.options.user_defined['build']).toBe('417');

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
    expect(new URL(page.url()).pathname).toBe(`/runs/${run}/tests/1`);
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

    // The log of what failed, searched; then the session of another test, played to its end.
    await keyboard.press(']');
    await page.getByText('the port is down').first().waitFor();
    await keyboard.press('Control+f');
    await keyboard.type('the port');
    await page.locator('.found', { hasText: 'the port' }).first().waitFor();
    await keyboard.press('Escape');
    await page.goto(`/runs/${run}/tests/0`);
    await tabTo(page, page.getByRole('link', { name: /^Sessions/ }));
    await keyboard.press('Enter');
    const recording = page.getByRole('region', { name: /^Recording/ });
    await tabTo(page, recording.getByRole('button', { name: 'Play' }));
    await keyboard.press('Home');
    await keyboard.press('Space');
    await until('the recording to be played', async () =>
        (await recording.locator('.xterm-accessibility-tree').textContent())
            ?.replaceAll('\u00a0', ' ')
            .includes('what the device said'),
    );
    await keyboard.press('Escape');

    // The report for a pipeline, and once more what did not pass.
    const downloading = page.waitForEvent('download');
    await tabTo(page, page.getByRole('link', { name: 'JUnit' }));
    await keyboard.press('Enter');
    expect((await downloading).suggestedFilename()).toBe(`run-${run}.xml`);
    await keyboard.press('r');
    await page.getByRole('heading', { name: new RegExp(`^${run + 1} keys`) }).waitFor();
    await lab.post(`/runs/${run + 1}/stop`, { now: true });
    await lab.reached(run + 1, 'stopped');

    // Elsewhere, and what keys there are.
    await keyboard.press('g');
    await keyboard.press('e');
    await page.getByRole('heading', { name: 'Execution Processes' }).waitFor();
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys of this page' }).getByText('Go to Runs').waitFor();
    expect(watch.faults).toEqual([]);
});
