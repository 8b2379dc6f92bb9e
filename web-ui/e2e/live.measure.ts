// A run as it happens while fifty browsers look on: how long an event takes from its EP to the screen, and on which part of the way; whether
// the page ever stands still; what fifty cost the engine.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';

import { Lab, type Person } from './lab';
import { frames, heap, record } from './measure';
import { quickEp } from './quick_ep';

const TESTS = 20_000;
const EVENTS_PER_SECOND = 1_000;
/** Browsers that look on, and how many of them are real ones: each with a stream and a page that draws. */
const BROWSERS = 50;
const REAL = 5;
/** How long the run is watched: it has not come to its end. */
const WATCHED_MILLIS = 12_000;

let lab: Lab;
let person: Person;

beforeAll(async () => {
    lab = await Lab.start();
    person = await lab.admin();
});

afterAll(() => lab.stop());

/** Reads a stream as another browser would, until the run is over. Answers how many of its events it was told. */
async function look(run: number, cookie: string): Promise<number> {
    const answer = await fetch(`${lab.url}/api/v1/follow?lab=&runs=${run}:0`, {
        headers: { Cookie: cookie },
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) throw new Error(`the engine answered ${answer.status}`);
    const [told, over] = [`event: run/${run}/run\n`, `event: run/${run}/over\n`];
    let [count, rest] = [0, ''];
    for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error('a stream ended before its run');
        const lines = (rest + value).split(/(?<=\n)/);
        rest = lines.at(-1)?.endsWith('\n') ? '' : (lines.pop() ?? '');
        count += lines.filter((line) => line === told).length;
        if (!lines.includes(over)) continue;
        await reader.cancel();
        return count;
    }
}

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

function p95(values: readonly number[]): number {
    return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

const resident = async (): Promise<number> =>
    (((await lab.ask('GET', '/engine')) as { resident_bytes?: number }).resident_bytes ?? Number.NaN) / 1e6;

test('an event is on the screen at once while fifty look on', async () => {
    const browser = person.context.browser();
    if (browser === null) throw new Error('no browser');
    writeFileSync(join(lab.folder, 'tests/quick.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const before = await resident();
    const ep = await quickEp(lab, browser, 'EP-QUICK', EVENTS_PER_SECOND);
    const cases = '<TestCase><tcName>quick.sh</tcName></TestCase>'.repeat(TESTS);
    const xml = `<Root><TestSuite><tsName>Quick</tsName><EpId>EP-QUICK</EpId>${cases}</TestSuite></Root>`;
    const { run } = (await lab.ask('POST', '/runs', { project: 'quick.xml', xml })) as { run: number };
    const cookie = (await person.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const readers = Array.from({ length: BROWSERS - REAL }, () => look(run, cookie));
    const persons = [person];
    while (persons.length < REAL) persons.push(await lab.admin());
    for (const { page } of persons) {
        await page.goto(`/runs/${run}`);
        await page.locator('[role="grid"] [role="row"]:nth-child(5)').waitFor();
    }
    const { page } = person;
    await page.bringToFront();
    await clocks(page);
    const events = async (): Promise<number> =>
        ((await lab.ask('GET', `/runs/${run}`)) as { seq: number }).seq;
    const [began, first] = [Date.now(), await events()];
    const longest = await frames(page);
    // What the machine itself does to a page that does nothing, for the reader.
    const empty = await person.context.newPage();
    const control = await frames(empty);
    await page.bringToFront();
    await page.waitForTimeout(WATCHED_MILLIS);
    const frame = await longest();
    const still = await control();
    await empty.close();
    const rate = ((await events()) - first) / ((Date.now() - began) / 1_000);
    const delays = await page.evaluate(() => (globalThis as unknown as { delays: Delays }).delays);
    const [megabytes, after] = [await heap(page), await resident()];
    // It may have come to its end by itself.
    await lab.ask('POST', `/runs/${run}/stop`, { now: true }).catch(() => undefined);
    const told = await Promise.all(readers);
    // Nobody misses anything, whether they read or draw.
    const whole = await events();
    if (told.some((count) => count !== whole))
        throw new Error(`of ${whole} events, readers were told ${told.join()}`);
    for (const { page } of persons) await page.locator('h1 + .sign', { hasText: /stopped|passed/ }).waitFor();
    await ep.close();
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
