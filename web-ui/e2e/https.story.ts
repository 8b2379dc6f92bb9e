// The pages over TLS, as from another machine: a log-in, a run live, a log that grows, a console, and nothing beside it in
// the clear.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Watch } from './browser';
import { Lab, PATIENCE } from './lab';

/** Asks the router until a file says that it is enough. */
const LONG = `
import pathlib, time
from jackfield import session
router = session("/lab/router")
print("the first word", flush=True)
while not pathlib.Path("@/enough").exists():
    router.command("show version")
    time.sleep(0.1)
print("the last word", flush=True)
`;
const PROJECT =
    '<Root><TestSuite><tsName>Long</tsName><EpId>EP-1001</EpId><TestCase><tcName>long.py</tcName></TestCase></TestSuite></Root>';

let lab: Lab;
let browser: Browser;

beforeAll(async () => {
    [lab, browser] = await Promise.all([Lab.start(), launch()]);
    mkdirSync(join(lab.folder, 'tests'), { recursive: true });
    writeFileSync(join(lab.folder, 'tests/long.py'), LONG.replaceAll('@', lab.folder));
});

afterAll(async () => {
    writeFileSync(join(lab.folder, 'enough'), '');
    await browser.close();
    await lab.stop();
});

test('a run, its log and a console are seen over TLS, and nothing is asked in the clear', async () => {
    const origin = lab.url.replace('http:', 'https:');
    // The certificate is the engine's own: a person compares its fingerprint once, and goes on.
    const context = await browser.newContext({ baseURL: origin, ignoreHTTPSErrors: true });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const watch = new Watch(page, origin);
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));

    // The password of an account is typed, as by anybody.
    const password = 'ana-goes-to-the-lab';
    await lab.ask('POST', '/users', {
        name: 'ana',
        password,
        roles: ['VIEW_REPORTS', 'RUN_TESTS', 'CHANGE_TESTBED'],
    });
    await page.goto('/');
    await page.getByLabel('User').fill('ana');
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    const cookies = await context.cookies();
    expect(cookies.map((cookie) => [cookie.secure, cookie.httpOnly])).toEqual([[true, true]]);

    const { run } = (await lab.ask('POST', '/runs', { project: 'long', xml: PROJECT })) as { run: number };
    await page.goto(`/runs/${run}`);
    await page.getByText('long.py').first().waitFor();
    await page.getByText('1 running').waitFor();

    await page.goto(`/alone/log?attempt=${run}.0.1`);
    await page.getByRole('listbox').getByText('the first word').waitFor();
    await page.getByText('growing').waitFor();

    await page.goto(`/console?resource=${encodeURIComponent('/lab/router')}`);
    await page.locator('.standing', { hasText: `run ${run} uses it, you watch` }).waitFor();
    const screen = async (): Promise<string> =>
        (await page.locator('.xterm-accessibility-tree').innerText()).replaceAll('\u00a0', ' ');
    await expect.poll(screen, { timeout: PATIENCE, interval: 200 }).toContain('show version');
    const shots = process.env['JACKFIELD_SHOTS'];
    if (shots !== undefined) await page.screenshot({ path: join(shots, 'https-console.png') });

    // The end of the run is seen where one looks, without a reload.
    await page.goto(`/runs/${run}`);
    await page.getByText('1 running').waitFor();
    writeFileSync(join(lab.folder, 'enough'), '');
    await page.getByText('1 passed').waitFor();
    if (shots !== undefined) await page.screenshot({ path: join(shots, 'https-run.png') });

    expect(sockets.length).toBeGreaterThan(0);
    expect(sockets.filter((url) => !url.startsWith(origin.replace('https:', 'wss:')))).toEqual([]);
    expect(watch.faults).toEqual([]);
});
