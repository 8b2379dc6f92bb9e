// States of tests and runs as people see them: an icon, a word and a colour for each, in one place.

import type { Schemas } from '../api/client';

export type TestState = Schemas['TestState'];
export type Verdict = Schemas['Verdict'];
export type RunState = Schemas['RunState'];
export type EpState = Schemas['EpState'];

/** The colours there are; see `tokens.css`. */
export type Tone = 'pass' | 'fail' | 'warn' | 'work' | 'idle';

export type Icon =
    'check' | 'cross' | 'clock' | 'play' | 'pause' | 'stop' | 'dash' | 'bolt' | 'question' | 'ban' | 'skip';

export type Look = { tone: Tone; icon: Icon; word: string };

const TESTS: Record<TestState, Look> = {
    FAIL: { tone: 'fail', icon: 'cross', word: 'failed' },
    TIMEOUT: { tone: 'fail', icon: 'clock', word: 'timed out' },
    INVALID: { tone: 'warn', icon: 'question', word: 'invalid' },
    ABORTED: { tone: 'warn', icon: 'bolt', word: 'aborted' },
    NOT_EXECUTED: { tone: 'warn', icon: 'ban', word: 'not executed' },
    SKIPPED: { tone: 'idle', icon: 'skip', word: 'skipped' },
    PASS: { tone: 'pass', icon: 'check', word: 'passed' },
    WORKING: { tone: 'work', icon: 'play', word: 'running' },
    WAITING: { tone: 'idle', icon: 'clock', word: 'waiting' },
    PENDING: { tone: 'idle', icon: 'dash', word: 'pending' },
};

const RUNS: Record<RunState, Look> = {
    queued: { tone: 'idle', icon: 'clock', word: 'queued' },
    running: { tone: 'work', icon: 'play', word: 'running' },
    paused: { tone: 'warn', icon: 'pause', word: 'paused' },
    stopping: { tone: 'warn', icon: 'stop', word: 'stopping' },
    completed: { tone: 'pass', icon: 'check', word: 'passed' },
    stopped: { tone: 'warn', icon: 'stop', word: 'stopped' },
};

const EPS: Record<EpState, Look> = {
    idle: { tone: 'pass', icon: 'check', word: 'idle' },
    busy: { tone: 'work', icon: 'play', word: 'busy' },
    draining: { tone: 'warn', icon: 'pause', word: 'draining' },
    offline: { tone: 'fail', icon: 'cross', word: 'offline' },
};

/** Every state of a test, what needs a look first: the order in which failures come first. */
export const STATES: readonly TestState[] = [
    'FAIL',
    'TIMEOUT',
    'INVALID',
    'ABORTED',
    'NOT_EXECUTED',
    'WORKING',
    'WAITING',
    'PENDING',
    'SKIPPED',
    'PASS',
];

/** Verdicts that somebody has to look at. */
export const BAD: readonly Verdict[] = ['FAIL', 'TIMEOUT', 'INVALID', 'ABORTED', 'NOT_EXECUTED'];

export const ofTest = (state: TestState): Look => TESTS[state];

export const ofEp = (state: EpState): Look => EPS[state];

/** A run that is over looks as its tests did: one with 17 failures is not green because it came to its end. */
export function ofRun(run: Pick<Schemas['RunSummary'], 'state' | 'counts'>): Look {
    if (run.state !== 'completed') return RUNS[run.state];
    const bad = badOf(run.counts);
    if (bad > 0) return { tone: 'fail', icon: 'cross', word: `${bad} failed` };
    return (run.counts.PASS ?? 0) > 0 ? RUNS.completed : { tone: 'idle', icon: 'skip', word: 'nothing ran' };
}

/** How many tests somebody has to look at. */
export function badOf(counts: Schemas['RunSummary']['counts']): number {
    return BAD.reduce((sum, verdict) => sum + (counts[verdict] ?? 0), 0);
}

/** How many tests have ended. */
export function endedOf(counts: Schemas['RunSummary']['counts']): number {
    return Object.values(counts).reduce((sum, count) => sum + (count ?? 0), 0);
}

/** Of the runs that go on, what somebody looks at first: what asks, what works, what waits; the newest of each. */
export function foremost<R extends Pick<Schemas['RunSummary'], 'id' | 'state'>>(
    runs: readonly R[],
    asks: (run: R) => boolean,
): R | undefined {
    const rank = (run: R) => (asks(run) ? 2 : run.state === 'queued' ? 0 : 1);
    return runs.toSorted((a, b) => rank(b) - rank(a) || b.id - a.id)[0];
}

/** Whether nothing of the run will change any more. */
export const isOver = (state: RunState): boolean => state === 'completed' || state === 'stopped';

/** Who is to blame, in words. */
export const CAUSES: Record<Schemas['Cause'], string> = {
    product: 'the product',
    test: 'the test',
    lab: 'the lab',
    time: 'time',
    person: 'a person',
    unfinished: 'the run, which ended early',
};
