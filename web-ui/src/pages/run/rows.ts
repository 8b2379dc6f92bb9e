// Which tests of a run are shown, and in which order: kept as tests change, so that a frame costs what has changed, whatever the run
// has.

import { STATES, type TestState } from '../../parts/verdict';
import type { Suite } from '../../state/run.svelte';
import { TestReader, type Test, type Tests } from '../../state/tests';
import { ABSENT, Places } from '../../table/places';
import { FoundRows, type Rows } from '../../table/rows';

const RANK = Object.fromEntries(STATES.map((state, rank) => [state, rank])) as Record<TestState, number>;

/** Which tests a person asked for. */
export type Wanted = { states: ReadonlySet<TestState>; words: string; ep?: string | undefined };

/** Whether only some of the tests are asked for. */
export function isFiltered({ states, words, ep }: Wanted): boolean {
    return states.size > 0 || words.trim() !== '' || !!ep;
}

/** Whether a test fits what is asked for; nothing where all do. */
export function fitting(suites: readonly Suite[], wanted: Wanted): ((test: Test) => boolean) | undefined {
    if (!isFiltered(wanted)) return undefined;
    const { states, ep } = wanted;
    const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
    const paths = suites.map((_, index) => pathOf(suites, index).join(' / ').toLowerCase());
    return (test) => {
        if (states.size > 0 && !states.has(test.state)) return false;
        if (ep && test.ep !== ep) return false;
        if (words.length === 0) return true;
        const text = `${test.test} ${test.name.toLowerCase()} ${paths[test.suite] ?? ''} ${test.reason.toLowerCase()}`;
        return words.every((word) => text.includes(word));
    };
}

/** The tests that fit, in the order of the project, or what failed first, then what runs, then the rest. */
export class TestOrder {
    readonly #reader: TestReader;
    #places = new Places(0, STATES.length);
    /** Grows when another test fits, or one has changed its place. */
    moves = 0;

    constructor(
        readonly tests: Tests,
        readonly fits: ((test: Test) => boolean) | undefined,
        readonly order: 'failures first' | 'of the project',
    ) {
        this.#reader = new TestReader(tests);
    }

    /** The tests as they stand now, until the next change. */
    rows(): Rows<Test> {
        this.#read();
        const [places, { all }] = [this.#places, this.tests];
        return new FoundRows(
            places.length,
            (place) => {
                const number = places.at(place);
                return number === undefined ? undefined : all[number];
            },
            (id) => places.of(Number(id)),
        );
    }

    /** Whether a test fits. */
    has(test: number): boolean {
        this.#read();
        return this.#places.has(test);
    }

    /** What decides of the order, as it is now. */
    ranks(): Uint8Array {
        this.#read();
        return this.#places.ranks();
    }

    /** How many tests would stand elsewhere than then, or would not be there. */
    moved(then: Uint8Array): number {
        this.#read();
        return this.#places.differing(then);
    }

    #read(): void {
        this.#reader.read(
            (size) => {
                this.#places = new Places(size, STATES.length);
                this.moves += 1;
            },
            (test) => {
                if (this.#places.put(test.test, this.#rank(test))) this.moves += 1;
            },
        );
    }

    #rank(test: Test): number {
        if (this.fits?.(test) === false) return ABSENT;
        return this.order === 'failures first' ? RANK[test.state] : 0;
    }
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
