import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { linesOf, paste, type Pasting } from './paste';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('ends lines as a terminal does', () => {
    expect(linesOf('a\nb\r\nc\rd')).toEqual(['a\r', 'b\r', 'c\r', 'd']);
    expect(linesOf('conf t\n')).toEqual(['conf t\r']);
    expect(linesOf('')).toEqual([]);
});

it('sends line after line, and says how far it is', () => {
    const sent: string[] = [];
    const told: (Pasting | undefined)[] = [];
    paste(
        'a\nb\nc',
        100,
        (line) => sent.push(line),
        (pasting) => told.push(pasting),
    );
    expect(sent).toEqual(['a\r']);
    vi.advanceTimersByTime(99);
    expect(sent.length).toBe(1);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['a\r', 'b\r']);
    vi.advanceTimersByTime(200);
    expect(sent).toEqual(['a\r', 'b\r', 'c']);
    expect(told.at(0)).toEqual({ sent: 1, lines: 3 });
    expect(told.at(-1)).toBeUndefined();
});

it('stops where it is told to', () => {
    const sent: string[] = [];
    const told: (Pasting | undefined)[] = [];
    const stop = paste(
        'a\nb\nc',
        100,
        (line) => sent.push(line),
        (pasting) => told.push(pasting),
    );
    vi.advanceTimersByTime(100);
    stop();
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual(['a\r', 'b\r']);
    expect(told.at(-1)).toBeUndefined();
});
