// Logs as people read them: from the first byte while a test runs, searched whole, linked, copied; and a log in which
// everything is hostile.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, PATIENCE } from './lab';

const NEEDLE = 'the needle';
/** Writes as fast as it can, then waits for a word. */
const LOUD = String.raw`
import pathlib, sys, time
for number in range(20000):
    print(f"line {number} of a loud test" if number != 7000 else "${NEEDLE}")
sys.stdout.flush()
pathlib.Path("@/loud").touch()
while not pathlib.Path("@/enough").exists():
    time.sleep(0.05)
print("\x1b[31mERROR\x1b[0m the last word")
`;
/** Forty lines, a progress bar of many states on one line; then, when it is told to, a hundred lines and a hundred more. */
const GROWS = String.raw`
import pathlib, time
def say(first, last):
    for number in range(first, last):
        print(f"line {number} of a test", flush=True)
say(0, 40)
for share in range(101):
    print("\r[" + f"{share:3}" + " %] " + "#" * 60, end="")
print(flush=True)
for word, first in (("more", 40), ("most", 140)):
    while not pathlib.Path("@/" + word).exists():
        time.sleep(0.05)
    say(first, first + 100)
`;
const HOSTILE = String.raw`
import sys, os
sys.stdout.buffer.write("<script>alert('log')</script><img src=x onerror=alert(1)>\n".encode())
sys.stdout.buffer.write("\u202eright to left\u0000\u0007 \x1b]0;title\x07 \x1b[2J done\n".encode())
sys.stdout.buffer.write(b"\xff\xfe no text\n" + b"y" * 1_000_000 + b"\nafter the long line\n")
`;
const project = (file: string): string =>
    `<Root><TestSuite><tsName>S</tsName><EpId>EP-1001</EpId><TestCase><tcName>${file}</tcName></TestCase></TestSuite></Root>`;

let lab: Lab;

beforeAll(async () => {
    lab = await Lab.start();
    writeFileSync(join(lab.folder, 'tests/loud.py'), LOUD.replaceAll('@', lab.folder));
    writeFileSync(join(lab.folder, 'tests/hostile.py'), HOSTILE);
});

afterAll(() => lab.stop());

/** Starts a run of one test; there is a log as soon as an EP has it. */
async function start(file: string): Promise<number> {
    const { run } = (await lab.ask('POST', '/runs', { project: file, xml: project(file) })) as {
        run: number;
    };
    const attempt = (): Promise<unknown> => lab.ask('GET', `/attempts/${run}.0.1`).catch(() => undefined);
    await expect.poll(attempt, { timeout: PATIENCE }).toBeDefined();
    return run;
}

test('a log is read from its first byte, searched whole, linked and copied', async () => {
    const run = await start('loud.py');
    const { page, faults } = await lab.admin();
    await page.goto(`/alone/log?attempt=${run}.0.1`);
    const log = page.getByRole('listbox');
    await log.getByText('line 19999 of a loud test').waitFor();
    await page.getByText('growing').waitFor();

    // When lines came, for who wants to see it; hidden again, nothing is left of it.
    await page.getByRole('button', { name: 'Times' }).click();
    await expect.poll(() => log.locator('time').first().textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d$/);
    await page.getByRole('button', { name: 'Times' }).click();
    await log.locator('time').first().waitFor({ state: 'detached' });

    // Ours looks through the whole log, of which the browser has drawn a screen.
    await page.keyboard.press('Control+f');
    await page.keyboard.type('needle');
    await log.getByText(NEEDLE).waitFor();
    await page.getByText('1 of 1').waitFor();
    expect(await log.getByText('line 19999 of').count()).toBe(0);

    // A pattern, and the way through what it finds.
    await page.getByRole('button', { name: 'Regular expression' }).click();
    await page.getByRole('searchbox', { name: 'Find in the whole log' }).fill('line 1(00|23)\\d of');
    await page.getByText(/of 20$/).waitFor();
    await log.focus();
    await page.keyboard.press('n');
    await page.keyboard.press('N');
    await page.getByRole('searchbox', { name: 'Find in the whole log' }).fill('a(');
    await page.getByText('the pattern cannot be used').waitFor();
    await page.getByRole('searchbox', { name: 'Find in the whole log' }).fill('');

    // Two lines, chosen with the keyboard: in the address, and on the clipboard as they were written.
    await log.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+ArrowDown');
    await expect.poll(() => new URL(page.url()).hash).toBe('#L1-L2');
    await page.keyboard.press('c');
    await page.getByText('2 lines copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
        'line 0 of a loud test\nline 1 of a loud test',
    );

    // Whoever reads is not torn away; what came is counted, and is one key away.
    writeFileSync(join(lab.folder, 'enough'), '');
    await page.getByText(/^\d new lines?/).waitFor();
    expect(await log.getByText('line 1 of a loud test').count()).toBe(1);
    await page.keyboard.press('End');
    await log.getByText('the last word').waitFor();
    await page.getByText('1 error line').waitFor();

    // The link shows a colleague the same lines.
    await page.goto(`/alone/log?attempt=${run}.0.1#L7001`);
    await page.getByRole('listbox').getByText(NEEDLE).waitFor();
    expect(faults).toEqual([]);
});

test('a line that somebody asked for stays while the log grows, and a progress bar shows its end', async () => {
    writeFileSync(join(lab.folder, 'tests/grows.py'), GROWS.replaceAll('@', lab.folder));
    const run = await start('grows.py');
    const { page, faults } = await lab.admin();
    // A link to a line of the last screen.
    await page.goto(`/alone/log?attempt=${run}.0.1#L38`);
    const log = page.getByRole('listbox');
    await log.getByText('line 37 of', { exact: false }).waitFor();
    // As a terminal shows it, though all that was drawn does not fit an answer.
    await log.getByText('[100 %]').waitFor();
    expect(await log.getByText('[ 50 %]').count()).toBe(0);
    writeFileSync(join(lab.folder, 'more'), '');
    await page.getByText(/^\d+ new lines/).waitFor();
    expect(await log.getByText('line 37 of', { exact: false }).count()).toBe(1);

    // The same for a line that is chosen by its number while one follows.
    await page.getByText(/^\d+ new lines/).click();
    await log.getByText('line 139 of').waitFor();
    await log.locator('.number', { hasText: /^140$/ }).click();
    writeFileSync(join(lab.folder, 'most'), '');
    await page.getByText(/^\d+ new lines/).waitFor();
    expect(await log.getByText('line 139 of').count()).toBe(1);
    await page.keyboard.press('End');
    await log.getByText('line 239 of').waitFor();
    expect(faults).toEqual([]);
});

test('whatever a test prints is shown as text', async () => {
    const run = await start('hostile.py');
    const { page, faults } = await lab.admin({ theme: 'dark' });
    await page.goto(`/alone/log?attempt=${run}.0.1`);
    const log = page.getByRole('listbox');
    await log.getByText('after the long line').waitFor();
    await log.getByText("<script>alert('log')</script>").waitFor();
    await log.getByText('<U+202E>').waitFor();
    await log.getByText('995,904 more bytes').click();
    await page.getByRole('heading', { name: /1,000,000 characters/ }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await log.locator('script, img').count()).toBe(0);
    expect(faults).toEqual([]);
});
