// What became of the tests of a run together, kept as they change: how many are in each state, and of each suite how many have ended, and how.

import { isBad, STATES, type TestState } from '../../parts/verdict';
import type { Suite } from '../../state/run.svelte';
import { TestReader, type Tests } from '../../state/tests';

/** How many tests are in each state. */
export class StateCounts {
    readonly #reader: TestReader;
    #states: (TestState | undefined)[] = [];
    #counts = none();

    constructor(tests: Tests) {
        this.#reader = new TestReader(tests);
    }

    now(): Readonly<Record<TestState, number>> {
        this.#reader.read(
            (size) => {
                this.#states = Array.from({ length: size }, () => undefined);
                this.#counts = none();
            },
            ({ test, state }) => {
                const before = this.#states[test];
                if (before !== undefined) this.#counts[before] -= 1;
                this.#counts[state] += 1;
                this.#states[test] = state;
            },
        );
        return { ...this.#counts };
    }
}

/** Of no test. */
export function none(): Record<TestState, number> {
    return Object.fromEntries(STATES.map((state) => [state, 0])) as Record<TestState, number>;
}

/** What became of the tests of a suite, and of those below it. */
export type SuiteSum = {
    readonly tests: number;
    readonly ended: number;
    readonly bad: Readonly<Partial<Record<TestState, number>>>;
};

const EMPTY: SuiteSum = { tests: 0, ended: 0, bad: {} };

export class SuiteSums {
    readonly #reader: TestReader;
    #states: (TestState | undefined)[] = [];
    #sums: SuiteSum[] = [];

    constructor(
        tests: Tests,
        readonly suites: readonly Suite[],
    ) {
        this.#reader = new TestReader(tests);
    }

    /** By the number of the suite; a sum that has changed is another one. */
    now(): readonly SuiteSum[] {
        const isNew = this.#reader.read(
            (size) => {
                this.#states = Array.from({ length: size }, () => undefined);
                this.#sums = this.suites.map(() => EMPTY);
            },
            ({ test, suite, state }) => {
                const before = this.#states[test];
                if (before === state) return;
                this.#states[test] = state;
                this.#add(suite, before, -1);
                this.#add(suite, state, 1);
            },
        );
        if (isNew) this.#sums = [...this.#sums];
        return this.#sums;
    }

    #add(suite: number, state: TestState | undefined, by: 1 | -1): void {
        if (state === undefined) return;
        const ended = ['PENDING', 'WAITING', 'WORKING'].includes(state) ? 0 : by;
        for (let at: number | undefined = suite; at !== undefined; at = this.suites[at]?.parent) {
            const sum = this.#sums[at];
            if (sum === undefined) return;
            const bad = isBad(state) ? { ...sum.bad, [state]: (sum.bad[state] ?? 0) + by } : sum.bad;
            this.#sums[at] = { tests: sum.tests + by, ended: sum.ended + ended, bad };
        }
    }
}
