// A figure for `cargo xtask bench gui`: one JSON object a line, in the file that JACKFIELD_MEASURES names.

import { appendFileSync } from 'node:fs';

import type { Page } from 'playwright-core';

export interface Figure {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    /** What we want, in words. */
    readonly goal: string;
    /** Whether we have it; none where the figure is for the reader. */
    readonly holds?: boolean;
}

export function record(figure: Figure): void {
    const file = process.env['JACKFIELD_MEASURES'];
    const line = JSON.stringify({ ...figure, value: Math.round(figure.value * 100) / 100 });
    if (file === undefined) console.log(line);
    else appendFileSync(file, `${line}\n`);
}

export function median(values: readonly number[]): number {
    const sorted = [...values].sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The longest time between two frames, from now until it is asked for. */
export async function frames(page: Page): Promise<() => Promise<number>> {
    await page.evaluate(() => {
        const store = globalThis as unknown as { longest: number; stop: boolean };
        [store.longest, store.stop] = [0, false];
        let last = performance.now();
        requestAnimationFrame(function next(now) {
            store.longest = Math.max(store.longest, now - last);
            last = now;
            if (!store.stop) requestAnimationFrame(next);
        });
    });
    return () =>
        page.evaluate(() => {
            const store = globalThis as unknown as { longest: number; stop: boolean };
            store.stop = true;
            return store.longest;
        });
}

/** What the page holds in memory, in megabytes. */
export function heap(page: Page): Promise<number> {
    return page.evaluate(
        () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 1e6,
    );
}
