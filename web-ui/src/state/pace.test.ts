import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Pace } from './pace.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('does it at once after a silence, and not more often than it may', () => {
    const pace = new Pace(250, () => Date.now());
    pace.ask();
    expect(pace.count).toBe(1);
    for (let asked = 0; asked < 20; asked += 1) {
        vi.advanceTimersByTime(25);
        pace.ask();
    }
    // At 0, 250 and 500 ms; and what was asked last, right after that.
    expect(pace.count).toBe(3);
    vi.advanceTimersByTime(1_000);
    expect(pace.count).toBe(4);
    vi.advanceTimersByTime(1_000);
    expect(pace.count).toBe(4);
    pace.ask();
    pace.ask();
    expect(pace.count).toBe(5);
    vi.advanceTimersByTime(250);
    expect(pace.count).toBe(6);
});

it('does nothing any more when it was stopped', () => {
    const pace = new Pace(250, () => Date.now());
    pace.ask();
    pace.ask();
    pace.stop();
    vi.advanceTimersByTime(1_000);
    expect(pace.count).toBe(1);
});
