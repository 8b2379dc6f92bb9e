// The life of a run as one person sees it: start it with a field, watch it, answer it, steer it, read why it failed.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

const FIELD = '<UserDefined><propName>build</propName><propValue>416</propValue></UserDefined>';

/** A shell session on this machine is the device: its dialogue is recorded like any other. */
const SESSION = `import jackfield
with jackfield.session("/here") as s:
    s.command("echo what the device said")
`;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: ['EP-1'] });
    await lab.test('quick.py', 'print("quick and good")\n');
    await lab.test(
        'asks.py',
        'import jackfield\nanswer = jackfield.interact("input", "Which port is the cable in?")\nprint("port", answer)\nassert answer == "ge0/7", f"wrong port {answer}"\n',
    );
    await lab.test(
        'fails.py',
        'for line in range(500):\n    print("line", line)\nprint("the needle of the haystack")\nassert False, "the link stayed down"\n',
    );
    await lab.test('slow.py', 'import time\nprint("begun", flush=True)\nwhile True:\n    time.sleep(0.1)\n');
    await lab.test('session.py', SESSION);
    await lab.put('/resources', {
        parent: '/',
        name: 'here',
        properties: { protocol: 'process', command: 'sh', profile: 'linux' },
    });
    await lab.project(
        'night',
        { Router: ['quick.py', 'asks.py', 'fails.py', 'session.py'], Last: ['slow.py', 'quick.py'] },
        FIELD,
    );
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a run is started, watched, answered, paused, resumed, stopped, run again and read', async () => {
    const { page, watch } = await Person.open(browser, lab);

    // Start it with a field.
    await page.getByRole('link', { name: 'Start a run' }).first().click();
    await page.getByRole('link', { name: 'night' }).click();
    await page.getByLabel('build').fill('417');
    await page.getByRole('button', { name: 'Start 6 tests' }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(new URL(page.url()).pathname.split('/')[2]);
    const plan = await lab.get<{ options: { user_defined: Record<string, string> } }>(`/runs/${run}/plan`);
    expect(plan.options.user_defined['build']).toBe('417');

    // It asks: the card is there, and on every page the status line says so.
    await page.getByText('Which port is the cable in?').waitFor();
    await page.getByRole('contentinfo', { name: 'Status' }).getByText('asks you something').waitFor();
    expect(await page.title()).toContain('running');
    await page.getByRole('textbox', { name: 'Which port is the cable in?' }).fill('ge0/7');
    await page.keyboard.press('Enter');
    await page.getByText('Which port is the cable in?').waitFor({ state: 'detached' });

    // The failure comes to the top while it runs; pause and resume in place.
    const rows = page.getByRole('grid', { name: `Tests of run ${run}` }).getByRole('row');
    await until('the failure on top', async () => (await rows.nth(1).textContent())?.includes('fails.py'));
    await page.getByRole('button', { name: 'Pause' }).first().click();
    await lab.reached(run, 'paused');
    await page.getByRole('button', { name: 'Resume' }).first().waitFor();
    await page.getByRole('button', { name: 'Resume' }).first().click();
    await lab.reached(run, 'running');
    await rows.filter({ hasText: 'slow.py' }).filter({ hasText: 'running' }).waitFor();

    // Stop: what will happen is said first.
    await page.getByRole('button', { name: 'Stop', exact: true }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Teardown files, the post script, report and mail follow.').waitFor();
    await dialog.getByLabel('Why').fill('wrong build');
    await dialog.getByRole('button', { name: 'Stop it' }).click();
    await lab.reached(run, 'stopped');
    await page.getByText('Stopped by admin: wrong build', { exact: true }).first().waitFor();

    // Why did it fail: the log of the test, searched.
    await rows.nth(1).click();
    await page.getByText('the link stayed down').first().waitFor();
    await page.getByText('the needle of the haystack').first().waitFor();

    // Looked for in the whole log; the address shows a colleague the same line.
    await page.keyboard.press('Control+f');
    await page.keyboard.type('needle of the hay');
    await page.getByText('1 of 1').waitFor();
    await page.locator('.found', { hasText: 'needle of the hay' }).waitFor();
    await page.keyboard.press('Escape');

    // What was said with the device, played.
    await rows.filter({ hasText: 'session.py' }).click();
    await page.getByRole('link', { name: /^Sessions/ }).click();
    const recording = page.getByRole('region', { name: /^Recording/ });
    await recording.getByRole('button', { name: 'Play' }).click();
    await until('the recording to be played', async () =>
        (await recording.locator('.xterm-accessibility-tree').textContent())
            ?.replaceAll('\u00a0', ' ')
            .includes('what the device said'),
    );

    // The report for a pipeline.
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'JUnit' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe(`run-${run}.xml`);

    // What did not pass, once more.
    await page.getByRole('button', { name: 'Run again what did not pass' }).click();
    await page.getByRole('heading', { name: new RegExp(`^${run + 1} night`) }).waitFor();
    const again = await lab.get<{ items: { name: string }[] }>(`/runs/${run + 1}/tests`);
    expect(again.items.map(({ name }) => name)).toContain('fails.py');
    expect(again.items.filter(({ name }) => name === 'quick.py').length).toBe(1);
    await lab.post(`/runs/${run + 1}/stop`, { now: true });
    await lab.reached(run + 1, 'stopped');
    expect(watch.faults).toEqual([]);
});
