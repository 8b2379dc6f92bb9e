// Which tests of a run are shown, and in which order: pure, so that it is quick and tried without a browser.

import { STATES, type TestState } from '../../parts/verdict';
import type { Suite, Test } from '../../state/run.svelte';

/** How many tests are in each state. */
export function countStates(tests: readonly Test[]): Record<TestState, number> {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<TestState, number>;
    for (const { state } of tests) counts[state] += 1;
    return counts;
}

const RANK = Object.fromEntries(STATES.map((state, rank) => [state, rank])) as Record<TestState, number>;

/** What failed, then what runs, then the rest; within each, in the order of the project. */
export function failuresFirst(tests: readonly Test[]): Test[] {
    const buckets: Test[][] = STATES.map(() => []);
    for (const test of tests) buckets[RANK[test.state]]?.push(test);
    return buckets.flat();
}

/** Which tests a person asked for. */
export type Wanted = { states: ReadonlySet<TestState>; words: string; ep?: string | undefined };

/** Whether only some of the tests are asked for. */
export function isFiltered({ states, words, ep }: Wanted): boolean {
    return states.size > 0 || words.trim() !== '' || !!ep;
}

/** The tests that fit; all where nothing is asked for. */
export function filtered(
    tests: readonly Test[],
    suites: readonly Suite[],
    { states, words, ep }: Wanted,
): readonly Test[] {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (states.size === 0 && wanted.length === 0 && !ep) return tests;
    const paths = suites.map((_, index) => pathOf(suites, index).join(' / ').toLowerCase());
    return tests.filter((test) => {
        if (states.size > 0 && !states.has(test.state)) return false;
        if (ep && test.ep !== ep) return false;
        if (wanted.length === 0) return true;
        const text = `${test.test} ${test.name.toLowerCase()} ${paths[test.suite] ?? ''} ${test.reason.toLowerCase()}`;
        return wanted.every((word) => text.includes(word));
    });
}

/** The names of a suite and those around it, from the outside in. */
export function pathOf(suites: readonly Suite[], index: number): string[] {
    const names: string[] = [];
    for (
        let at: number | undefined = index;
        at !== undefined && names.length < 100;
        at = suites[at]?.parent
    ) {
        names.unshift(suites[at]?.name ?? '');
    }
    return names;
}

/** States in the query of an address: `FAIL,TIMEOUT`. Words that are none are left out. */
export function readStates(text: string | undefined): ReadonlySet<TestState> {
    const words = new Set((text ?? '').toUpperCase().split(','));
    return new Set(STATES.filter((state) => words.has(state)));
}
