// What one looks at all day: lists whose filters are links, who worked when and what waited, EPs that are given no more work, the engine's own
// numbers; and a log that is folded, wrapped and walked through.

import { execFileSync } from 'node:child_process';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { BINARY, SmallLab, until } from './small_lab';

let lab: SmallLab;
let browser: Browser;

/** Tests of a run that goes on for a while, every other of which fails. */
const FLIPS = 200;

/** Three steps, one of which has errors; lines that are longer than any screen. */
const STEPS = `import sys
for step in ("prepare", "load", "clean"):
    print(f"=== {step} ===")
    for line in range(40):
        print(f"{step} line {line}", "long " * 80)
    if step == "load":
        print("\\x1b[31mERROR\\x1b[0m the port is down")
        print("\\x1b[31mERROR\\x1b[0m the link is down")
print("\\x1b[33musage:\\x1b[0m two ports")
sys.exit(1)
`;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('steps.py', STEPS);
    await lab.test('quick.py', 'print("quick")\n');
    await lab.test('takes.py', 'import time\ntime.sleep(2)\n');
    await lab.project('night', { Suite: ['quick.py', 'steps.py'] });
    await lab.test('bad.sh', '#!/bin/sh\nsleep 0.2\nexit 1\n');
    await lab.test('good.sh', '#!/bin/sh\nsleep 0.2\n');
    await lab.project('flips', {
        Suite: Array.from({ length: FLIPS }, (_, nth) => (nth % 2 === 0 ? 'good.sh' : 'bad.sh')),
    });
    await lab.project('day', { Suite: ['quick.py'] });
    await lab.project('long', { Suite: Array.from({ length: 4 }, () => 'takes.py') });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a filter is a link, Back takes it back, and the tab says how a run went', async () => {
    const [night, day] = [await lab.run('night'), await lab.run('day')];
    await lab.reached(night, 'completed');
    await lab.reached(day, 'completed');
    const { page, watch } = await Person.open(browser, lab);
    const rows = page.getByRole('row');
    await rows.filter({ hasText: 'day' }).waitFor();
    await page.getByRole('link', { name: 'With failures' }).click();
    await rows.filter({ hasText: 'day' }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('?show=failed');
    await page.goBack();
    await rows.filter({ hasText: 'day' }).waitFor();

    // A colleague who opens the link sees the same.
    await page.goto('/runs?text=nigh');
    await rows.filter({ hasText: 'night' }).waitFor();
    expect(await rows.filter({ hasText: 'day' }).count()).toBe(0);
    await page.getByRole('link', { name: 'night' }).click();
    await page.waitForURL(/\/runs\/\d+/);
    await until('the tab to say so', async () =>
        (await page.title()).startsWith(`1 failed – ${night} night`),
    );
    expect(await page.locator('link[rel="icon"]').getAttribute('href')).toContain(
        encodeURIComponent('#d43a33'),
    );

    // A count is a filter, and a step back is a step back.
    await page.getByRole('button', { name: '1 passed' }).click();
    const tests = page.getByRole('grid').getByRole('row');
    await tests.filter({ hasText: 'steps.py' }).waitFor({ state: 'detached' });
    await page.goBack();
    await tests.filter({ hasText: 'steps.py' }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('nothing moves under the pointer, and what has changed is one click away', async () => {
    const run = await lab.run('flips');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto(`/runs/${run}`);
    const rows = page.getByRole('grid').getByRole('row');
    const failed = async (): Promise<number> =>
        Number(
            /\d+/.exec(
                (await page
                    .getByText(/^\d+\s+failed/)
                    .first()
                    .textContent()) ?? '',
            )?.[0],
        );
    await until('the first to fail', async () => (await failed()) > 0);
    // Somebody is about to click.
    const order = (): Promise<string[]> => rows.locator('[role="gridcell"]:first-child').allInnerTexts();
    const box = await page.getByRole('grid').boundingBox();
    if (box === null) throw new Error('no list');
    const [x, y] = [box.x + 300, box.y + 120];
    await page.mouse.move(x, y);
    const before = await order();
    const then = await failed();
    await until('three more to fail', async () => {
        await page.mouse.move(x + Math.random() * 50, y);
        return (await failed()) >= then + 3;
    });
    expect(await order()).toEqual(before);
    // What a row says goes on all the same.
    const moved = page.getByRole('button', { name: /^\d+ changed: put in order$/ });
    await moved.click();
    await page.mouse.move(5, 5);
    await until('the failed on top', async () => {
        const words = await rows.locator('[role="gridcell"]:nth-child(2)').allInnerTexts();
        return words.slice(0, 3).every((word) => word.trim() === 'failed');
    });
    await moved.waitFor({ state: 'detached' });

    // Who has scrolled reads on, too; Ctrl-A chooses all there are.
    await page.getByRole('grid').evaluate((list) => list.scrollTo({ top: 300 }));
    await moved.waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('Control+a');
    await page.getByText(`${FLIPS} chosen`).waitFor();
    await page.getByRole('button', { name: 'Choose none' }).click();
    await moved.click();
    expect(await page.getByRole('grid').evaluate((list) => list.scrollTop)).toBe(0);
    await lab.post(`/runs/${run}/stop`, { now: true });
    await lab.reached(run, 'stopped');
    expect(watch.faults).toEqual([]);
});

test('a log is folded by its steps, wrapped, and walked from error to error', async () => {
    const run = await lab.run('night');
    await lab.reached(run, 'completed');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto(`/runs/${run}/tests/1`);
    const log = page.getByRole('listbox');
    // Why, without the colours that the test has for a terminal; and of a test that failed, the first error line.
    await page.getByText('exit status 1; it said: usage: two ports').first().waitFor();
    await log.getByText('ERROR the port is down').waitFor();
    await page.getByRole('button', { name: '2 error lines' }).waitFor();
    await log.focus();
    await page.keyboard.press('n');
    const at = () => log.locator('.line.at').innerText();
    await expect.poll(at).toContain('the link is down');
    await page.keyboard.press('p');
    await expect.poll(at).toContain('the port is down');

    // Wrapped or not, the line stays under the eye.
    await page.keyboard.press('w');
    await page.getByRole('button', { name: 'Wrap', pressed: true }).waitFor();
    await log.getByText('ERROR the port is down').waitFor();
    await page.keyboard.press('w');

    // Folded: three headings, and what is between them is away; one of them opened again.
    await page.getByRole('button', { name: 'Fold', exact: true }).click();
    await expect.poll(() => log.locator('.line').count()).toBe(3);
    await log.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('z');
    await log.getByText('prepare line 3').waitFor();
    expect(await log.getByText('ERROR the port is down').count()).toBe(0);
    await page.getByLabel('Steps').selectOption({ index: 3 });
    await expect.poll(at).toContain('=== clean ===');

    // As it is, for other tools.
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    expect((await downloading).suggestedFilename()).toBe(`${run}.1.1.cli.log`);
    expect(watch.faults).toEqual([]);
});

test('lanes tell what ran and what waited, and an estimate how long it will go on', async () => {
    const before = await lab.run('long');
    await lab.reached(before, 'completed');
    const holder = await lab.run('long');
    await lab.reached(holder, 'running');
    // It waits for the EP.
    const run = await lab.run('long');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto(`/runs/${run}?view=lanes`);
    await page.getByRole('list', { name: 'What waits' }).getByText('a free EP').waitFor();
    await lab.reached(run, 'running');
    await page.getByText(/^about .* left$/).waitFor();
    expect(await page.getByText(/^about .* left$/).getAttribute('title')).toMatch(/^As run \d+ took$/);
    const lanes = page.getByRole('application', { name: /^When the tests of run/ });
    await lanes.waitFor();
    await lab.reached(run, 'completed');
    await lanes.and(page.getByLabel(/5 marks in 2 lanes/)).waitFor();
    // Who sees no picture walks through it: the wait with its reason, and a test, which Enter opens.
    await lanes.focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText(/waiting, .*a free EP/).waitFor();
    await page.keyboard.press('ArrowUp');
    await page.getByText(/^takes\.py, passed, .* EP-1,/).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/runs/${run}/tests/\\d`));
    expect(watch.faults).toEqual([]);
});

test('an EP is given no more work, and work again; the engine tells of it', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/eps/EP-1');
    await page.getByRole('button', { name: 'Drain …' }).click();
    await page.getByRole('dialog').getByText('Runs that need it wait until it takes work again.').waitFor();
    await page.getByRole('button', { name: 'Drain it' }).click();
    await page.getByRole('button', { name: /1 draining/ }).waitFor();
    const run = await lab.run('day');
    await page.goto(`/runs/${run}`);
    await page
        .getByRole('list', { name: 'What waits' })
        .getByText(/EP-1.*(no (more|new) work|drain)/)
        .waitFor();
    await page.goto('/eps/EP-1');
    await page.getByRole('button', { name: 'Let it take work' }).waitFor();
    await page.keyboard.press('d');
    await lab.reached(run, 'completed');
    await page.getByRole('button', { name: /0 draining/ }).waitFor();

    // Who did what is in the audit log; how the engine is, in its numbers.
    await page.goto('/engine/audit?action=ep.');
    await expect.poll(() => page.getByRole('row').filter({ hasText: 'EP-1' }).count()).toBe(2);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Health' }).waitFor();
    await page.getByText(/free of/).waitFor();
    await page.goto('/engine/log?level=ERROR');
    await page.getByText('The engine has said nothing').or(page.getByText('No line fits')).waitFor();
    expect(watch.faults).toEqual([]);
});

test('what is copied of a thing does on a command line what it says', async () => {
    const run = await lab.run('day');
    await lab.reached(run, 'completed');
    await lab.put('/resources', { parent: '/', name: "it's $HOME", properties: { kind: 'router' } });
    await lab.put('/suts/bed.system', { path: ['bed.system'], meta: {}, id: '00000000b2', children: {} });
    const { page, watch } = await Person.open(browser, lab);
    const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    const shell = (script: string): string =>
        execFileSync('sh', ['-c', `jackfield() { "${BINARY}" "$@"; }\n${script}`], {
            encoding: 'utf8',
            env: { ...process.env, JACKFIELD_ENGINE: lab.url, JACKFIELD_API_TOKEN: lab.token },
        });
    // Each with what the command and the engine say of it.
    const things: [path: string, called: string, says: string, answers: string][] = [
        [`/runs/${run}/tests/0?pane=about`, 'ID', 'quick', `"attempt":"${run}.0.1"`],
        ['/eps/EP-1', 'name', 'EP-1', '"name":"EP-1"'],
        [`/lab/${encodeURIComponent("it's $HOME")}`, 'path', 'router', '"router"'],
        ['/lab?view=suts&sut=bed.system', 'name', 'bed.system', '"bed.system"'],
    ];
    for (const [path, called, says, answers] of things) {
        await page.goto(path);
        await page.getByText('Copy as').waitFor();
        for (const what of ['command', 'curl']) {
            await page.getByRole('button', { name: what, exact: true }).click();
            await page.getByText(`Copied the ${what}`).first().waitFor();
            const wanted = what === 'curl' ? answers : says;
            expect(shell(await clipboard()), `${what} of ${path}`).toContain(wanted);
        }
        await page.getByRole('button', { name: 'link', exact: true }).click();
        await page.getByText('Copied the link').first().waitFor();
        await page.goto(await clipboard());
        await page.locator('main').getByText(says).first().waitFor();
        await page.goto(path);
        await page.getByRole('button', { name: called, exact: true }).click();
        await page.getByText(`Copied the ${called}`).first().waitFor();
    }
    expect(watch.faults).toEqual([]);
});
