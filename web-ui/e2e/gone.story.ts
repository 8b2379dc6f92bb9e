// What ends while one looks at it: a run that is deleted, a session that is over, a live view whose reader went away.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

/** The engine says something to each live view every 15 seconds; who went is to be known sooner. */
const SOON_MILLIS = 8_000;

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('quick.sh', '#!/bin/sh\necho quick\n');
    await lab.project('short', { Suite: ['quick.sh'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const watchers = async (): Promise<number> =>
    (await lab.get<{ counts: Record<string, number> }>('/engine')).counts['watchers'] ?? Number.NaN;

test('a page of a run that is deleted says so, and lists have it no more', async () => {
    const run = await lab.run('short');
    await lab.reached(run, 'completed');
    await until(
        'its reports to be made',
        async () => (await lab.get<unknown[]>(`/runs/${run}/jobs`)).length === 0,
    );
    const list = await Person.open(browser, lab);
    const row = list.page.getByRole('row').filter({ hasText: 'short' });
    await row.waitFor();
    const { page, watch } = await list.another(`/runs/${run}/tests/0`);
    await page.getByText('quick', { exact: true }).first().waitFor();
    await lab.delete(`/runs/${run}`);
    await page.getByRole('heading', { name: `Run ${run} was deleted` }).waitFor();
    await row.waitFor({ state: 'detached' });
    // Nor does what its page still knew bring it back.
    await page.getByRole('link', { name: 'To the runs' }).click();
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
    await page.getByRole('heading', { name: 'Nothing was run yet' }).waitFor();
    expect(await page.getByRole('row').filter({ hasText: 'short' }).count()).toBe(0);
    await page.goto(`/runs/${run}/tests/0`);
    await page.getByRole('heading', { name: `There is no run ${run}` }).waitFor();
    expect([...watch.faults, ...list.watch.faults]).toEqual([]);
});

test('a live view whose reader went away is not counted any more', async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await until('nobody to look', async () => (await watchers()) === 0);
    const stop = new AbortController();
    const headers = { Authorization: `Bearer ${lab.token}` };
    const answer = await fetch(`${lab.url}/api/v1/live`, { headers, signal: stop.signal });
    await answer.body?.getReader().read();
    expect(await watchers()).toBe(1);
    stop.abort();
    await until('the reader to be missed', async () => (await watchers()) === 0, SOON_MILLIS);
});

test('who is signed out elsewhere sees nothing more, is told why, and goes on where they were', async () => {
    const person = await Person.open(browser, lab);
    const { page } = person;
    await page.goto('/eps');
    await page.getByText('live', { exact: true }).waitFor();
    // Another window of the same browser: this one learns of it by its stream alone.
    await page.context().request.post('/api/v1/logout', { headers: { Origin: lab.url }, data: {} });
    await lab.kill();
    await lab.restart();
    await page.getByText('Your session is over').waitFor();
    expect(await page.getByText('EP-1').count()).toBe(0);
    await person.signIn('admin', lab.password);
    await page.getByRole('heading', { name: 'Execution Processes' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/eps');
});
