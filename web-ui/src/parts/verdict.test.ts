import { expect, test } from 'vitest';

import { foremost, ofRun, type RunState } from './verdict';

test('a run that is over looks as its tests did', () => {
    const word = (state: RunState, counts: Record<string, number>) => ofRun({ state, counts }).word;
    expect(word('completed', { PASS: 2 })).toBe('passed');
    expect(word('completed', { PASS: 2, FAIL: 2 })).toBe('2 failed');
    expect(word('completed', { INVALID: 1 })).toBe('1 invalid');
    expect(word('completed', { PASS: 2, FAIL: 1, TIMEOUT: 3 })).toBe('1 failed, 3 timed out');
    expect(word('completed', { FAIL: 1, INVALID: 1, ABORTED: 2 })).toBe('4 did not pass');
    expect(word('completed', { SKIPPED: 2 })).toBe('nothing ran');
    expect(word('stopped', { FAIL: 2 })).toBe('stopped');
});

test('what asks is looked at first, then what works, then what waits', () => {
    const runs = [
        { id: 7, state: 'running' },
        { id: 8, state: 'paused' },
        { id: 9, state: 'queued' },
    ] as const;
    expect(foremost(runs, () => false)?.id).toBe(8);
    expect(foremost(runs, ({ id }) => id === 7)?.id).toBe(7);
    expect(foremost(runs.slice(2), () => false)?.id).toBe(9);
    expect(foremost([], () => true)).toBe(undefined);
});
