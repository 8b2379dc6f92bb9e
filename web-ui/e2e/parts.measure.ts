// The heavy parts of the pages, in Chromium: a log of a gigabyte, a chart of a million points, a tree of ten thousand rows.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';

import { FlatTree } from '../src/tree/tree';
import { Lab, type Person } from './lab';
import { frames, heap, median, record } from './measure';

const BYTES = 1 << 30;
const NEEDLE = 'the only needle';
/** A gigabyte as fast as it goes, with one line in its middle that is like no other. */
const LOUD = `
import sys
block = "".join(f"2026-11-20 23:53:{n % 60:02} INFO port {n % 48} packets {n * 7919} errors 0\\n" for n in range(16384)).encode()
out, sent, told = sys.stdout.buffer, 0, False
while sent < ${BYTES}:
    if sent > ${BYTES / 2} and not told:
        told = True
        out.write(b"${NEEDLE}\\n")
    out.write(block)
    sent += len(block)
`;
const PROJECT =
    '<Root><TestSuite><tsName>Loud</tsName><EpId>EP-1001</EpId><TestCase><tcName>gigabyte.py</tcName></TestCase></TestSuite></Root>';
const ROUNDS = 5;

let lab: Lab;
let person: Person;
let run: number;

beforeAll(async () => {
    lab = await Lab.start();
    writeFileSync(join(lab.folder, 'tests/gigabyte.py'), LOUD);
    person = await lab.admin();
});

afterAll(() => lab.stop());

test('a gigabyte is watched as it comes', async () => {
    const { page } = person;
    ({ run } = (await lab.ask('POST', '/runs', { project: 'gigabyte', xml: PROJECT })) as { run: number });
    const attempt = `${run}.0.1`;
    for (;;) {
        if (await lab.ask('GET', `/attempts/${attempt}`).then(Boolean, () => false)) break;
    }
    await page.goto(`/alone/log?attempt=${attempt}`);
    await page.locator('.line').first().waitFor();
    const longest = await frames(page);
    await page.getByText(/lines, 1\.1 GB(?!, growing)/).waitFor({ timeout: 300_000 });
    const value = await longest();
    record({
        name: 'longest frame while 1 GB of log comes',
        value,
        unit: 'ms',
        goal: 'under 100 ms',
        holds: value < 100,
    });
    const megabytes = await heap(page);
    record({
        name: 'memory of the page after it',
        value: megabytes,
        unit: 'MB',
        goal: 'under 100 MB',
        holds: megabytes < 100,
    });
});

/** From a deed until what it shows is in the page, by the browser's clock. */
function jumped(page: Page, share: number): Promise<number> {
    return page.evaluate(async (to) => {
        const scroll = document.querySelector<HTMLElement>('.scroll');
        if (scroll === null) throw new Error('no log');
        const before = document.querySelector('.line .number')?.textContent;
        const begun = performance.now();
        scroll.scrollTop = scroll.scrollHeight * to;
        for (;;) {
            await new Promise(requestAnimationFrame);
            const line = document.querySelector('.line');
            const isNew = line?.querySelector('.number')?.textContent !== before;
            if (isNew && line?.querySelector('.text')?.textContent !== '…') return performance.now() - begun;
        }
    }, share);
}

test.each(['as it was written', 'packed'])('a jump and a search in a gigabyte, %s', async (form) => {
    const { page } = person;
    if (form === 'packed') {
        // Packed soon after the run has ended; the file says so.
        const path = join(lab.folder, `.jackfield/logs/${run}/0/0.1.cli.zst`);
        const { existsSync } = await import('node:fs');
        while (!existsSync(path)) await page.waitForTimeout(200);
    }
    await page.goto(`/alone/log?attempt=${run}.0.1`);
    await page.locator('.line .text').first().waitFor();
    const jumps: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) jumps.push(await jumped(page, 0.3 + round * 0.1));
    const jump = median(jumps);
    record({
        name: `jump into a 1 GB log, ${form}`,
        value: jump,
        unit: 'ms',
        goal: 'under 200 ms',
        holds: jump < 200,
    });

    const hits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
        await page.goto(`/alone/log?attempt=${run}.0.1`);
        await page.locator('.line .text').first().waitFor();
        const begun = performance.now();
        await page.getByRole('searchbox', { name: 'Find in the whole log' }).fill(NEEDLE);
        await page.locator('.found').first().waitFor();
        hits.push(performance.now() - begun);
    }
    const hit = median(hits);
    record({
        name: `first hit of a search in 1 GB, ${form}`,
        value: hit,
        unit: 'ms',
        goal: 'under 1 s',
        holds: hit < 1_000,
    });
});

test('a chart of a million points', async () => {
    const { page } = person;
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
        await page.goto('/alone/chart?points=1000000');
        await page.locator('[data-loaded="true"]').waitFor();
        rounds.push(
            await page.evaluate(() => performance.getEntriesByName('chart').at(-1)?.duration ?? Number.NaN),
        );
    }
    const value = median(rounds);
    record({
        name: 'chart of 1,000,000 points',
        value,
        unit: 'ms',
        goal: 'under 100 ms',
        holds: value < 100,
    });
});

test('a tree of ten thousand rows', () => {
    const nested = {
        id: (item: { id: string }) => item.id,
        children: (item: { rows?: { id: string }[] }) => item.rows ?? [],
    };
    const roots = Array.from({ length: 100 }, (_, bed) => ({
        id: `${bed}`,
        rows: Array.from({ length: 99 }, (__, row) => ({ id: `${bed}.${row}` })),
    }));
    let tree = FlatTree.of<{ id: string; rows?: { id: string }[] }>(roots, nested);
    const open = tree.branches();
    const rounds: number[] = [];
    for (let round = 0; round < 50; round += 1) {
        const begun = performance.now();
        const moved = tree.move(String(round), '99', 3);
        if (typeof moved === 'string') throw new Error(moved);
        moved.rows(open);
        rounds.push(performance.now() - begun);
        tree = moved;
    }
    const value = median(rounds);
    record({
        name: 'tree of 10,000 rows after a move',
        value,
        unit: 'ms',
        goal: 'under 10 ms',
        holds: value < 10,
    });
});
