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

const look = (tone: Tone, icon: Icon, word: string): Look => ({ tone, icon, word });

/** Tests shout in capitals, runs and EPs do not: no word means two things. */
const LOOKS: Record<TestState | RunState | EpState, Look> = {
    FAIL: look('fail', 'cross', 'failed'),
    TIMEOUT: look('fail', 'clock', 'timed out'),
    INVALID: look('warn', 'question', 'invalid'),
    ABORTED: look('warn', 'bolt', 'aborted'),
    NOT_EXECUTED: look('warn', 'ban', 'not executed'),
    SKIPPED: look('idle', 'skip', 'skipped'),
    PASS: look('pass', 'check', 'passed'),
    WORKING: look('work', 'play', 'running'),
    WAITING: look('idle', 'clock', 'waiting'),
    PENDING: look('idle', 'dash', 'pending'),
    queued: look('idle', 'clock', 'queued'),
    running: look('work', 'play', 'running'),
    paused: look('warn', 'pause', 'paused'),
    stopping: look('warn', 'stop', 'stopping'),
    completed: look('pass', 'check', 'passed'),
    stopped: look('warn', 'stop', 'stopped'),
    idle: look('pass', 'check', 'idle'),
    busy: look('work', 'play', 'busy'),
    draining: look('warn', 'pause', 'draining'),
    offline: look('fail', 'cross', 'offline'),
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

/** Whether somebody has to look at a test in this state. */
export const isBad = (state: TestState): boolean => (BAD as readonly TestState[]).includes(state);

export const ofTest = (state: TestState): Look => LOOKS[state];

export const ofEp = (state: EpState): Look => LOOKS[state];

/** A run that is over looks as its tests did: one with 17 failures is not green because it came to its end. */
export function ofRun(run: Pick<Schemas['RunSummary'], 'state' | 'counts'>): Look {
    if (run.state !== 'completed') return LOOKS[run.state];
    const word = badWords(run.counts);
    if (word !== '') return { ...LOOKS.FAIL, word };
    return (run.counts.PASS ?? 0) > 0 ? LOOKS.completed : { tone: 'idle', icon: 'skip', word: 'nothing ran' };
}

/**
 * What did not pass, by what became of it: `2 failed`, `1 failed, 1 invalid`; of more kinds than that only how many. Empty where all is
 * well.
 */
export function badWords(counts: Schemas['RunSummary']['counts']): string {
    const kinds = BAD.filter((verdict) => (counts[verdict] ?? 0) > 0);
    if (kinds.length > 2) return `${badOf(counts)} did not pass`;
    return kinds.map((verdict) => `${counts[verdict] ?? 0} ${LOOKS[verdict].word}`).join(', ');
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
