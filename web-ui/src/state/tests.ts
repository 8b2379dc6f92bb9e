// The tests of a run, and which of them have changed: who keeps something that follows from all of them (an order, sums) looks
// at those alone, and a run of a hundred thousand costs no more a frame than one of ten.

import type { Schemas } from '../api/client';
import type { TestState } from '../parts/verdict';

/** A test of the run in brief. */
export type Test = {
    readonly test: number;
    readonly name: string;
    readonly file: string;
    /** By number; see `OneRun.suites`. */
    readonly suite: number;
    readonly state: TestState;
    /** 0 where none was sent to an EP. */
    readonly attempt: number;
    readonly ep: string | undefined;
    /** Milliseconds since 1970. */
    readonly started: number | undefined;
    readonly elapsed: number;
    readonly cause: Schemas['Cause'] | undefined;
    /** Why, or what it waits for. */
    readonly reason: string;
};

/** Changes that are kept of a small run; of a large one, as many as it has tests: more cost as much as looking at all. */
const CHANGES_MIN = 1_000;

export class Tests {
    #all: Test[] = [];
    #changed: number[] = [];
    /** Changes that are not kept any more. */
    #forgotten = 0;

    /** By number. It is changed in place: never keep it. */
    get all(): readonly Test[] {
        return this.#all;
    }

    put(test: Test): void {
        this.#all[test.test] = test;
        this.#changed.push(test.test);
        if (this.#changed.length <= Math.max(CHANGES_MIN, this.#all.length)) return;
        const half = this.#changed.length >> 1;
        this.#changed.splice(0, half);
        this.#forgotten += half;
    }

    /** How many changes there were. */
    get changes(): number {
        return this.#forgotten + this.#changed.length;
    }

    /** The numbers of what changed since there were so many changes, some more than once; none where that is forgotten. */
    since(changes: number): readonly number[] | undefined {
        return changes < this.#forgotten ? undefined : this.#changed.slice(changes - this.#forgotten);
    }
}

/** Who keeps something that follows from all tests. */
export class TestReader {
    #changes = -1;
    #size = 0;

    constructor(readonly tests: Tests) {}

    /**
     * Gives what is new since it was called last. Where there are more tests than before, or too much has changed, `begin` is told how many
     * there are, and all are given.
     *
     * @returns whether there was anything new
     */
    read(begin: (size: number) => void, take: (test: Test) => void): boolean {
        const { all, changes } = this.tests;
        if (changes === this.#changes) return false;
        const changed = all.length === this.#size ? this.tests.since(this.#changes) : undefined;
        [this.#changes, this.#size] = [changes, all.length];
        if (changed === undefined) {
            begin(all.length);
            for (const test of all) if (test !== undefined) take(test);
            return true;
        }
        for (const number of changed) {
            const test = all[number];
            if (test !== undefined) take(test);
        }
        return true;
    }
}
