// A run as it happens while fifty browsers look on: how long an event takes from its EP to the screen, and on which part of the way; whether
// the page ever stands still; what fifty cost the engine.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';

import { Lab, type Person } from './lab';
import { frames, heap, record } from './measure';
import { quickEp, said, started } from './quick_ep';

const TESTS = 20_000;
const EVENTS_PER_SECOND = 1_000;
/** Browsers that look on, and how many of them are real ones: each with a stream and a page that draws. */
const BROWSERS = 50;
const REAL = Number(process.env['JACKFIELD_REAL_BROWSERS'] ?? 5);
/** What they look at: each next one at another view. */
const VIEWS = ['', '?view=tree', '?view=lanes', '?sort=-took', '?state=PASS'];
/** How long the run is watched: it has not come to its end. */
const WATCHED_MILLIS = 12_000;

/** A page that draws less often does not show a run as it happens, and its frames say nothing. */
const DRAWS_PER_SECOND_MIN = 5;

let lab: Lab;
let person: Person;

beforeAll(async () => {
    lab = await Lab.start();
    person = await lab.admin();
});

afterAll(() => lab.stop());

type Delays = { way: number[]; stored: number[]; sent: number[]; drawn: number[] };

/** Keeps how long the oldest event of each frame took: to the engine's store, to the page, to the screen. */
async function clocks(page: Page): Promise<void> {
    await page.evaluate(() => {
        const delays: Delays = { way: [], stored: [], sent: [], drawn: [] };
        (globalThis as unknown as { delays: Delays }).delays = delays;
        type Drawn = {
            event: { fact: string; at: string; started?: string; elapsed_millis?: number };
            heard: number;
        };
        document.addEventListener('jackfield:drawn', (told) => {
            const detail = (told as CustomEvent<Drawn | undefined>).detail;
            if (detail?.event.started === undefined) return;
            const { event, heard } = detail;
            const at = Date.parse(event.at);
            const happened = Date.parse(detail.event.started) + (event.elapsed_millis ?? 0);
            // Drawn when the frame that is being made is over: measured in the next.
            requestAnimationFrame(() => {
                const now = Date.now();
                delays.way.push(now - happened);
                delays.stored.push(at - happened);
                delays.sent.push(heard - at);
                delays.drawn.push(now - heard);
            });
        });
    });
}

/** Counts how often a page draws what came; answers how often that was. */
async function draws(page: Page): Promise<() => Promise<number>> {
    await page.evaluate(() => {
        const store = globalThis as unknown as { draws: number };
        store.draws = 0;
        document.addEventListener('jackfield:drawn', () => (store.draws += 1));
    });
    return () => page.evaluate(() => (globalThis as unknown as { draws: number }).draws);
}

function p95(values: readonly number[]): number {
    return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

const resident = async (): Promise<number> =>
    (((await lab.ask('GET', '/engine')) as { resident_bytes?: number }).resident_bytes ?? Number.NaN) / 1e6;

test('an event is on the screen at once while fifty look on', async () => {
    writeFileSync(join(lab.folder, 'tests/quick.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const before = await resident();
    const end = await quickEp(lab, 'EP-QUICK', EVENTS_PER_SECOND);
    const cases = '<TestCase><tcName>quick.sh</tcName></TestCase>'.repeat(TESTS);
    const xml = `<Root><TestSuite><tsName>Quick</tsName><EpId>EP-QUICK</EpId>${cases}</TestSuite></Root>`;
    const { run } = (await lab.ask('POST', '/runs', { project: 'quick.xml', xml })) as { run: number };
    const cookie = (await person.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const readers = started('reader_process.js', [lab.url, cookie, String(run), String(BROWSERS - REAL)]);
    const counts = said(readers);
    const persons = [person];
    while (persons.length < REAL) persons.push(await lab.admin());
    for (const [nth, { page }] of persons.entries()) {
        await page.goto(`/runs/${run}${VIEWS[nth % VIEWS.length] ?? ''}`);
        await page.locator('[role="row"]:nth-child(5), [role="treeitem"], canvas').first().waitFor();
    }
    const { page } = person;
    await page.bringToFront();
    await clocks(page);
    const events = async (): Promise<number> =>
        ((await lab.ask('GET', `/runs/${run}`)) as { seq: number }).seq;
    const [began, first] = [Date.now(), await events()];
    const longest = await Promise.all(persons.map((each) => frames(each.page)));
    const drawn = await Promise.all(persons.map((each) => draws(each.page)));
    // What the machine itself does to a page that does nothing, for the reader.
    const empty = await person.context.newPage();
    const control = await frames(empty);
    await page.bringToFront();
    await page.waitForTimeout(WATCHED_MILLIS);
    const [frame = Number.NaN, ...others] = await Promise.all(longest.map((end) => end()));
    const still = await control();
    const times = await Promise.all(drawn.map((end) => end()));
    if (times.some((count) => count < (DRAWS_PER_SECOND_MIN * WATCHED_MILLIS) / 1_000))
        throw new Error(`pages that drew ${times.join()} times were not live`);
    await empty.close();
    const rate = ((await events()) - first) / ((Date.now() - began) / 1_000);
    const delays = await page.evaluate(() => (globalThis as unknown as { delays: Delays }).delays);
    const [megabytes, after] = [await heap(page), await resident()];
    // It may have come to its end by itself.
    await lab.ask('POST', `/runs/${run}/stop`, { now: true }).catch(() => undefined);
    const told = (await counts) as number[];
    // Nobody misses anything, whether they read or draw.
    const whole = await events();
    if (told.length !== BROWSERS - REAL || told.some((count) => count !== whole))
        throw new Error(`of ${whole} events, readers were told ${told.join()}`);
    for (const { page } of persons) await page.locator('h1 + .sign', { hasText: /stopped|passed/ }).waitFor();
    end();
    record({
        name: 'events of the run meanwhile',
        value: rate,
        unit: '/s',
        goal: '> 900 /s of 1000',
        holds: rate > 900,
    });
    const way = p95(delays.way);
    record({
        name: 'event at an EP to pixel, 50 browsers, p95',
        value: way,
        unit: 'ms',
        goal: '< 200 ms',
        holds: way < 200,
    });
    const forReader = 'for the reader: a part of it';
    record({
        name: '- from the EP to what the engine decides, p95',
        value: p95(delays.stored),
        unit: 'ms',
        goal: forReader,
    });
    record({
        name: '- stored, and sent to the page, p95',
        value: p95(delays.sent),
        unit: 'ms',
        goal: forReader,
    });
    record({ name: '- drawn, p95', value: p95(delays.drawn), unit: 'ms', goal: forReader });
    record({
        name: 'longest frame of a run of 20,000 tests, live',
        value: frame,
        unit: 'ms',
        goal: '< 100 ms',
        holds: frame < 100,
    });
    record({
        name: `longest frame as tree, as lanes, sorted and filtered: ${others.map(Math.round).join(', ')}; the worst`,
        value: Math.max(...others),
        unit: 'ms',
        goal: '< 100 ms',
        holds: Math.max(...others) < 100,
    });
    record({
        name: 'longest frame of an empty page meanwhile',
        value: still,
        unit: 'ms',
        goal: 'for the reader: what the machine adds',
    });
    record({
        name: 'memory of its page',
        value: megabytes,
        unit: 'MB',
        goal: '< 150 MB',
        holds: megabytes < 150,
    });
    const grown = after - before;
    record({
        name: 'memory of the engine, grown with 50 browsers',
        value: grown,
        unit: 'MB',
        goal: '< 100 MB',
        holds: grown < 100,
    });
});
