// What a device asks of its terminal (where the cursor is, what it is) is answered once, by the terminal of the one who types: not by those who
// look on, and not when somebody comes later and is shown what was said before.

import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;
let device: Server;
let line: Socket | undefined;
/** What the device has heard. */
let heard = '';

const ESC = '\u001b';
const ANSWER = new RegExp(`${ESC}\\[(\\d+;\\d+R|\\?[\\d;]+c)`, 'g');
const answers = (): number => heard.match(ANSWER)?.length ?? 0;

beforeAll(async () => {
    device = createServer((socket) => {
        line = socket;
        socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
        socket.on('error', () => undefined);
        socket.write('the device is ready\r\n');
    });
    await new Promise<void>((ready) => device.listen(0, '127.0.0.1', ready));
    const { port } = device.address() as AddressInfo;
    lab = await SmallLab.start();
    await lab.put('/resources', { parent: '/', name: 'lab', properties: {} });
    const properties = { protocol: 'telnet', host: '127.0.0.1', port };
    await lab.put('/resources', { parent: '/lab', name: 'box', properties });
    await lab.user('bob', 'bob goes to the lab', [], ['VIEW_REPORTS', 'CHANGE_TESTBED']);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
    line?.destroy();
    device?.close();
});

async function see(page: Page, words: string): Promise<void> {
    const text = async () =>
        (await page.locator('.xterm-accessibility-tree').innerText()).replaceAll('\u00a0', ' ');
    await expect.poll(text, { timeout: 30_000, interval: 200 }).toContain(words);
}

test('a question of the device is answered by who types, once', async () => {
    const ana = await Person.open(browser, lab);
    await ana.page.goto(`/console?resource=${encodeURIComponent('/lab/box')}&raw=true`);
    await ana.page.locator('.standing', { hasText: 'you type' }).waitFor();
    await see(ana.page, 'the device is ready');
    line?.write(`${ESC}[6nfirst\r\n`);
    await until('an answer', async () => answers() === 1);

    // Bob is shown what was asked before he came, and the next question as well.
    const bob = await Person.open(browser, lab, 'bob', 'bob goes to the lab');
    await bob.page.goto(`/console?resource=${encodeURIComponent('/lab/box')}&watch=true`);
    await see(bob.page, 'first');
    line?.write(`${ESC}[c${ESC}[?1;2$p${ESC}]11;?${ESC}\\second\r\n`);
    for (const { page } of [ana, bob]) await see(page, 'second');
    await until('the second answer', async () => answers() === 2);
    expect(await bob.page.getByText('you watch; take over before you type').count()).toBe(0);
    expect([...ana.watch.faults, ...bob.watch.faults]).toEqual([]);
});
