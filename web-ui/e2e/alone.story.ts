// A browser without shared workers, and one whose worker cannot be loaded: each page has a stream of its own, and all is as live.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'talks.py',
        'import time\nfor n in range(1000000):\n    print("line", n, flush=True)\n    time.sleep(0.2)\n',
    );
    await lab.project('talks', { Suite: ['talks.py'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

/** What each page does before its own scripts. */
const WAYS: [string, () => void][] = [
    ['without shared workers', () => void Reflect.deleteProperty(globalThis, 'SharedWorker')],
    [
        'whose worker cannot be loaded',
        () => {
            const Real = globalThis.SharedWorker;
            globalThis.SharedWorker = class extends Real {
                constructor() {
                    super('/no-worker.js', { type: 'module' });
                }
            };
        },
    ],
];

test.each(WAYS)('a browser %s is as live', async (_, prepare) => {
    const run = await lab.run('talks');
    const person = await Person.open(browser, lab);
    await person.context.addInitScript(prepare);
    const { page } = await person.another(`/runs/${run}/tests/0`);
    const lines = async (): Promise<string> => (await page.locator('.line').allInnerTexts()).join('\n');
    await until('the log to grow', async () => /line [3-9]/.test(await lines()));

    // After a restart of the engine it goes on by itself, and learns how the run ended. What a shared worker asks is not seen here: this is
    // the page's own stream.
    const own = page.waitForRequest(/\/api\/v1\/follow/);
    await lab.kill();
    await own;
    await page.getByText(/reconnecting, data from/).waitFor();
    await lab.restart();
    await page.getByText('live', { exact: true }).waitFor({ timeout: 20_000 });
    await lab.post(`/runs/${run}/stop`, { now: true });
    await lab.reached(run, 'stopped');
    await page.getByText('1 aborted').first().waitFor();
});
