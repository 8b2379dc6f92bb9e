// A console on a serial line, in the browser: the line is a pair of terminals, and its far end a shell that asks who is there.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab, until } from './small_lab';

/** What a machine says on its serial line. */
const FAR = `#!/bin/sh
while true; do
    printf 'box login: '
    read -r who || exit
    [ -n "$who" ] || continue
    printf 'hello %s\\r\\nbox$ ' "$who"
    while read -r line; do
        [ "$line" = out ] && break
        printf 'you said <%s>\\r\\nbox$ ' "$line"
    done
done
`;

let lab: SmallLab;
let browser: Browser;
let socat: ChildProcess;

beforeAll(async () => {
    lab = await SmallLab.start();
    const [line, far] = [join(lab.folder, 'tty'), join(lab.folder, 'far')];
    await writeFile(far, FAR);
    await chmod(far, 0o755);
    socat = spawn('socat', [`PTY,link=${line},raw,echo=0`, `EXEC:${far},pty,stderr,setsid,ctty,sane`]);
    await until('the line', async () => existsSync(line));
    const ask = async (name: string, parent: string, properties: object) => {
        const answer = await fetch(`${lab.url}/api/v1/resources`, {
            method: 'PUT',
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${lab.token}` },
            body: JSON.stringify({ parent, name, properties }),
        });
        expect(answer.ok, await answer.text()).toBe(true);
    };
    await ask('lab', '/', {});
    await ask('box', '/lab', { protocol: 'serial', device: line, speed: 115_200 });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    socat?.kill();
    await lab?.stop();
});

async function see(page: Page, words: string): Promise<void> {
    const text = async () =>
        (await page.locator('.xterm-accessibility-tree').innerText()).replaceAll('\u00a0', ' ');
    await expect.poll(text, { timeout: 30_000, interval: 200 }).toContain(words);
}

test('a serial line is typed on, gets a break, and takes a pasted text line by line', async () => {
    const { page, context, watch } = await Person.open(browser, lab);
    await page.goto(`/console?resource=${encodeURIComponent('/lab/box')}&raw=true`);
    await page.locator('.standing', { hasText: 'you type' }).waitFor();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Enter');
    await see(page, 'box login:');
    await page.keyboard.type('ana');
    await page.keyboard.press('Enter');
    await see(page, 'hello ana');

    await page.getByRole('button', { name: 'Break' }).click();
    await page.getByText('a break was sent').waitFor();

    // Pasted lines go one after the other, as slowly as the device reads.
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: lab.url });
    await page.evaluate(() => navigator.clipboard.writeText('first\nsecond\nthird\n'));
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Control+Shift+V');
    await page.getByRole('dialog').getByRole('button', { name: 'Paste' }).click();
    for (const line of ['first', 'second', 'third']) await see(page, `you said <${line}>`);
    expect(watch.faults).toEqual([]);
});
