// The work of a run as marks of a timeline, kept as tests change.

import type { TestState } from '../../parts/verdict';
import { TestReader, type Test, type Tests } from '../../state/tests';
import type { Mark, Tone } from '../../timeline/layout';

const TONES: Readonly<Partial<Record<TestState, Tone>>> = {
    PASS: 'pass',
    FAIL: 'fail',
    SKIPPED: 'skipped',
    ABORTED: 'aborted',
    NOT_EXECUTED: 'not_executed',
    TIMEOUT: 'timeout',
    INVALID: 'invalid',
    WORKING: 'running',
};

/** A test that has run or runs, as a mark on the lane of its EP. */
function markOf({ test, name, state, ep, started, elapsed, reason }: Test): Mark | undefined {
    const tone = TONES[state];
    if (started === undefined || ep === undefined || tone === undefined) return undefined;
    return {
        id: String(test),
        lane: ep,
        kind: 'work',
        from: started,
        to: state === 'WORKING' ? undefined : started + elapsed,
        tone,
        label: name,
        reason: reason || undefined,
    };
}

export class Work {
    readonly #reader: TestReader;
    /** By the number of the test. */
    #marks: (Mark | undefined)[] = [];

    constructor(
        tests: Tests,
        readonly fits: ((test: Test) => boolean) | undefined,
    ) {
        this.#reader = new TestReader(tests);
    }

    /** The marks of now, in the order of the project. */
    now(): Mark[] {
        this.#reader.read(
            (size) => (this.#marks = Array.from({ length: size }, () => undefined)),
            (test) => (this.#marks[test.test] = this.fits?.(test) === false ? undefined : markOf(test)),
        );
        return this.#marks.filter((mark) => mark !== undefined);
    }
}
