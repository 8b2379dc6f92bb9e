// What a timeline says: moments as its axis writes them, and one word for each tone, wherever it is told.

import { timeOfDay } from '../parts/time';
import type { Mark, Tone } from './layout';

export const WORDS: Readonly<Record<Tone, string>> = {
    fail: 'failed',
    timeout: 'timed out',
    invalid: 'invalid',
    aborted: 'aborted',
    not_executed: 'not executed',
    running: 'running',
    skipped: 'skipped',
    pass: 'passed',
    waiting: 'waiting',
};

/** What a mark does, or what became of it. */
export function wordOf({ kind, tone }: Pick<Mark, 'kind' | 'tone'>): string {
    return WORDS[kind === 'wait' ? 'waiting' : tone];
}

/** 14:03:09, and with tenths where the scale asks for them. */
export function moment(at: number): string {
    const millis = Math.round(at) % 1_000;
    return millis === 0 ? timeOfDay(at) : `${timeOfDay(at)}.${Math.floor(millis / 100)}`;
}
