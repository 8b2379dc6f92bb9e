// A run with options: which of the tests, where, with which fields, without a trace; tests added and taken out while it runs.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

const FIELD = '<UserDefined><propName>build</propName><propValue>416</propValue></UserDefined>';

type Plan = {
    user: string;
    options: { temporary?: boolean; user_defined: Record<string, string> };
    suites: { place: { ep?: string; labels?: Record<string, string> }; sut?: string }[];
    tests: { name: string }[];
};

beforeAll(async () => {
    lab = await SmallLab.start({ eps: ['EP-1', 'EP-2'] });
    await lab.test('first.sh', '#!/bin/sh\nexit 0\n');
    await lab.test('holds.py', 'import time\nwhile True:\n    time.sleep(0.1)\n');
    await lab.test('last.sh', '#!/bin/sh\nexit 1\n');
    await lab.project('options', { Suite: ['first.sh', 'holds.py', 'last.sh'] }, FIELD);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a part of a project runs where it is wanted, without a trace, and changes while it runs', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/runs/new?project=options');
    await page.getByRole('button', { name: 'Start 3 tests' }).waitFor();
    await page.getByLabel('build').fill('417');
    await page.getByRole('combobox', { name: /^EP/ }).selectOption('EP-2');
    await page.getByRole('checkbox', { name: /Temporary/ }).check();
    // Not the first test.
    await page
        .getByRole('grid')
        .getByRole('row', { name: /first\.sh/ })
        .getByRole('checkbox')
        .click();
    await page.getByRole('button', { name: 'Start 2 of 3 tests' }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(new URL(page.url()).pathname.split('/')[2]);
    const plan = await lab.get<Plan>(`/runs/${run}/plan`);
    expect(plan.tests.map(({ name }) => name)).toEqual(['holds.py', 'last.sh']);
    expect(plan.options).toMatchObject({ temporary: true, user_defined: { build: '417' } });
    expect(plan.suites[0]?.place.ep).toBe('EP-2');
    await page.getByText('temporary', { exact: true }).waitFor();
    await lab.reached(run, 'running');

    // One more, and one less.
    await page.getByRole('button', { name: 'Add tests …' }).click();
    await page
        .getByRole('dialog')
        .getByLabel(/^Tests of the run/)
        .fill('first.sh');
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    const rows = page.getByRole('grid').getByRole('row');
    await rows.filter({ hasText: 'first.sh' }).waitFor();
    await rows.filter({ hasText: 'last.sh' }).click({ modifiers: ['Control'] });
    await page.getByText('1 chosen').waitFor();
    await page.getByRole('button', { name: 'Take out of the run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click();
    await rows.filter({ hasText: 'last.sh' }).filter({ hasText: 'skipped' }).waitFor();

    // Stopped with a reason, at once: what ends is said before.
    await page.getByRole('button', { name: 'Stop', exact: true }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop it' }).click();
    await lab.reached(run, 'stopped', 'stopping');
    await lab.post(`/runs/${run}/stop`, { now: true }).catch(() => undefined);
    await lab.reached(run, 'stopped');
    expect(watch.faults).toEqual([]);
});

test('what waits says for what', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/runs/new?project=options');
    await page.getByLabel('Labels').fill('site=nowhere');
    await page.getByRole('button', { name: 'Start 3 tests' }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(new URL(page.url()).pathname.split('/')[2]);
    await page
        .getByRole('list', { name: 'What waits' })
        .getByText(/waits for .*site/)
        .waitFor();
    await lab.post(`/runs/${run}/stop`, { now: true });
    await page.getByRole('list', { name: 'What waits' }).waitFor({ state: 'detached' });
    expect(watch.faults).toEqual([]);
});

test('a SUT that is chosen takes the place of the project’s, and with it its EP', async () => {
    await lab.put('/suts/bed2.system', {
        path: ['bed2.system'],
        meta: { _epnames_admin: 'EP-2' },
        id: '00000000b2',
        children: {},
    });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/runs/new?project=options');
    await page.getByRole('button', { name: 'Start 3 tests' }).waitFor();
    await page.getByRole('combobox', { name: /^SUT/ }).selectOption('bed2.system');
    await page.getByRole('button', { name: 'Start 3 tests' }).click();
    await page.waitForURL(/\/runs\/\d+$/);
    const run = Number(new URL(page.url()).pathname.split('/')[2]);
    const plan = await lab.get<Plan>(`/runs/${run}/plan`);
    expect(plan.suites[0]).toMatchObject({ sut: 'bed2.system', place: { ep: 'EP-2' } });
    // Who has the SUT is in the lab, at once.
    await lab.reached(run, 'running');
    await page.goto('/lab?view=suts');
    const row = page.getByRole('row', { name: /bed2\.system/ });
    await row.getByText(`run ${run} (admin)`).waitFor();
    // What stands beside it is closed as it says.
    await row.click();
    const pane = page.getByRole('heading', { name: 'bed2.system' });
    await pane.waitFor();
    await page.keyboard.press('Escape');
    await pane.waitFor({ state: 'detached' });
    await lab.post(`/runs/${run}/stop`, { now: true });
    await lab.reached(run, 'stopped');
    expect(watch.faults).toEqual([]);
});
